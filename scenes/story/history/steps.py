"""Steps and phases: where each begins and ends, and what was done in it."""

from functools import cached_property

import numpy as np

from astrai_sim.trace.events import PhaseBegin, PhaseEnd, StepBegin, StepEnd
from scenes.story.history.columns import Columns

PHASES = ("cleanup", "refill", "prefill", "decode")


class Steps(Columns):
    """Steps that ended, by index, and their phases in order.

    `begin` [steps, and one more where the last did not end] and `end` [steps] are the events that begin and end each
    step, `ns` what it took. `phases` has a row for each phase: its step, its `kind` (an index into `PHASES`), the
    events that begin and end it, when they were, `ns` that it took (the recorder's own work left out) and how many
    requests it worked on.
    """

    def __init__(self, last: int) -> None:
        super().__init__("end", "ns")
        self.last = last
        self.phases = Columns("step", "kind", "begin", "end", "began", "ended", "ns", "tasks")
        self._begun = Columns("begin")
        self._open = (-1, 0)

    @property
    def begin(self) -> np.ndarray:
        return self._begun.begin

    def on_step_begin(self, event: StepBegin) -> None:
        self._begun.add(event.seq)

    def on_step_end(self, event: StepEnd) -> None:
        self.add(event.seq, event.duration_ns)

    def on_phase_begin(self, event: PhaseBegin) -> None:
        self._open = (event.seq, event.ns)

    def on_phase_end(self, event: PhaseEnd) -> None:
        begin, began = self._open
        kind = PHASES.index(event.phase)
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
        """The begin of the phase that event `seq` is in."""
        return int(self.phases.begin[np.searchsorted(self.phases.end, seq)])

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

    @cached_property
    def _rows(self) -> dict[tuple[int, int], int]:
        keys = zip(self.phases.step.tolist(), self.phases.kind.tolist(), strict=True)
        return {key: row for row, key in enumerate(keys)}
