"""The pool: pages, who holds them, and what is in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scenes import theme
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

KINDS = ("free", "in use", "cached")


@vouches("page.number")
def page_number(witness: Witness, page: int) -> int:
    if not 0 <= page < witness.n_pages:
        raise LookupError(f"there is no page {page}")
    return page


@vouches("page.ref")
def page_ref(witness: Witness, page: int, at: int) -> int:
    return int(witness.state(at).refs[page])


@vouches("pool.pages")
def pool_pages(witness: Witness) -> int:
    return witness.n_pages


@vouches("pool.page_size")
def pool_page_size(witness: Witness) -> int:
    return witness.page_size


def _counted(witness: Witness, kind: str, at: int) -> int:
    return int(np.count_nonzero(witness.state(at).page_states() == KINDS.index(kind)))


@vouches("pool.free")
def pool_free(witness: Witness, at: int) -> int:
    return witness.state(at).mask_bits().count("1")


@vouches("pool.in_use")
def pool_in_use(witness: Witness, at: int) -> int:
    return int(np.count_nonzero(witness.state(at).refs))


@vouches("pool.cached")
def pool_cached(witness: Witness, at: int) -> int:
    return _counted(witness, "cached", at)


@shows("refs")
def refs(witness: Witness, at: int, shown: Mapping) -> dict[int, int]:
    return {page: page_ref(witness, page, at) for page in shown["refs"]}


@shows("owners")
def owners(witness: Witness, at: int, shown: Mapping) -> dict[int, list[str]]:
    return {page: sorted(witness.owners(page, at)) for page in shown["owners"]}


@shows("colors")
def colors(witness: Witness, at: int, shown: Mapping) -> dict[int, str | None]:
    """Outlines: the first submitted owner's colour, grey where cached, None where free."""
    return {page: next(iter(page_colors(witness, page, at)), None) for page in shown["colors"]}


def page_colors(witness: Witness, page: int, at: int) -> tuple[str, ...]:
    """Colours of a page's owners, in order of submission; grey where it is cached."""
    held = tuple(theme.task_color(witness.order[task]) for task in witness.owners(page, at))
    cached = witness.state(at).page_state(page) == "cached"
    return held or ((theme.CACHED,) if cached else ())


@shows("cached")
def cached(witness: Witness, at: int, shown: Mapping) -> dict[int, bool]:
    return {page: witness.state(at).page_state(page) == "cached" for page in shown["cached"]}


@shows("filled")
def filled(witness: Witness, at: int, shown: Mapping) -> dict[int, np.ndarray]:
    return {page: witness.filled(page, at) for page in shown["filled"]}


@shows("mask")
def mask(witness: Witness, at: int, shown: Mapping) -> str:
    return witness.state(at).mask_bits()


@shows("free_count")
def free_count(witness: Witness, at: int, shown: Mapping) -> int:
    return pool_free(witness, at)


@shows("page_states")
@shows("census")
def census(witness: Witness, at: int, shown: Mapping) -> dict[str, int]:
    """Pages in each state; a state that is not written is one of no pages."""
    truth = {kind: _counted(witness, kind, at) for kind in ("in use", "cached", "free")}
    written = shown.get("census", shown.get("page_states"))
    return {kind: count for kind, count in truth.items() if count or kind in written}


@shows("lru")
def lru(witness: Witness, at: int, shown: Mapping) -> list[int]:
    """The order of cached pages, as far as it is shown."""
    order = witness.state(at).lru
    return order[: len(order) - shown["lru_hidden"]]


@shows("shelf")
def shelf(witness: Witness, at: int, shown: Mapping) -> list[tuple[int, str, int, int]]:
    """Cached pages, with task and token positions of the latest key of each."""
    keyed = {}
    for event in witness.events("pages_keyed", before=at + 1):
        first = event.logical * witness.page_size
        keyed[event.page] = (event.page, event.task, first, first + witness.page_size - 1)
    order = witness.state(at).lru
    return [keyed.get(page, (page, "", -1, -1)) for page in order[: len(order) - shown["shelf_hidden"]]]


@shows("keys")
def keys(witness: Witness, at: int, shown: Mapping) -> dict[int, str]:
    """Keys of pages, as far as they are written."""
    keyed = {event.page: event.key for event in witness.events("pages_keyed", before=at + 1)}
    return {page: keyed.get(page, "")[: max(1, len(text))] for page, text in shown["keys"].items()}
