"""Pages: refcounts, owners, colours and filled slots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("refs", "owners", "colors", "cached", "filled")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Every page that looks different from what was recorded of it."""
    yield from _of_pages("refs", shown, lambda page: state.refs[page])
    yield from _of_pages("owners", shown, lambda page: recorded.owners(state, page))
    yield from _of_pages("colors", shown, lambda page: recorded.color(state, page))
    yield from _of_pages("cached", shown, lambda page: state.page_state(page) == "cached")
    yield from _slots(shown, state, recorded)


def _of_pages(field: str, shown: Mapping, truth) -> Iterator[Difference]:
    for page, value in shown.get(field, {}).items():
        expected = truth(page)
        if value != expected:
            yield Difference(f"{field}[{page}]", value, expected)


def _slots(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    for page, filled in shown.get("filled", {}).items():
        expected = recorded.filled(state, page)
        if not np.array_equal(filled, expected):
            yield Difference(f"filled[{page}]", _runs(filled), _runs(expected))


def _runs(filled: np.ndarray) -> str:
    """Filled slots as ranges, both ends included: `0-55`, `none`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(filled, dtype=int), [0]])))
    ranges = [f"{a}-{b - 1}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return " ".join(ranges) or "none"
