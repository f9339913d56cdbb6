"""Bars: as long as what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.truth.vouching import shows, true_value
from scenes.truth.witness import Witness


@shows("bars", fades=True)
def bars(witness: Witness, at: int, shown: Mapping) -> tuple[tuple[Any, float], ...]:
    """Each measure, and its value as a share of the largest."""
    values = [float(true_value(witness, of, at)) for of, _ in shown["bars"]]
    longest = max(values, default=1.0) or 1.0
    return tuple((of, round(value / longest, 2)) for (of, _), value in zip(shown["bars"], values, strict=True))
