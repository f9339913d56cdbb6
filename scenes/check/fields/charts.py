"""The last values of charts' curves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.fields.memory import layout_of
from scenes.check.fields.meters import total
from scenes.check.recorded import Difference, Recorded
from scenes.storyboard.beats.charts import number_text

NAMES = ("charts",)
Measure = Callable[[State, Recorded], float | None]


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
