"""Lanes and their clock: when requests got their tokens, when prompts were computed, and times without a token."""

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from statistics import median
from typing import Any

from astrai_sim.trace import Event, Trace
from scenes.truth.steps import phase_ns
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

UNITS = {"s": 10**9, "ms": 10**6, "µs": 10**3, "ns": 1}
CLOSE = 1e-6
"""Share of the axis by which the clock's hand may be off what it shows."""


@shows("clock", fades=True)
def clock(witness: Witness, at: int, shown: Mapping) -> dict[str, Any]:
    """Ticks stand where an even axis has them."""
    start, end = shown["clock"]["axis"]
    return {"axis": (start, end), "ticks": {ns: (ns - start) / (end - start) for ns in shown["clock"]["ticks"]}}


def waits(witness: Witness, tasks: tuple[str, ...], first: int, last: int) -> list[tuple[Event, Event]]:
    """Two tokens of one of `tasks` that followed one another, the later in a step from `first` to `last`."""
    return [
        (before, after)
        for task in tasks
        for before, after in pairwise(witness.lives[task].tokens)
        if first <= after.step <= last
    ]


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
    times = {event.step: phase_ns(witness, "prefill", event.step) for event in chunks(witness, task)}
    return {step: (ns[0], ns[-1]) for step, ns in times.items()}


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
        pairs = [
            (share(max(a.ns - zero, start)), share(b.ns - zero))
            for a, b in waits(witness, tuple(tasks), 0, witness.last)
        ]
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


# A moment in a unit; that its tick stands in its place is the field `clock`.
vouches("clock.tick")(lambda witness, ns, unit: ns / UNITS[unit])
# How many times slower, or faster, than recorded a stretch of `ns` runs in so many seconds of film.
vouches("clock.factor")(
    lambda witness, ns, seconds, slower: round(seconds * 1e9 / ns if slower else ns / (seconds * 1e9), 6)
)
# Tokens that a request got after one moment of the run's clock and up to another.
vouches("lane.tokens")(
    lambda witness, task, after, until: sum(after < token.ns <= until for token in witness.lives[task].tokens)
)
vouches("wait.among")(lambda witness, **among: max(b.ns - a.ns for a, b in waits(witness, **among)))


def chunks(witness: Witness, task: str) -> list[Event]:
    """The stretches of a prompt that were computed before the request's first token."""
    first = witness.lives[task].tokens[0].step
    kinds = ("chunk", "task_prefilled")
    found = [event for kind in kinds for event in witness.trace.find(event=kind, task=task)]
    return sorted((event for event in found if event.step <= first), key=lambda event: event.seq)


vouches("prompt.computed")(lambda witness, task: chunks(witness, task)[-1].end - chunks(witness, task)[0].start)
vouches("prompt.passes")(lambda witness, task: len(chunks(witness, task)))
vouches("prompt.chunk")(
    lambda witness, task, step: sum(e.end - e.start for e in chunks(witness, task) if e.step == step)
)


@vouches("wait.since")
def wait_since(witness: Witness, task: str, since: int, at: int) -> int:
    """Nanoseconds from the last token before event `since`, or from arrival, to the next token or to now."""
    began, now = witness.lives[task].arrived, int(min(at, witness.last))
    ended = witness.trace[now].ns if now >= 0 else 0
    for token in witness.lives[task].tokens:
        if token.seq < since:
            began = token.ns
        elif token.seq <= at:
            ended = token.ns
            break
    return max(0, ended - began)


@vouches("wait.computing")
def wait_computing(witness: Witness, task: str, since: int) -> int:
    """What a wait took after its request's last admission, of whole milliseconds, so that what is written adds up."""
    token = min(token.seq for token in witness.lives[task].tokens if token.seq > since)
    back = max(admitted.seq for admitted in witness.lives[task].admitted if admitted.seq < token)
    whole, outside = (wait_since(witness, task, since, at) for at in (witness.last, back))
    return (round(whole / 10**6) - round(outside / 10**6)) * 10**6


@vouches("wait.usual")
def wait_usual(witness: Witness, before: int) -> float:
    """Median, over steps before `before` that computed no prompt and gave a request a token that was
    not its first, of the longest time between two tokens that ended in them."""
    busy = {event.step for event in witness.events("chunk", "task_prefilled")}
    return float(median(gap for step, gap in _gaps(witness.trace) if step < before and step not in busy))


@lru_cache(maxsize=4)
def _gaps(trace: Trace) -> list[tuple[int, int]]:
    """(step, longest gap in nanoseconds) of the steps in which a request got a token that was not its first."""
    longest: dict[int, int] = {}
    for life in Witness.of(trace).lives.values():
        for before, after in pairwise(life.tokens):
            longest[after.step] = max(longest.get(after.step, 0), after.ns - before.ns)
    return sorted(longest.items())
