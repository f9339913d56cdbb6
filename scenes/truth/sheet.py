"""The sheet: a page that is drawn blank."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows
from scenes.truth.witness import Witness


@shows("sheet", fades=True)
def sheet(witness: Witness, at: int, shown: Mapping) -> tuple[int, ...]:
    """The pages drawn blank, as far as nobody holds them and nothing in them is valid."""
    state = witness.state(at)
    return tuple(page for page in shown["sheet"] if state.page_state(page) == "free")
