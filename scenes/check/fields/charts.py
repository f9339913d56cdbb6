"""The last values of charts' curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache

from astrai_sim.trace import State, Trace
from scenes.check.fields.memory import layout_of
from scenes.check.fields.meters import total
from scenes.check.recorded import Difference, Recorded
from scenes.story.beats.charts import number_text

NAMES = ("charts", "peaks")
Measure = Callable[[State, Recorded], float | None]


@lru_cache(maxsize=4)
def _gaps(trace: Trace) -> dict[int, float]:
    """Milliseconds between a token and the one before it of the same request, by step: the
    longest of those that came in the step.
    """
    latest: dict[str, int] = {}
    longest: dict[int, float] = {}
    for event in trace.find(event="tokens"):
        for task in event.tasks:
            if task in latest:
                gap = (event.ns - latest[task]) / 1e6
                longest[event.step] = max(gap, longest.get(event.step, 0.0))
            latest[task] = event.ns
    return longest


def longest_gap(recorded: Recorded) -> float | None:
    """Of the last step up to `until` in which a request got a token that was not its first."""
    done = -1
    for event in recorded.trace.find(event="step_end", before=recorded.until + 1):
        done = event.step
    return next((gap for step, gap in reversed(_gaps(recorded.trace).items()) if step <= done), None)


def _count(*statuses: str) -> Measure:
    def measure(state: State, recorded: Recorded) -> int:
        return sum(task.status in statuses for task in state.tasks.values())

    return measure


def _pages(kind: str) -> Measure:
    def measure(state: State, recorded: Recorded) -> int:
        return sum(state.page_state(page) == kind for page in range(state.n_pages))

    return measure


MEASURES: dict[str, Measure] = {
    "used slots": lambda state, recorded: total(state)[0],
    "reserved slots": lambda state, recorded: total(state)[1],
    "wasted slots": lambda state, recorded: total(state)[1] - total(state)[0],
    "contiguous used slots": lambda state, recorded: layout_of(state, recorded).used,
    "contiguous reserved slots": lambda state, recorded: layout_of(state, recorded).reserved,
    "contiguous wasted slots": lambda state, recorded: (
        layout_of(state, recorded).reserved - layout_of(state, recorded).used
    ),
    "longest gap": lambda state, recorded: longest_gap(recorded),
    "running requests": _count("prefilling", "running"),
    "waiting requests": _count("waiting", "preempted"),
    "pages in use": _pages("in use"),
    "cached pages": _pages("cached"),
    "free pages": _pages("free"),
}
"""What a curve's `measure` means, from the state and the trace; None before its first value."""


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong last values, and curves of which nobody knows what they measure."""
    for chart, values in shown.get("charts", {}).items():
        for name, text in values.items():
            if name not in MEASURES:
                yield Difference(f"charts[{chart}]", name, "no such measure in MEASURES")
                continue
            value = MEASURES[name](state, recorded)
            truth = "" if value is None else number_text(value)
            if text != truth:
                yield Difference(f"charts[{chart}] {name}", text, truth)
    for chart, peaks in shown.get("peaks", {}).items():
        for measure, first, last, unit, text in peaks:
            truth = _peak(recorded, measure, first, last, unit)
            if text != truth or last > recorded.until + recorded.beyond:
                yield Difference(f"peaks[{chart}] {measure}", text, truth)


@lru_cache(maxsize=64)
def _peak_value(trace: Trace, measure: str, first: int, last: int) -> float:
    """The largest value at the ends of the steps between two events."""
    recorded = Recorded.of(trace)
    ends = [e.seq for e in trace.find(event="step_end", after=first - 1, before=last + 1)]
    values = (MEASURES[measure](trace.state_at(seq), recorded.at(seq)) for seq in ends)
    return max(value for value in values if value is not None)


def _peak(recorded: Recorded, measure: str, first: int, last: int, unit: str) -> str:
    value = number_text(_peak_value(recorded.trace, measure, first, last))
    return f"{value} {unit}" if unit else value
