"""The moments of a run at which a film changes chapter."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Event, Trace


@dataclass(frozen=True)
class Milestones:
    """Sequence numbers of a trace's turning points; None where the run has no such moment.

    `admitted`, `prefill_begin`, `prefill_end`: the first admission and the prefill
    phase that follows it. `second_end`: end of the prefill phase of the first task
    admitted later than that. `finish_begin`, `finish_end`: the cleanup phase in
    which the first finished task gives its pages back. `last`: the last event.
    """

    first_task: str | None
    admitted: int | None
    prefill_begin: int | None
    prefill_end: int | None
    second_task: str | None
    second_begin: int | None
    second_end: int | None
    finished_task: str | None
    finish_begin: int | None
    finish_end: int | None
    last: int

    @classmethod
    def of(cls, trace: Trace) -> Milestones:
        """Find the milestones in one pass over the events."""
        found: dict[str, int | str | None] = dict.fromkeys(
            (
                "first_task",
                "admitted",
                "prefill_begin",
                "prefill_end",
                "second_task",
                "second_begin",
                "second_end",
                "finished_task",
                "finish_begin",
                "finish_end",
            )
        )
        step_begin = phase_begin = -1
        done: set[str] = set()
        last = -1
        for event in trace:
            last = event.seq
            kind = event.event
            if kind == "step_begin":
                step_begin = event.seq
            elif kind == "phase_begin":
                phase_begin = event.seq
            elif kind == "task_finished":
                done.add(event.task)
            _note_admission(found, event, step_begin)
            if event.phase == "prefill" and kind == "phase_begin":
                if found["admitted"] is not None and found["prefill_begin"] is None:
                    found["prefill_begin"] = event.seq
            if event.phase == "prefill" and kind == "phase_end":
                if found["prefill_begin"] is not None and found["prefill_end"] is None:
                    found["prefill_end"] = event.seq
                elif found["second_begin"] is not None and found["second_end"] is None:
                    found["second_end"] = event.seq
            freed = kind == "pages_free" and event.phase == "cleanup"
            if freed and event.task in done:
                if found["finish_begin"] is None:
                    found["finish_begin"] = phase_begin
                    found["finished_task"] = event.task
            if kind == "phase_end" and event.phase == "cleanup":
                if found["finish_begin"] is not None and found["finish_end"] is None:
                    found["finish_end"] = event.seq
        if found["finish_begin"] is not None and found["second_begin"] is not None:
            if found["second_begin"] > found["finish_begin"]:
                found["second_task"] = found["second_begin"] = found["second_end"] = None
        return cls(last=last, **found)


def _note_admission(found: dict, event: Event, step_begin: int) -> None:
    if event.event != "task_admitted":
        return
    if found["admitted"] is None:
        found["admitted"] = event.seq
        found["first_task"] = event.task
    elif found["prefill_end"] is not None and found["second_begin"] is None:
        if event.task != found["first_task"]:
            found["second_begin"] = step_begin
            found["second_task"] = event.task
