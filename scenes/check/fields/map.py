"""The cells of a map, and the places that a lens points to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes import theme
from scenes.check.recorded import Difference, Recorded

NAMES = ("map", "map_group", "lens_cells")
NAMED = 3


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Cells of another colour than their pages' owners, and marks on wrong cells."""
    group = shown.get("map_group", 1)
    if "map" in shown:
        yield from _cells(shown["map"], expected_colors(state, group), group)
    for page, cell in shown.get("lens_cells", {}).items():
        if cell != page // group:
            yield Difference(f"lens_cells[{page}]", cell, page // group)


def expected_colors(state: State, group: int) -> np.ndarray:
    """What each cell of `group` pages should look like, shape [cells, 3]."""
    hue = np.zeros(state.n_pages, dtype=int)
    hue[state.page_states() == 2] = 1
    for place, task in reversed(list(enumerate(state.tasks))):
        if task in state.tables:
            hue[state.tables[task]] = 2 + place % len(theme.TASK_COLORS)
    palette = np.array([theme.rgb(c) for c in (theme.EMPTY, theme.CACHED, *theme.TASK_COLORS)])
    if group == 1:
        return palette[hue]
    starts = np.arange(0, state.n_pages, group)
    per_hue = np.array([np.add.reduceat(hue == h, starts) for h in range(1, len(palette))])
    taken = per_hue.sum(axis=0)
    sizes = np.diff(np.append(starts, state.n_pages))
    strength = np.where(taken > 0, 0.3 + 0.7 * taken / sizes, 0.0)
    winner = palette[1 + np.argmax(per_hue, axis=0)]
    return palette[0] * (1 - strength)[:, None] + winner * strength[:, None]


def _cells(shown: np.ndarray, truth: np.ndarray, group: int) -> Iterator[Difference]:
    if shown.shape != truth.shape:
        yield Difference("map", f"{len(shown)} cells", f"{len(truth)} cells")
        return
    wrong = np.flatnonzero(np.any(np.abs(shown - truth) > 1e-6, axis=1))
    for cell in wrong[:NAMED]:
        pages = f"{cell * group}" if group == 1 else f"{cell * group}-{(cell + 1) * group - 1}"
        yield Difference(f"map[page {pages}]", _hex(shown[cell]), _hex(truth[cell]))
    if len(wrong) > NAMED:
        yield Difference("map", f"{len(wrong)} cells of another colour", "none")


def _hex(color: np.ndarray) -> str:
    return "#" + bytes(np.rint(color * 255).astype(np.uint8)).hex().upper()
