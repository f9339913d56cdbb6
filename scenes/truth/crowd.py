"""Requests: how many run, wait, and had to give way; in which order; bars of what they hold; the clock of the run."""

from bisect import bisect_right
from collections.abc import Mapping
from functools import lru_cache
from math import ceil

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.steps import run_time
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@lru_cache(maxsize=4)
def _turns(trace: Trace) -> dict[str, list[int]]:
    """Events that submit, admit, preempt and finish; `unserved` finish what waits."""
    witness = Witness.of(trace)
    found: dict[str, list[int]] = {name: [] for name in ("came", "in", "out", "done", "unserved")}
    for life in witness.lives.values():
        found["came"].append(life.submitted.seq)
        found["in"] += [event.seq for event in life.admitted]
        found["out"] += [event.seq for event in life.preempted]
        if life.finished is not None:
            waits = len(life.admitted) == len(life.preempted)
            found["unserved" if waits else "done"].append(life.finished.seq)
    return {name: sorted(seqs) for name, seqs in found.items()}


SIGNS = {
    "running": {"in": 1, "out": -1, "done": -1},
    "waiting": {"came": 1, "out": 1, "in": -1, "unserved": -1},
    "preempted": {"out": 1},
}
"""Admitted, and neither finished nor preempted since; submitted or preempted, and not admitted since; how often a
request had to give way."""


def _so_far(witness: Witness, kind: str, at: float) -> int:
    return sum(sign * bisect_right(_turns(witness.trace)[name], at) for name, sign in SIGNS[kind].items())


for _kind in SIGNS:
    vouches(f"crowd.{_kind}")(lambda witness, at, kind=_kind: _so_far(witness, kind, at))
    vouches(f"crowd.{_kind}.more")(lambda witness, shown, at, kind=_kind: _so_far(witness, kind, at) - shown)


@shows("crowd.bars", fades=True)
def bars(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[float, ...]]:
    """Pages of requests that run, in order of admission, and those that the waiting ones need, by the most that are
    drawn."""
    state, found = witness.state(at), {}
    order = admitted(witness, at)
    pages = {
        "running": [len(state.tables.get(task, ())) for task in order],
        "waiting": [ceil(state.tasks[task].n_tokens / witness.page_size) for task in state.waiting],
    }
    for kind, drawn in shown["crowd.bars"].items():
        n = len(drawn)
        found[kind] = pages[kind][len(pages[kind]) - n :] if kind == "running" else pages[kind][:n]
    most = max((count for kept in found.values() for count in kept), default=0)
    return {kind: tuple(count / most if most else 0.0 for count in kept) for kind, kept in found.items()}


@shows("clock.share", fades=True)
def share(witness: Witness, at: int, shown: Mapping) -> float:
    """How much of the time up to the end of the last step has gone by."""
    return min(1.0, run_time(witness, -1, at) / witness.end_ns)


@shows("clock.marks", fades=True)
def marks(witness: Witness, at: int, shown: Mapping) -> tuple[int, tuple[int, ...]]:
    """Of equal parts of that time those in which a request had to give way so far."""
    n, _ = shown["clock.marks"]
    lost = witness.events("task_preempted", before=int(at) + 1)
    found = {min(n - 1, event.ns * n // witness.end_ns) for event in lost}
    return n, tuple(sorted(found))


@lru_cache(maxsize=4)
def _waits(trace: Trace) -> list[tuple[int, int]]:
    """(arrival, nanoseconds up to the first token) of each request that got one."""
    lives = Witness.of(trace).lives.values()
    return [(life.arrived, life.tokens[0].ns - life.arrived) for life in lives if life.tokens]


@vouches("wait.within")
def wait_within(witness: Witness, share: float) -> int:
    """The shortest time within which that share of them got their first token."""
    waits = sorted(wait for _, wait in _waits(witness.trace))
    return next(ns for k, ns in enumerate(waits, start=1) if k >= share * len(waits) - 1e-9)


@shows("waits")
def waits(witness: Witness, at: int, shown: Mapping) -> np.ndarray:
    """Each request's arrival by the run's time, and its wait by the longest, float [requests, 2]."""
    found = np.array(_waits(witness.trace), dtype=float).reshape(-1, 2)
    found /= [witness.end_ns, max(1.0, found[:, 1].max(initial=1.0))]
    return found[np.lexsort(found.T)]


# Seconds of the run that go by in one of a time-lapse between two events.
vouches("lapse.rate")(lambda witness, after, until, seconds: run_time(witness, after, until) / 1e9 / seconds)


def admitted(witness: Witness, at: int) -> list[str]:
    """Requests that have been admitted since they waited last, and have not finished."""
    order: dict[str, None] = {}
    for event in witness.events("task_admitted", "task_preempted", "task_finished", before=at + 1):
        order.pop(event.task, None)
        if event.event == "task_admitted":
            order[event.task] = None
    return list(order)


@shows("line", fades=True)
def line(witness: Witness, at: int, shown: Mapping) -> tuple[list[str], list[str]]:
    """The last of those in memory and the first of those that wait, as many as are shown."""
    ahead, behind = map(len, shown["line"])
    running = admitted(witness, at)
    return running[len(running) - ahead :] if ahead <= len(running) else running, witness.state(at).waiting[:behind]


vouches("memory.more")(lambda witness, shown, at: len(admitted(witness, at)) - shown)
vouches("waiting.more")(lambda witness, shown, at: len(witness.state(at).waiting) - shown)
