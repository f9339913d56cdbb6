"""One code for each page: free, cached, or the colour of its first owner."""

from __future__ import annotations

import numpy as np

from astrai_sim.trace import State
from scenes import theme
from scenes.mobjects.map import CACHED, FIRST_COLOR, FREE

CACHED_STATE = 2


def codes_of(state: State) -> np.ndarray:
    """Codes as `scenes.mobjects.map.PALETTE` is indexed by, int8 [n_pages].

    Task colours repeat in order of submission, so that the code of a page in use is
    that of the first submitted task which holds it.
    """
    owner = state.first_owner()
    codes = np.where(owner >= 0, FIRST_COLOR + owner % len(theme.TASK_COLORS), FREE)
    codes[(owner < 0) & (state.page_states() == CACHED_STATE)] = CACHED
    return codes.astype(np.int8)
