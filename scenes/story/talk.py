"""What happens to a few requests that are followed word by word, found in a trace."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Event, Trace


@dataclass(frozen=True)
class Arrival:
    """A request comes, is admitted, and has its first token after event `end`.

    `admitted` is None and `end` the submission where it never got that far.
    """

    task: str
    submitted: Event
    admitted: Event | None
    end: int

    @property
    def begin(self) -> int:
        return self.submitted.seq


@dataclass(frozen=True)
class Departure:
    """A request has its last token at `finished`; its pages are let go by event `end`.

    `cached` pages are kept for their content, `freed` ones are free, `shared` ones are
    still in other tables.
    """

    task: str
    finished: Event
    end: int
    cached: tuple[int, ...]
    freed: tuple[int, ...]
    shared: tuple[int, ...]

    @property
    def begin(self) -> int:
        return self.finished.seq


Moment = Arrival | Departure


def moments(trace: Trace, tasks: tuple[str, ...]) -> list[Moment]:
    """Arrivals and departures of `tasks`, in the order in which they begin."""
    found: list[Moment] = []
    for task in tasks:
        submitted = next(e for e in trace.find(event="task_submitted") if e.task == task)
        admitted = next((e for e in trace.find(event="task_admitted") if e.task == task), None)
        first = next((e for e in trace.find(event="tokens") if e.task == task), None)
        end = phase_end(trace, first.seq) if first is not None else submitted.seq
        found.append(Arrival(task, submitted, admitted if first is not None else None, end))
        finished = next((e for e in trace.find(event="task_finished") if e.task == task), None)
        if finished is not None:
            found.append(_departure(trace, task, finished))
    return sorted(found, key=lambda moment: (moment.begin, moment.end))


def _departure(trace: Trace, task: str, finished: Event) -> Departure:
    lists: dict[str, list[int]] = {"cached": [], "freed": [], "shared": []}
    end = finished.seq
    for seq in range(finished.seq, len(trace)):
        event = trace[seq]
        if getattr(event, "task", None) != task:
            continue
        if event.event == "pages_cached":
            lists["cached"].append(event.page)
        elif event.event == "pages_free":
            lists["shared" if event.ref else "freed"].append(event.page)
        elif event.event == "table" and not event.pages:
            end = seq
            break
    kinds = {kind: tuple(sorted(pages)) for kind, pages in lists.items()}
    return Departure(task, finished, end, **kinds)


def phase_end(trace: Trace, seq: int) -> int:
    """The end of the phase that event `seq` is in; `seq` itself where there is none."""
    for later in range(seq, len(trace)):
        if trace[later].event == "phase_end":
            return later
    return seq


def groups(found: list[Moment]) -> list[list[Moment]]:
    """Moments in order; those that overlap are in one group."""
    grouped: list[list[Moment]] = []
    reach = -1
    for moment in found:
        if grouped and moment.begin <= reach:
            grouped[-1].append(moment)
        else:
            grouped.append([moment])
        reach = max(reach, moment.end)
    return grouped
