"""The pool without pages, computed a second time from the rule that the film states.

Each request reserves prompt + max_tokens adjacent slots at the lowest address where they fit, from
its admission until the step after its last token. A step gives back what has ended, admits in
order of arrival while fewer than `max_batch` run and the next one fits, and gives every request one
token for its prompt and one more for its decoding. Here slots are a map of owners, and a request's
life is worked out when it is admitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.tables import held
from scenes.truth.vouching import shows
from scenes.truth.witness import Life, Witness

FREE = -1


@dataclass(frozen=True)
class Stay:
    """A request's slots from `start` on, reserved at the ends of steps `first` to `last`."""

    life: Life
    start: int
    first: int
    last: int

    @property
    def size(self) -> int:
        """Slots reserved."""
        return self.life.prompt + self.life.max_tokens

    def used(self, step: int) -> int:
        """Slots filled at the end of `step`: the prompt's and one for each token but the last."""
        return self.life.prompt + min(step - self.first + 1, len(self.life.tokens) - 1)


@dataclass(frozen=True)
class Plan:
    """Every request's stay, in order of admission, and the step before which each arrives."""

    stays: tuple[Stay, ...]
    arrivals: Mapping[str, int]
    n_slots: int

    @property
    def end(self) -> int:
        """The last step at whose end something is held."""
        return max(stay.last for stay in self.stays)

    def held(self, step: int) -> list[Stay]:
        """Who holds slots at the end of `step`, in order of address."""
        return sorted((s for s in self.stays if s.first <= step <= s.last), key=lambda s: s.start)

    def waiting(self, step: int) -> list[str]:
        """Who has arrived and is not admitted by the end of `step`, in order of arrival."""
        admitted = {stay.life.task for stay in self.stays if stay.first <= step}
        due = [task for task, arrival in self.arrivals.items() if arrival <= step and task not in admitted]
        return sorted(due, key=lambda task: self.arrivals[task])

    def holes(self, step: int) -> list[int]:
        """Sizes of the stretches that nobody holds, by address."""
        taken = np.ones(self.n_slots + 2, dtype=int)
        taken[1:-1] = 0
        for stay in self.held(step):
            taken[1 + stay.start : 1 + stay.start + stay.size] = 1
        edges = np.flatnonzero(np.diff(taken))
        return (edges[1::2] - edges[::2]).tolist()


@lru_cache(maxsize=4)
def plan(trace: Trace) -> Plan:
    """What a trace's requests do in a pool of one piece each."""
    witness = Witness.of(trace)
    n_slots = witness.n_pages * witness.page_size
    most = trace.header.scenario.scheduler.max_batch
    arrivals = {task: life.submitted.step + 1 for task, life in witness.lives.items()}
    line = sorted(witness.lives.values(), key=lambda life: arrivals[life.task])
    owner = np.full(n_slots, FREE)
    stays: list[Stay] = []
    step = 0
    while line:
        gone = [i for i, stay in enumerate(stays) if stay.last < step]
        owner[np.isin(owner, gone)] = FREE
        while line and arrivals[line[0].task] <= step and len(stays) - len(gone) < most:
            size = line[0].prompt + line[0].max_tokens
            start = next((i for i in range(n_slots - size + 1) if (owner[i : i + size] == FREE).all()), None)
            if start is None:
                break
            life = line.pop(0)
            owner[start : start + size] = len(stays)
            stays.append(Stay(life, start, step, step + max(0, len(life.tokens) - 2)))
        step += 1
    return Plan(tuple(stays), arrivals, n_slots)


def step_of(witness: Witness, at: int) -> int:
    """The step that event `at` is of; beyond the last event one more for each."""
    return witness.state(at).step + max(0, at - witness.last)


def status(holding: int, waiting: list[str]) -> str:
    """How many hold slots and wait, with the names that 18 characters hold."""
    text, names = f"{holding} in memory, {len(waiting)} waiting", ""
    for place, name in enumerate(waiting):
        if len(names) + len(name) + bool(names) > 18:
            return f"{text}: {names} …" if place else text
        names += f" {name}" if names else name
    return f"{text}: {names}" if names else text


@shows("contiguous")
def contiguous(witness: Witness, at: int, shown: Mapping) -> dict:
    """Stretches as (task, first slot, size, filled), the holes that are written, who waits."""
    told, step = plan(witness.trace), step_of(witness, at)
    holding = told.held(step)
    holes, written = told.holes(step), shown["contiguous"]["holes"]
    rest = iter(holes)
    return {
        "step": step,
        "stretches": [(stay.life.task, stay.start, stay.size, stay.used(step)) for stay in holding],
        "status": status(len(holding), told.waiting(step)),
        "holes": written if all(size in rest for size in written) else holes,
    }


@shows("paged")
def paged(witness: Witness, at: int, shown: Mapping) -> dict:
    """The recorded pool in the same words: a stretch for each page that is not free."""
    state, size = witness.state(at), witness.page_size
    stretches = []
    for page in sorted({*held(witness, at), *state.lru}):
        holders = witness.owners(page, at)
        used = [state.tasks[task].kv_len - state.tables[task].index(page) * size for task in holders]
        full = min(size, max(0, *used)) if len(used) > 1 else min(size, max(0, sum(used)))
        stretches.append((holders[0] if holders else "", page * size, size, full if holders else size))
    return {
        "step": state.step,
        "stretches": stretches,
        "status": status(sum(map(bool, state.tables.values())), state.waiting),
        "holes": [],
    }
