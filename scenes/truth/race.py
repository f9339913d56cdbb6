"""Races: bars as long as the clock has run, and no longer than what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.truth.vouching import shows, true_value
from scenes.truth.witness import Witness


@shows("race", fades=True)
def race(witness: Witness, at: int, shown: Mapping) -> tuple[tuple[Any, float], ...]:
    """Each measure, and its value as a share of the longest, or the clock where that is less."""
    values = [float(true_value(witness, of, at)) for of, _ in shown["race"]]
    longest, clock = max(values) or 1.0, shown["race.clock"]
    return tuple(
        (of, round(min(value / longest, clock), 2)) for (of, _), value in zip(shown["race"], values, strict=True)
    )


@shows("race.clock", fades=True)
def clock(witness: Witness, at: int, shown: Mapping) -> float:
    """The clock may stand anywhere on its way."""
    return min(1.0, max(0.0, shown["race.clock"]))
