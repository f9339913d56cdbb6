"""Comparing what is recorded with what must be, at three levels, and saying what does not hold.

`format`: the file is whole, every line is an event or header that may stand there, and they agree
with each other. `paging`: what every correct engine keeps. `policy`: what an engine promises
beyond that, rule by rule (`verify.policy`).
"""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

LEVELS = ("format", "paging", "policy")


@dataclass
class VerifyReport:
    """Comparisons at each level by name; what was `trusted`, in words; `rules` that held, `unclaimed` unchecked;
    what the trace `knows`, None for everything."""

    events: int = 0
    levels: dict[str, Counter[str]] = field(default_factory=dict)
    sha256: str = ""
    rules: tuple[str, ...] = ()
    unclaimed: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    knows: list[str] | None = None

    @property
    def checks(self) -> Counter[str]:
        """Comparisons of all levels by name."""
        return sum(self.levels.values(), Counter())


class Lie(Exception):
    """What an event says and what is true; `level` is where that shows, `rule` which promise is broken."""

    def __init__(self, message: str, level: str = "format", rule: str | None = None) -> None:
        super().__init__(message)
        self.level, self.rule = level, rule


class Level:
    """Compares, counts each comparison under its name, and raises `Lie`; passes over a rule that is not `claimed`."""

    def __init__(self, name: str, counts: dict[str, int], rule: str | None = None, claimed: bool = True) -> None:
        self.name, self.counts, self.rule, self.claimed = name, counts, rule, claimed

    def same(self, what: str, recorded: Any, expected: Any) -> None:
        """Both must be equal, and of one type where a bool could pass for a number."""
        if not self.claimed:
            return
        self.counts[what] += 1
        if recorded is expected:
            return
        if recorded != expected or (type(recorded) is bool) != (type(expected) is bool):
            raise self.lie(f"{what} is recorded as {short(repr(recorded))}, but it must be {short(repr(expected))}")

    def true(self, what: str, holds: bool, message: str) -> None:
        """Must hold."""
        if not self.claimed:
            return
        self.counts[what] += 1
        if not holds:
            raise self.lie(message)

    def held(self, what: str, times: int) -> None:
        """So many comparisons held that were made in place, where there are too many for a call each."""
        if self.claimed and times:
            self.counts[what] += times

    def number(self, what: str, value: Any, low: int, end: int | None = None) -> int:
        """Must be a whole number from `low` to before `end`."""
        if type(value) is not int or value < low or (end is not None and value >= end):
            limits = f"from {low} on" if end is None else f"from {low} to {end - 1}"
            raise self.lie(f"{what} is recorded as {short(repr(value))}, but it must be a number {limits}")
        return value

    def lie(self, message: str) -> Lie:
        """What is raised where something does not hold."""
        return Lie(message, self.name, self.rule)


class Checks:
    """The three levels; `policy` has one for each of `rules`, silent where it is not `claimed`.

    `levels` has how often what was compared; adding to a Counter would take twice as long.
    """

    def __init__(self, rules: Collection[str], claimed: Collection[str]) -> None:
        self.levels: dict[str, dict[str, int]] = {level: defaultdict(int) for level in LEVELS}
        self.format, self.paging = (Level(level, self.levels[level]) for level in LEVELS[:2])
        self.policy = {name: Level("policy", self.levels["policy"], name, name in claimed) for name in rules}


def short(text: str, most: int = 200) -> str:
    """`text`, or the beginning of it where it has more than `most` characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
