"""Bars as long as what they stand for; in a race, no longer than the clock has run."""

from collections.abc import Mapping, Sequence
from typing import Any

from scenes.truth.vouching import shows, true_value
from scenes.truth.witness import Witness


def _shares(witness: Witness, at: int, drawn: Sequence, most: float) -> tuple[tuple[Any, float], ...]:
    """Each measure, and its value as a share of the largest, or `most` where that is less."""
    values = [float(true_value(witness, of, at)) for of, _ in drawn]
    longest = max(values, default=1.0) or 1.0
    return tuple((of, round(min(value / longest, most), 2)) for (of, _), value in zip(drawn, values, strict=True))


shows("bars", fades=True)(lambda witness, at, shown: _shares(witness, at, shown["bars"], 1.0))
shows("race", fades=True)(lambda witness, at, shown: _shares(witness, at, shown["race"], shown["race.clock"]))


@shows("race.clock", fades=True)
def clock(witness: Witness, at: int, shown: Mapping) -> float:
    """The clock may stand anywhere on its way."""
    return min(1.0, max(0.0, shown["race.clock"]))
