"""Charts and lanes: what their curves' values and their marks should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

from astrai_sim.trace import Trace
from scenes.truth import pool
from scenes.truth.contiguous import plan, step_of
from scenes.truth.tables import slots_filled_total, slots_reserved_total
from scenes.truth.vouching import shows
from scenes.truth.witness import Witness
from scenes.truth.writing import WRITING

Value = Callable[[Witness, int], float | None]


def _contiguous(part: str, witness: Witness, at: int) -> int:
    step = step_of(witness, at)
    stays = plan(witness.trace).held(step)
    reserved, used = sum(stay.size for stay in stays), sum(stay.used(step) for stay in stays)
    return {"used": used, "reserved": reserved, "wasted": reserved - used}[part]


def _requests(statuses: tuple[str, ...], witness: Witness, at: int) -> int:
    return sum(task.status in statuses for task in witness.state(at).tasks.values())


@lru_cache(maxsize=4)
def _gaps(trace: Trace) -> list[tuple[int, float]]:
    """(step, longest gap in milliseconds) of the steps in which a request got a token that was not
    its first."""
    longest: dict[int, float] = {}
    for life in Witness.of(trace).lives.values():
        for before, after in zip(life.tokens, life.tokens[1:], strict=False):
            longest[after.step] = max(longest.get(after.step, 0.0), (after.ns - before.ns) / 1e6)
    return sorted(longest.items())


def longest_gap(witness: Witness, at: int) -> float | None:
    """Of the last such step that is over."""
    done = max((step.index for step in witness.steps if step.end.seq <= at), default=-1)
    return next((gap for step, gap in reversed(_gaps(witness.trace)) if step <= done), None)


CURVES: dict[str, Value] = {
    "used slots": slots_filled_total,
    "reserved slots": slots_reserved_total,
    "wasted slots": lambda witness, at: slots_reserved_total(witness, at) - slots_filled_total(witness, at),
    **{f"contiguous {part} slots": partial(_contiguous, part) for part in ("used", "reserved", "wasted")},
    "longest gap": longest_gap,
    "running requests": partial(_requests, ("prefilling", "running")),
    "waiting requests": partial(_requests, ("waiting", "preempted")),
    "pages in use": pool.pool_in_use,
    "cached pages": pool.pool_cached,
    "free pages": pool.pool_free,
}
"""What a curve's `measure` means: its value after an event; None before the first."""


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return WRITING["count"](round(value)) if isinstance(value, int) or abs(value) >= 1000 else f"{value:.3g}"


@shows("charts")
def charts(witness: Witness, at: int, shown: Mapping) -> dict[str, dict[str, str]]:
    """The last value of every curve."""
    return {
        chart: {name: _number(CURVES[name](witness, at)) if name in CURVES else "no such curve" for name in values}
        for chart, values in shown["charts"].items()
    }


@lru_cache(maxsize=64)
def _peak(witness: Witness, name: str, first: int, last: int) -> float:
    values = (CURVES[name](witness, step.end.seq) for step in witness.steps if first <= step.end.seq <= last)
    return max(value for value in values if value is not None)


@shows("peaks")
def peaks(witness: Witness, at: int, shown: Mapping) -> dict[str, list[tuple]]:
    """The largest value at the ends of the steps between two events that are past."""
    return {
        chart: [
            (name, first, last, unit, f"{_number(_peak(witness, name, first, last))} {unit}".rstrip())
            for name, first, last, unit, _ in marks
            if last <= at
        ]
        for chart, marks in shown["peaks"].items()
    }


@lru_cache(maxsize=4)
def _prompts(trace: Trace) -> list[tuple[int, str, int]]:
    """(end of the phase, task, tokens) of everything that prefill phases computed."""
    found: list[tuple[int, str, int]] = []
    pending: list[tuple[str, int]] = []
    for event in Witness.of(trace).events("chunk", "task_prefilled", "phase_end"):
        if event.event != "phase_end":
            pending.append((event.task, event.end - event.start))
        elif event.phase == "prefill":
            found += [(event.seq, task, count) for task, count in pending]
            pending = []
    return found


@shows("lanes")
def lanes(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[list[float], int]]:
    """Seconds at which each request got its tokens, and tokens of its prompt that prefill phases
    which are over have computed."""
    return {
        task: (
            [token.ns / 1e9 for token in witness.lives[task].tokens if token.seq <= at],
            sum(count for end, name, count in _prompts(witness.trace) if name == task and end <= at),
        )
        for task in shown["lanes"]
    }
