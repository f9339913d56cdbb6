"""Lives of requests: submitted, admitted, computed, preempted, finished, and every token."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from astrai_sim.trace import State
from astrai_sim.trace.events import (
    Chunk,
    KvLengths,
    KvWrite,
    TaskAdmitted,
    TaskFinished,
    TaskPreempted,
    TaskPrefilled,
    TaskSubmitted,
)  # fmt: skip
from astrai_sim.trace.events import Tokens as GotTokens
from scenes.story.history.columns import Columns


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of one request, all int64 [tokens]: when they came, in which step, whether in decode (else prefill)."""

    seq: np.ndarray
    ns: np.ndarray
    step: np.ndarray
    decode: np.ndarray

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(eq=False)
class Request:
    """One request. Events stand as they were recorded, in order.

    `arrived_ns` is when it was due, where the scenario has it by time, else when it was
    submitted. `computed` are its `chunk` and `task_prefilled` events: every stretch of tokens that
    a prefill phase computed, recomputation included. `stored` are the tokens in the cache right
    before each of `preempted`. After each event of `emptied` its table has no page.
    """

    name: str
    index: int
    submitted: TaskSubmitted
    prompt: int
    arrived_ns: int
    _log: "TokenTable" = field(repr=False)
    admitted: list[TaskAdmitted] = field(default_factory=list)
    computed: list[TaskPrefilled] = field(default_factory=list)
    preempted: list[TaskPreempted] = field(default_factory=list)
    stored: list[int] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)
    finished: TaskFinished | None = None

    @property
    def tokens(self) -> Tokens:
        """Its generated tokens."""
        return self._log.of(self.index)

    @property
    def generated(self) -> int:
        """Tokens generated in the whole run."""
        return len(self.tokens)

    @property
    def ttft_ns(self) -> int | None:
        """From arrival to the first token; None where there was none."""
        return int(self.tokens.ns[0]) - self.arrived_ns if self.generated else None

    def admission(self, seq: int) -> TaskAdmitted | None:
        """The first admission from event `seq` on."""
        return next((event for event in self.admitted if event.seq >= seq), None)

    def prefilled(self, seq: int) -> TaskPrefilled | None:
        """The first `task_prefilled` from event `seq` on."""
        return next((event for event in self.computed if event.seq >= seq and not isinstance(event, Chunk)), None)

    def token_after(self, seq: int) -> int | None:
        """The event that gave its first token after event `seq`."""
        later = self.tokens.seq[self.tokens.seq > seq]
        return int(later[0]) if len(later) else None

    def wait(self, since: int, until: int, now: int) -> int:
        """Nanoseconds from its last token before event `since`, or its arrival, to its next one, or,
        where event `until` comes before that, to `now`, the time of that."""
        seq, ns = self.tokens.seq, self.tokens.ns
        before, after = ns[seq < since], ns[(seq > since) & (seq <= until)]
        return max(0, int(after[0] if len(after) else now) - int(before[-1] if len(before) else self.arrived_ns))

    def empty_after(self, seq: int) -> int | None:
        """The event from `seq` on after which it holds no page."""
        return next((gone for gone in self.emptied if gone >= seq), None)


class TokenTable(Columns):
    """Every generated token: when, in which step, whose (by index), whether in decode (else prefill)."""

    def __init__(self) -> None:
        super().__init__("seq", "ns", "step", "task", "decode")
        self._events = Columns("seq", "ns", "step", "decode", "tokens")
        self._tasks = array("q")
        self._order: tuple[np.ndarray, np.ndarray] | None = None
        self._views: dict[int, Tokens] = {}

    def got(self, event: GotTokens, tasks: Iterable[int]) -> None:
        """These requests got a token each."""
        before = len(self._tasks)
        self._tasks.extend(tasks)
        times = event.seq, event.ns, event.step, event.source == "decode"
        self._events.add(*times, len(self._tasks) - before)
        self._read, self._order = {}, None

    def __len__(self) -> int:
        return len(self._tasks)

    def _array(self, name: str) -> np.ndarray:
        if name == "task":
            return np.array(self._tasks, np.int64)
        return np.repeat(getattr(self._events, name), self._events.tokens)

    def of(self, task: int) -> Tokens:
        """The rows of one request."""
        order, starts = self._by_task()
        if task not in self._views:
            rows = order[starts[task] : starts[task + 1]] if task + 1 < len(starts) else order[:0]
            self._views[task] = Tokens(self.seq[rows], self.ns[rows], self.step[rows], self.decode[rows])
        return self._views[task]

    def first_ns(self, requests: int) -> np.ndarray:
        """When each of so many requests got its first token, int64 [requests]; -1 where it got none."""
        order, starts = self._by_task()
        found, got = np.full(requests, -1), np.flatnonzero(np.diff(starts))
        found[got] = self.ns[order[starts[got]]]
        return found

    def _by_task(self) -> tuple[np.ndarray, np.ndarray]:
        """All rows, those of a request together, and where those of each begin."""
        if self._order is None:
            order = np.argsort(self.task, kind="stable")
            starts = np.searchsorted(self.task[order], np.arange(int(self.task.max(initial=-1)) + 2))
            self._order, self._views = (order, starts), {}
        return self._order


class Requests(dict[str, Request]):
    """The requests by name, in order of submission.

    `computed` counts the tokens whose K and V were written, each time, `recomputed` those of them that had been
    in the cache before their request was preempted; `again` has the latter after every event that changed it. `state`
    is that after the event that is taken in.
    """

    state: State

    def __init__(self) -> None:
        super().__init__()
        self.log = TokenTable()
        self.names: list[str] = []
        self.index: dict[str, int] = {}
        self.computed = self.recomputed = 0
        self.again = Columns("seq", "tokens")
        self._behind: dict[str, int] = {}

    def waits(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the requests that got a token, in order of submission: when they came, and ns from then to it, int64."""
        first = self.log.first_ns(len(self))
        came = np.array([life.arrived_ns for life in self.values()], np.int64)
        return came[first >= 0], (first - came)[first >= 0]

    def on_task_submitted(self, event: TaskSubmitted) -> None:
        arrival = event.arrival_s
        arrived = event.ns if arrival is None else round(arrival * 1e9)
        self[event.task] = Request(event.task, len(self.names), event, event.prompt_len, arrived, _log=self.log)
        self.index[event.task] = len(self.names)
        self.names.append(event.task)

    def on_task_admitted(self, event: TaskAdmitted) -> None:
        self[event.task].admitted.append(event)

    def on_task_preempted(self, event: TaskPreempted) -> None:
        self[event.task].preempted.append(event)
        stored = self.state.task(event.task).stored
        self[event.task].stored.append(stored)
        self._behind[event.task] = max(stored, self._behind.get(event.task, 0))

    def on_task_finished(self, event: TaskFinished) -> None:
        self[event.task].finished = event

    def on_chunk(self, event: TaskPrefilled) -> None:
        self[event.task].computed.append(event)

    on_task_prefilled = on_chunk

    def on_tokens(self, event: GotTokens) -> None:
        self.log.got(event, map(self.index.__getitem__, event.tasks))

    def on_kv_write(self, event: KvWrite) -> None:
        for span in event.spans:
            self.computed += span.count
            if span.task in self._behind:
                self._catches_up(event.seq, span.task, span.start, span.count)

    def on_kv_lengths(self, event: KvLengths) -> None:
        self.computed += sum(event.counts)
        if not self._behind.keys().isdisjoint(event.tasks):
            for task, count in zip(event.tasks, event.counts, strict=True):
                if task in self._behind:
                    self._catches_up(event.seq, task, self.state.task(task).stored - count, count)

    def _catches_up(self, seq: int, task: str, start: int, count: int) -> None:
        """Tokens `start` to before `start` + `count` were computed of a task that had more in the cache before."""
        again = min(self._behind[task], start + count) - start
        if again > 0:
            self.recomputed += again
            self.again.add(seq, self.recomputed)
        if start + count >= self._behind[task]:
            del self._behind[task]
