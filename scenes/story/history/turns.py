"""Whose turn it was: in which order requests were admitted, and what those lost that had to give way."""

from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from astrai_sim.trace import State
from scenes.story.history.history import History
from scenes.story.history.requests import Requests


@dataclass(frozen=True, eq=False)
class Loss:
    """`task` was preempted in event `seq`, at `ns`, with `stored` tokens in the cache; its `pages`, int64, in
    the order of its table."""

    seq: int
    ns: int
    task: str
    stored: int
    pages: np.ndarray


@dataclass(frozen=True, eq=False)
class Turns:
    """`place` [requests] is that by first admission, -1 for those never admitted; `losses` are in order."""

    place: np.ndarray
    losses: tuple[Loss, ...]
    _requests: Requests

    def since(self, task: str, at: int) -> int:
        """The event that admitted `task` last up to event `at`; -1 before the first."""
        return max((event.seq for event in self._requests[task].admitted if event.seq <= at), default=-1)

    def lost(self, after: int, until: int) -> tuple[Loss, ...]:
        """Losses between two events, the second included."""
        low, high = (bisect_right(self.losses, seq, key=lambda loss: loss.seq) for seq in (after, until))
        return self.losses[low:high]

    def last(self, task: str, at: int) -> Loss | None:
        """What `task` lost last up to event `at`."""
        return next((loss for loss in reversed(self.lost(-1, at)) if loss.task == task), None)

    def taken(self, state: State, task: str) -> np.ndarray:
        """Pages that `task` lost last and others hold now."""
        loss = self.last(task, state.seq)
        pages = np.empty(0, dtype=np.int64) if loss is None else loss.pages
        return pages[(state.refs[pages] > 0) & ~np.isin(pages, state.tables.get(task, ()))]


@lru_cache(maxsize=4)
def turns_of(history: History) -> Turns:
    """The turns of a run, worked out once."""
    came = sorted((life for life in history.requests.values() if life.admitted), key=lambda life: life.admitted[0].seq)
    place = np.full(len(history.requests), -1, dtype=np.int64)
    place[[life.index for life in came]] = np.arange(len(came))
    losses = [
        Loss(event.seq, event.ns, life.name, stored, history.pages.of(life.name, event.seq))
        for life in history.requests.values()
        for event, stored in zip(life.preempted, life.stored, strict=True)
    ]
    return Turns(place, tuple(sorted(losses, key=lambda loss: loss.seq)), history.requests)
