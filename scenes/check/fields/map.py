"""The cells of a map, and the places that a lens points to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes import theme
from scenes.check.recorded import Difference, Recorded

NAMES = ("map", "map_group", "map_lit", "lens_cells")
NAMED = 3


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Cells of another colour than their pages' owners, and marks on wrong cells."""
    group = shown.get("map_group", 1)
    if "map" in shown:
        truth = expected_colors(state, group, len(recorded.tasks), shown.get("map_lit", ()))
        yield from _cells(shown["map"], truth, group)
    for page, cell in shown.get("lens_cells", {}).items():
        if cell != page // group:
            yield Difference(f"lens_cells[{page}]", cell, page // group)


def expected_colors(state: State, group: int, n_tasks: int, lit: Collection[str] = ()) -> np.ndarray:
    """What each cell of `group` pages should look like, shape [cells, 3].

    Of `n_tasks` requests, each page in use has its first one's place on the ramp of
    arrival; while some are `lit` their pages have their own colours, others three
    tenths of theirs.
    """
    empty, stops = np.array(theme.rgb(theme.EMPTY)), np.array([theme.rgb(c) for c in theme.ARRIVAL])
    pages = np.repeat(empty[None], state.n_pages, axis=0)
    kinds = state.page_states()
    pages[kinds == 2] = theme.rgb(theme.CACHED)
    tasks = [(place, task) for place, task in enumerate(state.tasks) if state.tables.get(task)]
    for place, task in reversed(tasks):
        at = place / (n_tasks - 1) if n_tasks > 1 else 0.0
        pages[state.tables[task]] = [np.interp(at, np.linspace(0, 1, len(stops)), stops[:, k]) for k in range(3)]
    bright = np.zeros(state.n_pages, dtype=bool)
    if lit:
        pages = 0.3 * pages + 0.7 * empty
    for place, task in reversed(tasks):
        if task in lit:
            pages[state.tables[task]] = theme.rgb(theme.task_color(place))
            bright[state.tables[task]] = True
    if group == 1:
        return pages
    cells = []
    for start in range(0, state.n_pages, group):
        cell = slice(start, start + group)
        taken = kinds[cell] != 0
        seen = bright[cell] if bright[cell].any() else taken
        strength = 0.3 + 0.7 * taken.mean()
        mean = pages[cell][seen].mean(axis=0) if seen.any() else empty
        cells.append(empty * (1 - strength) + mean * strength)
    return np.array(cells)


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
