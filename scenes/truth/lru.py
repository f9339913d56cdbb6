"""The row of cached pages, and whose text each of them holds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from astrai_sim.trace import Trace
from scenes.truth.vouching import shows, vouch_all
from scenes.truth.witness import Witness


@shows("lru.row", fades=True)
def row(witness: Witness, at: int, shown: Mapping) -> list[int]:
    """The order of cached pages, as many as are shown."""
    return witness.state(at).lru[: len(shown["lru.row"])]


@lru_cache(maxsize=4)
def _given(trace: Trace) -> dict[int, list[tuple[int, str, int]]]:
    """Of each page the events that allocated it, to whom, and for which entry of the table."""
    found: dict[int, list[tuple[int, str, int]]] = {}
    for event in trace.find(event="pages_alloc"):
        for page, logical in zip(event.pages, event.entries or (), strict=True):
            found.setdefault(page, []).append((event.seq, event.task, logical))
    return found


def holder(witness: Witness, page: int, at: int) -> tuple[str, int]:
    """The request that the page was allocated to last, and the entry of its table."""
    given = [(task, logical) for seq, task, logical in _given(witness.trace).get(page, ()) if seq <= at]
    if not given:
        raise LookupError(f"page {page} was never allocated")
    return given[-1]


vouch_all(
    {
        "page.text.of": lambda witness, page, at: holder(witness, page, at)[0],
        "page.text.place": lambda witness, page, at: holder(witness, page, at)[1],
    }
)
