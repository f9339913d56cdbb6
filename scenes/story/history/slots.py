"""Who computed which slots when: every stretch of tokens whose K and V were written."""

from collections.abc import Iterable, Sequence

import numpy as np

from astrai_sim.trace.events import KvLengths, KvWrite, TaskAdmitted, TaskPreempted
from scenes.story.history.columns import Columns
from scenes.story.history.requests import Requests


class Slots:
    """`written` has a row for each stretch: event, step, request (by index), first position, tokens.

    `prefill` says whether a prefill phase computed it; `again` how many of its tokens had been
    in the cache before the request was preempted.
    """

    def __init__(self, requests: Requests) -> None:
        self.requests = requests
        self.written = Columns("seq", "step", "task", "start", "count", "prefill", "again")
        self._stored: dict[str, int] = {}
        self._most: dict[str, int] = {}

    def on_task_admitted(self, event: TaskAdmitted) -> None:
        self._stored[event.task] = event.cached_tokens

    def on_task_preempted(self, event: TaskPreempted) -> None:
        held = self._stored.pop(event.task, 0)
        self.requests[event.task].stored.append(held)
        self._most[event.task] = max(self._most.get(event.task, 0), held)

    def on_kv_write(self, event: KvWrite) -> None:
        self._write(event, ((span.task, span.start, span.count) for span in event.spans))

    def on_kv_lengths(self, event: KvLengths) -> None:
        starts = [self._stored.get(task, 0) for task in event.tasks]
        self._write(event, zip(event.tasks, starts, event.counts, strict=True))

    def _write(self, event: KvWrite | KvLengths, spans: Iterable[tuple[str, int, int]]) -> None:
        seq, step, prefill = event.seq, event.step, event.phase == "prefill"
        rows: list[int] = []
        for task, start, count in spans:
            end, most = start + count, self._most.get(task, 0)
            again = min(most, end) - start if most > start else 0
            rows += (seq, step, self.requests.index[task], start, count, prefill, again)
            if end > self._stored.get(task, 0):
                self._stored[task] = end
        self.written.extend(rows)

    def between(self, after: int, before: int, tasks: Sequence[str] | None = None) -> np.ndarray:
        """Rows of `written` between two events, both left out; of `tasks` where given."""
        rows = np.arange(*np.searchsorted(self.written.seq, [after + 1, before]))
        if tasks is None:
            return rows
        return rows[np.isin(self.written.task[rows], [self.requests[task].index for task in tasks])]
