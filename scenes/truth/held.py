"""Slots over the run: filled, held in pages, and what each request's longest length would reserve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from scenes.truth.tables import slots_filled_total, slots_reserved_total
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

MOST = 160


@lru_cache(maxsize=4)
def _ends(witness: Witness) -> list[tuple[int, int, int]]:
    """At the end of each step: slots that the longest lengths of who has pages come to, held, filled."""
    found = []
    for step in witness.steps:
        at = step.end.seq
        lives = [witness.lives[task] for task, pages in witness.state(at).tables.items() if pages]
        longest = sum(life.prompt + life.max_tokens for life in lives)
        found.append((longest, slots_reserved_total(witness, at), slots_filled_total(witness, at)))
    return found


@vouches("longest.peak")
def longest_peak(witness: Witness) -> int:
    return max((row[0] for row in _ends(witness)), default=0)


@vouches("held.peak")
def held_peak(witness: Witness) -> int:
    return max((row[1] for row in _ends(witness)), default=0)


@vouches("filled.peak")
def filled_peak(witness: Witness) -> int:
    return max((row[2] for row in _ends(witness)), default=0)


@shows("held", fades=True)
def held(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[float, ...]]:
    """Every column, or of a long run every second or third, as shares of the highest."""
    rows = _ends(witness)
    rows = rows[:: -(-len(rows) // MOST)]
    most = max((max(row) for row in rows), default=0) or 1
    names = ("longest", "held", "filled")
    return {name: tuple(round(row[i] / most, 3) for row in rows) for i, name in enumerate(names)}
