"""Lanes and their clock: when requests got their tokens, and when a prompt was computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.truth.prompts import chunks
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Stamp, Witness

UNITS = {"s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}
CLOSE = 1e-6
"""Share of the axis by which the clock's hand may be off what it shows."""


@vouches("clock.tick")
def tick(witness: Witness, ns: int, unit: str) -> float:
    """A moment in a unit; that its tick stands in its place is the field `clock`."""
    return ns / UNITS[unit]


@vouches("clock.factor")
def factor(witness: Witness, ns: int, seconds: float, slower: bool) -> float:
    """How many times slower, or faster, than recorded a stretch of `ns` runs in so many seconds of film."""
    return round(seconds * 1e9 / ns if slower else ns / (seconds * 1e9), 6)


@shows("clock", fades=True)
def clock(witness: Witness, at: int, shown: Mapping) -> dict[str, Any]:
    """Ticks stand where an even axis has them."""
    start, end = shown["clock"]["axis"]
    return {"axis": (start, end), "ticks": {ns: (ns - start) / (end - start) for ns in shown["clock"]["ticks"]}}


@vouches("lane.tokens")
def lane_tokens(witness: Witness, task: str, after: int, until: int) -> int:
    """Tokens that a request got after one moment of the run's clock and up to another."""
    return sum(after < token.ns <= until for token in witness.lives[task].tokens)


def waits(witness: Witness, tasks: tuple[str, ...], first: int, last: int) -> list[tuple[Stamp, Stamp]]:
    """Two tokens of one of `tasks` that followed one another, the later in a step from `first` to `last`."""
    return [
        (before, after)
        for task in tasks
        for before, after in zip(witness.lives[task].tokens, witness.lives[task].tokens[1:], strict=False)
        if first <= after.step <= last
    ]


@vouches("wait.among")
def wait_among(witness: Witness, tasks: tuple[str, ...], first: int, last: int) -> int:
    return max(after.ns - before.ns for before, after in waits(witness, tasks, first, last))


@vouches("work.took")
def work_took(witness: Witness, task: str, readers: tuple[str, ...], tokens: int) -> int:
    """Nanoseconds from the beginning of a prompt's first step until it has its first token and each of
    the `readers` so many more."""
    begin = began(witness, task)
    ends = [witness.lives[task].tokens[0].ns]
    ends += [[t.ns for t in witness.lives[reader].tokens if t.ns > begin][tokens - 1] for reader in readers]
    return max(ends) - begin


def began(witness: Witness, task: str) -> int:
    """When the step began that computed the first tokens of a prompt."""
    return witness.step(chunks(witness, task)[0].step).begin.ns


def computed(witness: Witness, task: str) -> dict[int, tuple[int, int]]:
    """When the phase began and ended, by step, that computed a stretch of a prompt."""
    found = {}
    for step in {event.step for event in chunks(witness, task)}:
        within = witness.step(step)
        events = witness.events("phase_begin", "phase_end", after=within.begin.seq, before=within.end.seq)
        times = [event.ns for event in events if event.phase == "prefill"]
        found[step] = (times[0], times[-1])
    return found


@shows("lanes", fades=True)
def lanes(witness: Witness, at: int, shown: Mapping) -> dict[str, Any]:
    """All tokens and prompts of each stretch up to where its hand stands, placed by its own ticks."""
    return {name: _lanes(witness, drawn) for name, drawn in shown["lanes"].items()}


def _lanes(witness: Witness, drawn: Mapping) -> dict[Any, Any]:
    low, high = drawn["ticks"]
    zero, (start, end), (since, until) = drawn["zero"], drawn["axis"], drawn["within"]

    def share(ns: float) -> float:
        return (ns - low) / (high - low)

    now = drawn["head"] + CLOSE
    found: dict[Any, Any] = {**drawn, "times": {tick: share(tick) for tick in drawn["times"]}}
    for key in [key for key in drawn if key[0] in ("tokens", "prompt")]:
        del found[key]
    tasks = [key[1] for key in drawn if key[0] == "tokens"]
    if "wait" in drawn:
        pairs = [(share(a.ns - zero), share(b.ns - zero)) for a, b in waits(witness, tuple(tasks), 0, witness.last)]
        begun, over = min(pairs, key=lambda pair: (abs(pair[0] - drawn["wait"][0]), -pair[1]))
        found["wait"] = (begun, min(over, drawn["head"]))
    for task in tasks:
        times = [token.ns - zero for token in witness.lives[task].tokens]
        inside = [share(ns) for ns in times if max(start, since) <= ns <= min(end, until)]
        found["tokens", task] = tuple(at for at in inside if at <= now)
    if task := drawn["of"]:
        found["zero"] = began(witness, task)
        for step, (begin, ended) in computed(witness, task).items():
            if share(begin - zero) < now:
                found["prompt", task, step] = (share(begin - zero), min(share(ended - zero), drawn["head"]))
    return found
