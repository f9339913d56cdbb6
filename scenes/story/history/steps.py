"""Steps and phases: where each begins and ends, and what was done in it."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from astrai_sim.trace import Event
from astrai_sim.trace.events import KvLengths, KvWrite, PhaseBegin, PhaseEnd, StepBegin, StepEnd, TaskPrefilled, Tokens
from astrai_sim.trace.header import PHASES
from scenes.story.history.columns import Columns
from scenes.story.history.works import Kinds


@dataclass
class Work:
    """Work of one kind in a step: after event `begin`, up to `end`; its passes `began` and `ended`, in ns; for whom."""

    begin: int
    end: int
    began: int | None = None
    ended: int = 0
    tasks: dict[str, None] = field(default_factory=dict)


class Steps(Columns):
    """Steps that ended, by index, and their phases in order.

    `begin` [steps, and one more where the last did not end] and `end` [steps] are the events that begin and end each
    step, `ns` what it took. `phases` has a row for each phase: its step, its `kind` (an index into `PHASES`), the
    events that begin and end it, when they were, `ns` that it took (the recorder's own work left out) and how many
    requests it worked on. Where the engine's phases are not the `four`, a row is the work of a kind in a step: from
    before its first event to its last, and its times those of its passes up to the last token. `served` has the
    requests of each row by the event that ends it, where they are recorded.
    """

    def __init__(self, last: int, phases: tuple[str, ...] = PHASES) -> None:
        super().__init__("end", "ns")
        self.last = last
        self.four = phases == PHASES
        self.served: dict[int, list[str]] = {}
        self._works: dict[str, Work] = {}
        self._step = self._before = 0
        self.phases = Columns("step", "kind", "begin", "end", "began", "ended", "ns", "tasks")
        self._begun = Columns("begin")
        self._open = (-1, 0)

    @property
    def begin(self) -> np.ndarray:
        return self._begun.begin

    def on_step_begin(self, event: StepBegin) -> None:
        self.close()
        self._begun.add(event.seq)

    def worked(self, event: Event, kinds: Kinds) -> None:
        """Take in an event, of these kinds of work, of an engine without the four phases."""
        for kind in kinds:
            work = self._works.setdefault(kind, Work(event.seq - 1, event.seq))
            work.end, self._step = event.seq, event.step
            if isinstance(event, KvWrite | KvLengths):
                work.began = self._before if work.began is None else work.began
            elif isinstance(event, Tokens):
                work.tasks |= dict.fromkeys(event.tasks)
            elif (task := getattr(event, "task", None)) is not None:
                work.tasks[task] = None
            if isinstance(event, Tokens | TaskPrefilled):
                work.ended = event.ns
        self._before = event.ns

    def close(self) -> None:
        """What was worked on since the last step began stands in `phases`."""
        for kind, work in sorted(self._works.items(), key=lambda item: item[1].end):
            began = work.ended if work.began is None else work.began
            times = began, max(began, work.ended), max(0, work.ended - began)
            self.phases.add(self._step, PHASES.index(kind), work.begin, work.end, *times, len(work.tasks))
            self.served[work.end] = [*work.tasks]
        self._works = {}

    def on_step_end(self, event: StepEnd) -> None:
        self.add(event.seq, event.duration_ns)

    def on_phase_begin(self, event: PhaseBegin) -> None:
        if not self.four:
            return
        self._open = (event.seq, event.ns)

    def on_phase_end(self, event: PhaseEnd) -> None:
        if not self.four or event.phase is None:
            return
        begin, began = self._open
        kind = PHASES.index(event.phase)
        self.served[event.seq] = event.tasks or []
        self.phases.add(event.step, kind, begin, event.seq, began, event.ns, event.duration_ns, event.n_tasks)

    def seq(self, step: int) -> int:
        """The event that ends a step; -1 before the first."""
        return int(self.end[step]) if step >= 0 else -1

    def before(self, seq: int) -> int:
        """The event before the step that event `seq` is in or after."""
        at = int(np.searchsorted(self.begin, seq, side="right")) - 1
        return int(self.begin[at]) - 1 if at >= 0 else seq - 1

    def done_by(self, seq: int) -> int:
        """The last end of a step up to event `seq`; -1 where there is none."""
        return self.seq(int(np.searchsorted(self.end, seq, side="right")) - 1)

    def done_from(self, seq: int) -> int:
        """The first end of a step from event `seq` on; the last where there is none."""
        return self.seq(min(int(np.searchsorted(self.end, seq)), len(self) - 1))

    def phase_begin(self, seq: int) -> int:
        """The begin of the phase that event `seq` is in; the event before where it is in none."""
        at = int(np.searchsorted(self.phases.end, seq))
        return min(int(self.phases.begin[at]), seq - 1) if at < len(self.phases) else seq - 1

    def phase_end(self, seq: int) -> int:
        """The end of the phase that event `seq` is in, or of the next; `seq` where there is none."""
        at = int(np.searchsorted(self.phases.end, seq))
        return int(self.phases.end[at]) if at < len(self.phases) else seq

    def next_phase(self, phase: str, seq: int, worked: bool = True) -> int:
        """The end of the first `phase` that ends after event `seq`; the last event if there is none.

        With `worked` only phases that worked on a request count.
        """
        found = self.ends(phase, seq, self.last + 1, worked)
        return int(found[0]) if len(found) else self.last

    def ends(self, phase: str, after: int, before: int, worked: bool = True) -> np.ndarray:
        """Ends of the phases `phase` between two events, both left out; `worked` as for `next_phase`."""
        low, high = np.searchsorted(self.phases.end, [after + 1, before])
        kinds = self.phases.kind[low:high] == PHASES.index(phase)
        if worked:
            kinds &= self.phases.tasks[low:high] > 0
        return self.phases.end[low:high][kinds]

    def row(self, phase: str, step: int) -> int | None:
        """Row of `phases` of the phase in a step; None where it has none."""
        return self._rows.get((step, PHASES.index(phase)))

    def apart(self, step: int) -> bool:
        """Whether a step computed no prompt in a pass that gave others their next token."""
        prompts, tokens = self.row("prefill", step), self.row("decode", step)
        if prompts is None or tokens is None:
            return True
        return bool(self.phases.ended[prompts] <= self.phases.began[tokens])

    @cached_property
    def _rows(self) -> dict[tuple[int, int], int]:
        keys = zip(self.phases.step.tolist(), self.phases.kind.tolist(), strict=True)
        return {key: row for row, key in enumerate(keys)}
