"""A whole run in arrays: what happened in each step, and to each request."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from astrai_sim.trace import events as ev
from astrai_sim.trace.reader import Trace
from astrai_sim.trace.state import State


@dataclass(frozen=True, eq=False)
class Series:
    """One entry per finished step, all int64 [n_steps], as of the step's end.

    `seq` is that of the step's end; `start_ns`, `end_ns` and `duration_ns` are the
    engine's time (or the cost model's, see the header). `kv_slots` are the slots of
    pages in use that hold K and V, a shared one once; `reserved_slots` are all slots
    of pages in use; finished requests count until the next cleanup takes their pages.
    `generated`, `prompt_tokens`, `preemptions` and `evictions` count what happened
    within the step, `prompt_tokens` being those computed by prefill, recomputation
    included.
    """

    step: np.ndarray
    seq: np.ndarray
    start_ns: np.ndarray
    end_ns: np.ndarray
    duration_ns: np.ndarray
    waiting: np.ndarray
    running: np.ndarray
    in_use: np.ndarray
    cached: np.ndarray
    free: np.ndarray
    kv_slots: np.ndarray
    reserved_slots: np.ndarray
    generated: np.ndarray
    prompt_tokens: np.ndarray
    preemptions: np.ndarray
    evictions: np.ndarray

    @classmethod
    def of(cls, trace: Trace, events: Iterable[ev.Event] | None = None) -> Series:
        """From a trace, in one pass over its events: `events`, where somebody looks at them on the way."""
        watch = _Steps(trace)
        for event in trace if events is None else events:
            watch.see(event)
        names = [item.name for item in fields(cls)]
        table = np.array(watch.rows, dtype=np.int64).reshape(-1, len(names))
        return cls(**dict(zip(names, table.T, strict=True)))

    def __len__(self) -> int:
        return len(self.step)


class _Steps:
    """Counts within a step, and a row at its end."""

    def __init__(self, trace: Trace) -> None:
        cache = trace.header.scenario.cache
        self.state = State.initial(cache.n_pages, cache.page_size)
        self.rows: list[list[int]] = []
        self._begin(0)

    def _begin(self, ns: int) -> None:
        self.start = ns
        self.generated = self.prompt = self.preempted = self.evicted = 0

    def see(self, event: ev.Event) -> None:
        """Take in the next event."""
        self.state.apply(event)
        handler = getattr(self, f"_on_{event.event}", None)
        if handler is not None:
            handler(event)

    def _on_step_begin(self, event: ev.StepBegin) -> None:
        self._begin(event.ns)

    def _on_tokens(self, event: ev.Tokens) -> None:
        self.generated += len(event.tasks)

    def _on_kv_write(self, event: ev.KvWrite) -> None:
        if event.phase == "prefill":
            self.prompt += sum(span.count for span in event.spans)

    def _on_kv_lengths(self, event: ev.KvLengths) -> None:
        if event.phase == "prefill":
            self.prompt += sum(event.counts)

    def _on_task_preempted(self, event: ev.TaskPreempted) -> None:
        self.preempted += 1

    def _on_pages_evicted(self, event: ev.PagesEvicted) -> None:
        self.evicted += len(event.pages)

    def _on_step_end(self, event: ev.StepEnd) -> None:
        state, in_use, cached = self.state, self.state.n_in_use, self.state.n_cached
        times = (event.step, event.seq, self.start, event.ns, event.duration_ns, event.waiting, event.running)
        pages = (in_use, cached, state.n_pages - in_use - cached, state.kv_slots, in_use * state.page_size)
        self.rows.append([*times, *pages, self.generated, self.prompt, self.preempted, self.evicted])


@dataclass(frozen=True, eq=False)
class RequestTimes:
    """One entry per request, in order of submission; int64 [n_requests] but `names` and `gaps`.

    Times are engine nanoseconds and steps are indices, both -1 for what has not happened. `arrived_ns` is when the
    request was due, where the scenario has it by time, else when it was submitted. `admitted_*` is the first admission,
    `cached` the tokens that it found in the cache. `gaps[i]` holds the nanoseconds between one token of request i and
    the next.
    """

    names: list[str]
    arrived_ns: np.ndarray
    submitted_ns: np.ndarray
    submitted_step: np.ndarray
    admitted_ns: np.ndarray
    admitted_step: np.ndarray
    first_token_ns: np.ndarray
    first_token_step: np.ndarray
    finished_ns: np.ndarray
    finished_step: np.ndarray
    prompt_len: np.ndarray
    cached: np.ndarray
    generated: np.ndarray
    preemptions: np.ndarray
    gaps: list[np.ndarray]

    @classmethod
    def of(cls, trace: Trace) -> RequestTimes:
        """From a trace, in one pass."""
        lives: dict[str, _Life] = {}
        for event in trace:
            if isinstance(event, ev.Tokens):
                for task in event.tasks:
                    lives[task].token(event)
            elif isinstance(event, ev.TaskSubmitted):
                lives[event.task] = _Life(event)
            elif isinstance(event, ev.TaskAdmitted):
                lives[event.task].admitted(event)
            elif isinstance(event, ev.TaskFinished):
                lives[event.task].finished = (event.ns, event.step)
            elif isinstance(event, ev.TaskPreempted):
                lives[event.task].preemptions += 1
        columns = [item.name for item in fields(cls)][1:-1]
        table = np.array([life.row() for life in lives.values()], dtype=np.int64)
        table = table.reshape(-1, len(columns))
        gaps = [np.diff(np.frombuffer(life.tokens, np.int64)) for life in lives.values()]
        return cls(list(lives), **dict(zip(columns, table.T, strict=True)), gaps=gaps)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def time_to_first_token_ns(self) -> np.ndarray:
        """From arrival to the first token; -1 where there is none yet."""
        known = self.first_token_ns >= 0
        return np.where(known, self.first_token_ns - self.arrived_ns, -1)


class _Life:
    def __init__(self, event: ev.TaskSubmitted) -> None:
        self.submitted = (event.ns, event.step)
        self.arrived = event.ns if event.arrival_s is None else round(event.arrival_s * 1e9)
        self.prompt = event.prompt_len
        self.first_admitted = (-1, -1)
        self.first_token = (-1, -1)
        self.finished: tuple[int, int] = (-1, -1)
        self.cached = 0
        self.preemptions = 0
        self.tokens = array("q")

    def admitted(self, event: ev.TaskAdmitted) -> None:
        if self.first_admitted[0] < 0:
            self.first_admitted = (event.ns, event.step)
            self.cached = event.cached_tokens

    def token(self, event: ev.Event) -> None:
        if not self.tokens:
            self.first_token = (event.ns, event.step)
        self.tokens.append(event.ns)

    def row(self) -> list[int]:
        times = (self.arrived, *self.submitted, *self.first_admitted, *self.first_token, *self.finished)
        return [*times, self.prompt, self.cached, len(self.tokens), self.preemptions]
