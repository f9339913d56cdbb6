"""The slabs: every page is a part of K and of V."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@shows("slabs", fades=True)
def slabs(witness: Witness, at: int, shown: Mapping) -> dict[str, list[int]]:
    """Pages of the pool, the same in each tensor, each once."""
    pages = sorted({page for drawn in shown["slabs"].values() for page in drawn if 0 <= page < witness.n_pages})
    return dict.fromkeys(shown["slabs"], pages)


@vouches("slabs.more")
def more(witness: Witness, shown: int) -> int:
    """Pages beside those drawn."""
    return witness.n_pages - shown
