"""Where blocks were stored lately, in a trace that knows only which blocks are cached."""

from functools import lru_cache

import numpy as np

from astrai_sim.trace import State
from astrai_sim.trace.blocks import BlockStored
from astrai_sim.trace.state import CACHED
from scenes.story.history.history import History


@lru_cache(maxsize=4)
def _stored(history: History) -> np.ndarray:
    """Event, message and page of every block that was stored and not cached already, int64 [blocks, 3]."""
    rows = [
        (event.seq, event.step, page)
        for event in history.events(BlockStored)
        for key, page in zip(event.keys, event.pages, strict=True)
        if key not in event.again
    ]
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def stored_lately(history: History, state: State, messages: int) -> np.ndarray:
    """Pages with a block that one of the last so many messages stored, as of `state`, int64."""
    seq, step, page = _stored(history).T
    until = int(np.searchsorted(seq, state.seq, side="right"))
    since = int(np.searchsorted(step, state.step - messages, side="right"))
    lately = np.unique(page[since:until])
    return lately[state.page_states()[lately] == CACHED]
