"""What a map shows of each page: free, cached, or when its first owner arrived."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from astrai_sim.trace import State
from scenes import theme
from scenes.old.mobjects.map import DIMMED, EMPTY, PageColors, ramp

CACHED_STATE = 2


def page_colors(state: State, n_tasks: int, lit: Collection[str] = ()) -> PageColors:
    """Colours of all pages of a run of `n_tasks` requests.

    A page in use has its place on the ramp of arrival: that of the first submitted task
    which holds it. Where tasks are `lit` their pages have the task's own colour and all
    others are dimmed.
    """
    owner = state.first_owner()
    cached = (owner < 0) & (state.page_states() == CACHED_STATE)
    colors = np.tile(EMPTY, (state.n_pages, 1))
    held = owner >= 0
    colors[held] = ramp(owner[held] / max(1, n_tasks - 1))
    colors[cached] = theme.rgb(theme.CACHED)
    bright = np.zeros(state.n_pages, dtype=bool)
    if lit:
        colors = EMPTY + (colors - EMPTY) * DIMMED
        for task in sorted(set(lit) & set(state.tables), key=state.tasks.index, reverse=True):
            colors[state.tables[task]] = theme.rgb(theme.task_color(state.tasks.index(task)))
            bright[state.tables[task]] = True
    return PageColors(colors, held | cached, bright)
