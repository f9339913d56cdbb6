"""Counting what is checked, and saying what does not hold."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Report:
    """What was checked, counted."""

    events: int = 0
    checks: Counter = field(default_factory=Counter)
    sha256: str = ""


class Lie(Exception):
    """What an event says and what is true."""


class Checks:
    """Compares, counts each comparison under its name, and raises `Lie`."""

    def __init__(self) -> None:
        self.counts: Counter = Counter()

    def same(self, what: str, recorded: Any, expected: Any) -> None:
        """Both must be equal, and of one type where a bool could pass for a number."""
        self.counts[what] += 1
        if recorded != expected or isinstance(recorded, bool) != isinstance(expected, bool):
            raise Lie(f"{what} is recorded as {_short(recorded)}, but it must be {_short(expected)}")

    def true(self, what: str, holds: bool, message: str) -> None:
        """Must hold."""
        self.counts[what] += 1
        if not holds:
            raise Lie(message)

    def number(self, what: str, value: Any, low: int, end: int | None = None) -> int:
        """Must be a whole number from `low` to before `end`."""
        if type(value) is not int or value < low or (end is not None and value >= end):
            limits = f"from {low} on" if end is None else f"from {low} to {end - 1}"
            raise Lie(f"{what} is recorded as {_short(value)}, but it must be a number {limits}")
        return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."
