"""The map of a large pool, and the lens over it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scenes import theme
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

DIMMED = 0.3
"""Share of its colour that a page keeps while others are lit."""


@vouches("map.cells")
def map_cells(witness: Witness, pages: int) -> int:
    """A cell stands for so many pages."""
    return 1


@vouches("map.group")
def map_group(witness: Witness, cells: int) -> int:
    """Pages in each of so many cells: the smallest power of two that needs no more."""
    group = 1
    while -(-witness.n_pages // group) > cells:
        group *= 2
    return group


@shows("lens_cells")
def lens_cells(witness: Witness, at: int, shown: Mapping) -> dict[int, int]:
    return {page: page // shown.get("map_group", 1) for page in shown["lens_cells"]}


@shows("map")
def cells(witness: Witness, at: int, shown: Mapping) -> np.ndarray:
    """Colours of the cells of `map_group` pages each, float [cells, 3].

    Each page in use has its first owner's place on the ramp of arrival; while some are lit
    (`map_lit`) theirs have their own colours, all others `DIMMED` of theirs.
    """
    state, group, lit = witness.state(at), shown.get("map_group", 1), shown.get("map_lit", ())
    empty, stops = np.array(theme.rgb(theme.EMPTY)), np.array([theme.rgb(c) for c in theme.ARRIVAL])
    pages = np.repeat(empty[None], state.n_pages, axis=0)
    kinds = state.page_states()
    pages[kinds == 2] = theme.rgb(theme.CACHED)
    tasks = [(witness.order[task], task) for task in reversed(witness.order) if state.tables.get(task)]
    for place, task in tasks:
        share = place / (len(witness.order) - 1) if len(witness.order) > 1 else 0.0
        pages[state.tables[task]] = [np.interp(share, np.linspace(0, 1, len(stops)), stops[:, k]) for k in range(3)]
    bright = np.zeros(state.n_pages, dtype=bool)
    if lit:
        pages = DIMMED * pages + (1 - DIMMED) * empty
    for place, task in tasks:
        if task in lit:
            pages[state.tables[task]] = theme.rgb(theme.task_color(place))
            bright[state.tables[task]] = True
    if group == 1:
        return pages
    mixed = []
    for start in range(0, state.n_pages, group):
        cell = slice(start, start + group)
        taken = kinds[cell] != 0
        seen = bright[cell] if bright[cell].any() else taken
        strength = 0.3 + 0.7 * taken.mean()
        mean = pages[cell][seen].mean(axis=0) if seen.any() else empty
        mixed.append(empty * (1 - strength) + mean * strength)
    return np.array(mixed)
