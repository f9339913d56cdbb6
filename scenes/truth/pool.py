"""The pool: pages, who holds them, and what is in them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.vouching import vouch_all, vouches
from scenes.truth.witness import Witness

KINDS = ("free", "in use", "cached")


@vouches("page.number")
def page_number(witness: Witness, page: int) -> int:
    if not 0 <= page < witness.n_pages:
        raise LookupError(f"there is no page {page}")
    return page


@vouches("pool.pages")
def pool_pages(witness: Witness) -> int:
    return witness.n_pages


def _counted(witness: Witness, kind: str, at: int) -> int:
    return int(np.count_nonzero(witness.state(at).page_states() == KINDS.index(kind)))


@vouches("pool.free")
def pool_free(witness: Witness, at: int) -> int:
    return witness.state(at).mask.bit_count()


@vouches("pool.in_use")
def pool_in_use(witness: Witness, at: int) -> int:
    return int(np.count_nonzero(witness.state(at).refs))


@vouches("pool.cached")
def pool_cached(witness: Witness, at: int) -> int:
    return _counted(witness, "cached", at)


@vouches("pool.slots")
def pool_slots(witness: Witness) -> int:
    return witness.n_pages * witness.page_size


@lru_cache(maxsize=4)
def _allocated(trace: Trace) -> dict[int, list[tuple[int, int]]]:
    """Of each page the events that allocated it, and its entry in the table then."""
    found: dict[int, list[tuple[int, int]]] = {}
    for event in trace.find(event="pages_alloc"):
        for page, logical in zip(event.pages, event.entries or (), strict=True):
            found.setdefault(page, []).append((event.seq, logical))
    return found


@vouches("page.text.first")
def text_first(witness: Witness, page: int, at: int) -> int:
    """Position of the first token for which the page was allocated last."""
    return [logical for seq, logical in _allocated(witness.trace)[page] if seq <= at][-1] * witness.page_size


@vouches("page.key")
def page_key(witness: Witness, page: int, digits: int, at: int) -> str:
    """The first digits of the key that it got last."""
    keys = [event.key for event in witness.events("pages_keyed", before=at + 1) if event.pages[-1] == page]
    if not keys:
        raise LookupError(f"page {page} has no key")
    return keys[-1][:digits]


@vouches("state.least_ref")
def least_ref(witness: Witness, state: str) -> int:
    """The lowest refcount of a page in that state."""
    return {"in use": 1, "cached": 0, "free": 0}[state]


vouch_all(
    {
        "page.ref": lambda witness, page, at: int(witness.state(at).refs[page]),
        "pool.page_size": lambda witness: witness.page_size,
        # 1 where the page is free.
        "mask.bit": lambda witness, page, at: witness.state(at).mask >> page & 1,
        "page.filled": lambda witness, page, at: int(witness.state(at).fill()[page]),
        "lru.more": lambda witness, shown, at: len(witness.state(at).lru) - shown,
        "page.text.last": lambda witness, page, at: text_first(witness, page, at) + witness.page_size - 1,
        "state.bit": lambda witness, state: {"in use": 0, "cached": 0, "free": 1}[state],
    }
)
