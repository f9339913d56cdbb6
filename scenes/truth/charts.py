"""Charts: what their curves' values and their marks should be."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache, partial
from math import inf
from statistics import median

from astrai_sim.trace import Trace
from scenes.truth import pool
from scenes.truth.tables import slots_filled_total, slots_reserved_total
from scenes.truth.vouching import vouch_all, vouches
from scenes.truth.witness import Witness

Value = Callable[[Witness, int], float | None]


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
    gaps, done = _gaps(witness.trace), witness.state(witness.last_end(at)).step
    place = bisect_right(gaps, (done, inf))
    return gaps[place - 1][1] if place else None


CURVES: dict[str, Value] = {
    "used slots": slots_filled_total,
    "reserved slots": slots_reserved_total,
    "wasted slots": lambda witness, at: slots_reserved_total(witness, at) - slots_filled_total(witness, at),
    "longest gap": longest_gap,
    "running requests": partial(_requests, ("prefilling", "running")),
    "waiting requests": partial(_requests, ("waiting", "preempted")),
    "pages in use": pool.pool_in_use,
    "cached pages": pool.pool_cached,
    "free pages": pool.pool_free,
}
"""What a curve's `measure` means: its value after an event; None before the first."""


@lru_cache(maxsize=8192)
def _value(witness: Witness, curve: str, at: int) -> float | None:
    return CURVES[curve](witness, at)


@lru_cache(maxsize=64)
def _peak(trace: Trace, curve: str, first: int, last: int) -> float:
    witness = Witness.of(trace)
    values = (CURVES[curve](witness, step.end.seq) for step in witness.steps if first <= step.end.seq <= last)
    return max(value for value in values if value is not None)


@vouches("wait.usual")
def wait_usual(witness: Witness, before: int) -> float:
    """Median of the steps before `before` that computed no prompt."""
    busy = {event.step for event in witness.events("chunk", "task_prefilled")}
    return float(median(gap * 1e6 for step, gap in _gaps(witness.trace) if step < before and step not in busy))


vouch_all(
    {
        # A curve's last value: that at the end of the last step, or of those computed beyond.
        "curve.value": lambda witness, curve, at: _value(
            witness, curve, at if at > witness.last else witness.last_end(at)
        ),
        # The largest value at the ends of the steps between two events.
        "curve.peak": lambda witness, curve, first, last: _peak(witness.trace, curve, first, last),
    }
)
