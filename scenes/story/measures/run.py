"""What a whole run comes to."""

import math
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from astrai_sim.trace.events import TaskAdmitted
from scenes.measures import Measure, measure
from scenes.story.measures.lives import RequestLives


class WholeRun(RequestLives):
    """The whole run."""

    def requests(self) -> Measure:
        return self.count(self.history.requests, "run.requests")

    def finished(self) -> Measure:
        return measure("run.finished", self.history.count("task_finished"))

    def steps(self) -> Measure:
        return self.count(self.history.steps, "run.steps")

    def all_generated(self) -> Measure:
        return self.count(self.history.requests.log, "run.generated")

    def preemptions(self) -> Measure:
        return measure("run.preemptions", self.history.count("task_preempted"))

    def allocs(self) -> Measure:
        return measure("run.allocs", self.history.pages.allocs)

    def frees(self) -> Measure:
        return measure("run.frees", self.history.pages.frees)

    def evictions(self) -> Measure:
        return self.count(self.history.pages.evicted, "run.evictions")

    def kept(self) -> Measure:
        return self.count(self.history.pages.kept, "run.kept")

    def most_in_use(self) -> Measure:
        return measure("pool.in_use.peak", self.history.pages.most_in_use)

    @cached_property
    def holdings(self) -> np.ndarray:
        """At the end of each step, int64 [steps, 3]: slots that requests with pages would reserve for their
        longest lengths, slots of pages in use, and filled ones."""
        rows = []
        for seq in self.history.steps.end.tolist():
            state = self.state(seq)
            longest = sum(self.longest(task).value for task, pages in state.tables.items() if pages)
            rows.append((longest, state.n_in_use * self.size, state.kv_slots))
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    def most_longest(self) -> Measure:
        return measure("longest.peak", int(self.holdings[:, 0].max(initial=0)))

    def most_held(self) -> Measure:
        return measure("held.peak", int(self.holdings[:, 1].max(initial=0)))

    def most_filled(self) -> Measure:
        return measure("filled.peak", int(self.holdings[:, 2].max(initial=0)))

    def most_cached(self) -> Measure:
        return measure("pool.cached.peak", self.history.pages.most_cached)

    def prompts(self) -> Measure:
        return measure("run.prompts", sum(life.prompt for life in self.history.requests.values()))

    def asked(self) -> Measure:
        return measure("run.asked", sum(event.tokens for event in self._admissions()))

    def all_found(self) -> Measure:
        return measure("run.found", sum(event.cached_tokens for event in self._admissions()))

    def _admissions(self) -> Iterator[TaskAdmitted]:
        return (event for life in self.history.requests.values() for event in life.admitted)

    def recomputed(self) -> Measure:
        return measure("run.recomputed", int(self.history.slots.written.again.sum()))

    def all_computed(self) -> Measure:
        """Tokens whose K and V were computed, each time counted."""
        return measure("run.computed", int(self.history.slots.written.count.sum()))

    def lost(self) -> Measure:
        lives = self.history.requests.values()
        return measure("run.lost", sum(life.finished.generated - life.generated for life in lives if life.finished))

    def median_ttft(self) -> Measure | None:
        """None where no request got a token."""
        waits = [ns for life in self.history.requests.values() if (ns := life.ttft_ns) is not None]
        return measure("ttft.median", float(np.median(waits)), "time") if waits else None

    def wait_within(self, share: float) -> Measure:
        """The shortest time within which that share of the requests that got a token got their first."""
        waits = np.sort([ns for life in self.history.requests.values() if (ns := life.ttft_ns) is not None])
        return measure("wait.within", int(waits[math.ceil(share * len(waits)) - 1]), "time", share=share)

    def steps_done(self) -> Measure:
        ended = [life.finished.step for life in self.history.requests.values() if life.finished]
        return measure("run.steps_done", max(ended, default=-1) + 1)

    def between(self, kind: str, after: int, until: int) -> Measure:
        """Events of `kind` between two, the second included: `task_finished`, `task_preempted`, …"""
        low, high = np.searchsorted(self.history.seqs(kind), [after + 1, until + 1])
        return measure("events.between", int(high - low), kind=kind, after=after, until=until)

    def time_between(self, start: int, until: int) -> Measure:
        """Time of the run from event `start` (-1: its beginning) to event `until`, both ends of steps."""
        began, ended = (self.trace[seq].ns if seq >= 0 else 0 for seq in (start, until))
        return measure("run.time", ended - began, "span", after=start, until=until)
