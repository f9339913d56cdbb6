"""The pool: pages, who holds them, what is in them, the row of cached ones, and the slabs that they are parts of."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

CACHED = 2


@vouches("page.number")
def page_number(witness: Witness, page: int) -> int:
    if not 0 <= page < witness.n_pages:
        raise LookupError(f"there is no page {page}")
    return page


@vouches("page.key")
def page_key(witness: Witness, page: int, digits: int, at: int) -> str:
    """The first digits of the key that it got last."""
    keys = [event.key for event in witness.events("pages_keyed", before=at + 1) if event.pages[-1] == page]
    if not keys:
        raise LookupError(f"page {page} has no key")
    return keys[-1][:digits]


vouches("pool.pages")(lambda witness: witness.n_pages)
vouches("pool.free")(lambda witness, at: witness.state(at).mask.bit_count())
vouches("pool.in_use")(lambda witness, at: int(np.count_nonzero(witness.state(at).refs)))
vouches("pool.cached")(lambda witness, at: int(np.count_nonzero(witness.state(at).page_states() == CACHED)))
vouches("pool.slots")(lambda witness: witness.n_pages * witness.page_size)
vouches("page.ref")(lambda witness, page, at: int(witness.state(at).refs[page]))
vouches("pool.page_size")(lambda witness: witness.page_size)
# 1 where the page is free.
vouches("mask.bit")(lambda witness, page, at: witness.state(at).mask >> page & 1)
vouches("lru.more")(lambda witness, shown, at: len(witness.state(at).lru) - shown)
vouches("state.bit")(lambda witness, state: {"in use": 0, "cached": 0, "free": 1}[state])


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


vouches("page.text.of")(lambda witness, page, at: holder(witness, page, at)[0])
vouches("page.text.place")(lambda witness, page, at: holder(witness, page, at)[1])
# Positions of the first and last tokens for which the page was allocated last.
vouches("page.text.first")(lambda witness, page, at: holder(witness, page, at)[1] * witness.page_size)
vouches("page.text.last")(lambda witness, page, at: (holder(witness, page, at)[1] + 1) * witness.page_size - 1)


@shows("sheet", fades=True)
def sheet(witness: Witness, at: int, shown: Mapping) -> tuple[int, ...]:
    """The pages drawn blank, as far as nobody holds them and nothing in them is valid."""
    return tuple(page for page in shown["sheet"] if witness.state(at).page_state(page) == "free")


@shows("slabs", fades=True)
def slabs(witness: Witness, at: int, shown: Mapping) -> dict[str, list[int]]:
    """Pages of the pool, the same in each tensor, each once."""
    pages = sorted({page for drawn in shown["slabs"].values() for page in drawn if 0 <= page < witness.n_pages})
    return dict.fromkeys(shown["slabs"], pages)


# Pages beside those drawn.
vouches("slabs.more")(lambda witness, shown: witness.n_pages - shown)
