"""Time in the unit that reads best."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit of time: its sign, and how many nanoseconds it has."""

    sign: str
    ns: float

    def text(self, ns: float) -> str:
        """`ns` with three significant digits and the sign."""
        return f"{three_digits(ns / self.ns)} {self.sign}"


UNITS = (Unit("µs", 1e3), Unit("ms", 1e6), Unit("s", 1e9), Unit("min", 60e9), Unit("h", 3600e9))


def unit_for(ns: float) -> Unit:
    """The unit to show times up to `ns` in: the largest that leaves at least 2 of it."""
    return next((unit for unit in reversed(UNITS) if ns >= 2 * unit.ns), UNITS[0])


def short_unit(ns: float) -> Unit:
    """The largest unit up to seconds that leaves at least 1 of it."""
    return next((unit for unit in reversed(UNITS[:3]) if ns >= unit.ns * (1 - 1e-9)), UNITS[0])


def three_digits(value: float) -> str:
    """A number with three significant digits, whole where it is 100 or more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
