"""A whole run in arrays: what happened in each step, and to each request."""

from array import array
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from astrai_sim.trace import blocks
from astrai_sim.trace import events as ev
from astrai_sim.trace.reader import Trace
from astrai_sim.trace.state import State

STEPS = (ev.StepBegin, ev.StepEnd, blocks.MessageEnd)
HAPPENED = (ev.Tokens, ev.KvWrite, ev.KvLengths, ev.TaskPreempted, ev.PagesEvicted, blocks.BlockRemoved)
COUNTED = frozenset(kind.event for kind in (*STEPS, *HAPPENED))
"""Kinds of events that say how a step went."""


@dataclass(frozen=True, eq=False)
class Series:
    """One entry per finished step, all int64 [n_steps], as of the step's end.

    Where only cached blocks are known, a message of the publisher is a step, `evictions` are blocks that were removed,
    and what nobody knows is -1: durations, requests, pages in use, and what is in them.

    `seq` is that of the step's end; `start_ns`, `end_ns` and `duration_ns` are the engine's time (or the cost model's,
    see the header). `kv_slots` are the slots of pages in use that hold K and V, a shared one once; `reserved_slots` are
    all slots of pages in use; finished requests count until the next cleanup takes their pages. `generated`,
    `prompt_tokens`, `preemptions` and `evictions` count what happened within the step, `prompt_tokens` being those
    computed by prefill, recomputation included.
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
    def of(cls, trace: Trace) -> "Series":
        """From a trace, in one pass over its events."""
        counting = Counting()
        for event, state in trace.replayed():
            counting.take(event, state)
        return counting.series()

    def __len__(self) -> int:
        return len(self.step)


class Counting:
    """What happened in each step, while a trace is gone through for something else."""

    def __init__(self) -> None:
        self._rows: list[list[int]] = []
        self._start = self._generated = self._prompt = self._preempted = self._evicted = 0

    def take(self, event: ev.Event, state: State) -> None:
        """Take in the next event, with the state after it."""
        if event.event not in COUNTED:
            return
        match event:
            case ev.StepBegin():
                self._start = event.ns
                self._generated = self._prompt = self._preempted = self._evicted = 0
            case ev.Tokens():
                self._generated += len(event.tasks)
            case ev.KvWrite():
                prompts = state.prefilling(span.task for span in event.spans)
                self._prompt += sum(span.count for span in event.spans if span.task in prompts)
            case ev.KvLengths():
                counts = dict(zip(event.tasks, event.counts, strict=True))
                self._prompt += sum([counts[task] for task in state.prefilling(counts)])
            case ev.TaskPreempted():
                self._preempted += 1
            case ev.PagesEvicted() | blocks.BlockRemoved():
                self._evicted += len(event.pages)
            case blocks.MessageEnd():
                cached = state.n_cached
                times, pages = (event.step, event.seq, event.ns, event.ns), (cached, state.n_pages - cached)
                self._rows.append([*times, -1, -1, -1, -1, *pages, -1, -1, -1, -1, -1, self._evicted])
                self._evicted = 0
            case ev.StepEnd():
                used, cached = state.n_in_use, state.n_cached
                times = (event.step, event.seq, self._start, event.ns, event.duration_ns, event.waiting, event.running)
                pages = (used, cached, state.n_pages - used - cached, state.kv_slots, used * state.page_size)
                counts = (self._generated, self._prompt, self._preempted, self._evicted)
                self._rows.append([*times, *pages, *counts])

    def series(self) -> Series:
        """All of it."""
        return Series(*np.array(self._rows, dtype=np.int64).reshape(-1, len(fields(Series))).T)


@dataclass(frozen=True, eq=False)
class RequestTimes:
    """One entry per request, in order of submission; int64 [n_requests] but `names` and `gaps`.

    Times are engine nanoseconds and steps are indices, both -1 for what has not happened. `arrived_ns` is when the
    request was due, where the scenario has it by time, else when it was submitted. `admitted_*` is the first admission,
    `cached` the tokens that it found in the cache. `gaps[i]`: nanoseconds from each token of request i to the next.
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
    def of(cls, trace: Trace) -> Self:
        """From a trace, in one pass."""
        columns = [item.name for item in fields(cls)][1:-1]
        counted = ("prompt_len", "cached", "generated", "preemptions")
        lives: dict[str, dict[str, int]] = {}
        tokens: dict[str, array[int]] = {}

        def happened(what: str, task: str) -> None:
            lives[task] |= {f"{what}_ns": event.ns, f"{what}_step": event.step}

        for event in trace:
            match event:
                case ev.TaskSubmitted(task=task):
                    due = event.ns if event.arrival_s is None else round(event.arrival_s * 1e9)
                    lives[task] = dict.fromkeys(columns, -1) | dict.fromkeys(counted, 0)
                    lives[task] |= {"arrived_ns": due, "prompt_len": event.prompt_len}
                    tokens[task] = array("q")
                    happened("submitted", task)
                case ev.TaskAdmitted(task=task) if lives[task]["admitted_ns"] < 0:
                    lives[task]["cached"] = event.cached_tokens
                    happened("admitted", task)
                case ev.Tokens():
                    for task in event.tasks:
                        if not tokens[task]:
                            happened("first_token", task)
                        lives[task]["generated"] += 1
                        tokens[task].append(event.ns)
                case ev.TaskFinished(task=task):
                    happened("finished", task)
                case ev.TaskPreempted(task=task):
                    lives[task]["preemptions"] += 1
        table = np.array([[*life.values()] for life in lives.values()], dtype=np.int64).reshape(-1, len(columns))
        return cls(list(lives), *table.T, gaps=[np.diff(np.frombuffer(found, np.int64)) for found in tokens.values()])

    def __len__(self) -> int:
        return len(self.names)

    @property
    def time_to_first_token_ns(self) -> np.ndarray:
        """From arrival to the first token; -1 where there is none yet."""
        return np.where(self.first_token_ns >= 0, self.first_token_ns - self.arrived_ns, -1)
