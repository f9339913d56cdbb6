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
from scenes.truth.tables import in_use
from scenes.truth.vouching import shows, vouch_all, vouches
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

    def holes(self, step: int) -> dict[int, int]:
        """Size of each stretch that nobody holds, by its first slot."""
        taken = np.ones(self.n_slots + 2, dtype=int)
        taken[1:-1] = 0
        for stay in self.held(step):
            taken[1 + stay.start : 1 + stay.start + stay.size] = 1
        edges = np.flatnonzero(np.diff(taken))
        return dict(zip(edges[::2].tolist(), (edges[1::2] - edges[::2]).tolist(), strict=True))


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


def _now(witness: Witness, at: int) -> tuple[Plan, int]:
    return plan(witness.trace), step_of(witness, at)


@vouches("contiguous.in_memory")
def contiguous_in_memory(witness: Witness, at: int) -> int:
    told, step = _now(witness, at)
    return len(told.held(step))


@vouches("contiguous.waiting")
def contiguous_waiting(witness: Witness, at: int) -> int:
    told, step = _now(witness, at)
    return len(told.waiting(step))


@vouches("contiguous.waiting.task")
def contiguous_waiting_task(witness: Witness, place: int, at: int) -> str:
    """Who is at that place of the line, counted from 0."""
    told, step = _now(witness, at)
    return told.waiting(step)[place]


@vouches("contiguous.hole")
def contiguous_hole(witness: Witness, start: int, at: int) -> int:
    told, step = _now(witness, at)
    return told.holes(step)[start]


def slots_of(witness: Witness, part: str, at: int) -> int:
    """Slots `used`, `reserved` or `wasted` at the end of the step."""
    told, step = _now(witness, at)
    reserved, used = sum(s.size for s in told.held(step)), sum(s.used(step) for s in told.held(step))
    return {"used": used, "reserved": reserved, "wasted": reserved - used}[part]


@vouches("loads")
def loads(witness: Witness) -> int:
    return len(witness.lives)


@shows("contiguous")
def contiguous(witness: Witness, at: int, shown: Mapping) -> list[tuple[str, int, int, int]]:
    """Stretches as (task, first slot, size, filled), by address."""
    told, step = _now(witness, at)
    return [(stay.life.task, stay.start, stay.size, stay.used(step)) for stay in told.held(step)]


@shows("paged")
def paged(witness: Witness, at: int, shown: Mapping) -> list[tuple[str, int, int, int]]:
    """The recorded pool in the same words: a stretch for each page that is not free."""
    state, size = witness.state(at), witness.page_size
    stretches = []
    for page in sorted({*in_use(witness, at), *state.lru}):
        holders = witness.owners(page, at)
        used = [state.tasks[task].kv_len - state.tables[task].index(page) * size for task in holders]
        filled = min(size, max(0, *used, 0)) if used else size
        stretches.append((holders[0] if holders else "", page * size, size, filled))
    return stretches


@vouches("contiguous.finished")
def contiguous_finished(witness: Witness, at: int) -> int:
    told, step = _now(witness, at)
    return sum(stay.last <= step for stay in told.stays)


@vouches("contiguous.holes")
def contiguous_holes(witness: Witness, at: int) -> int:
    told, step = _now(witness, at)
    return len(told.holes(step))


@vouches("contiguous.largest")
def contiguous_largest(witness: Witness, at: int) -> int:
    told, step = _now(witness, at)
    return max(told.holes(step).values(), default=0)


@vouches("contiguous.in_memory.peak")
def contiguous_most(witness: Witness) -> int:
    told = plan(witness.trace)
    return max(len(told.held(step)) for step in range(told.end + 1))


@vouches("contiguous.filled")
def contiguous_filled(witness: Witness) -> float:
    stays = plan(witness.trace).stays
    steps = [(stay, step) for stay in stays for step in range(stay.first, stay.last + 1)]
    return sum(stay.used(step) for stay, step in steps) / sum(stay.size for stay, _ in steps)


@vouches("requests.in_memory.peak")
def most_in_memory(witness: Witness) -> int:
    ends = [event.seq for event in witness.trace.find(event="step_end")]
    return max(sum(map(bool, witness.state(seq).tables.values())) for seq in ends)


vouch_all(
    {
        "contiguous.step": lambda witness, at: step_of(witness, at),
        # Steps until every request has ended.
        "contiguous.steps": lambda witness: plan(witness.trace).end + 1,
        "piece.reserved": lambda witness, task: witness.lives[task].prompt + witness.lives[task].max_tokens,
        "piece.used": lambda witness, task: witness.lives[task].prompt + len(witness.lives[task].tokens) - 1,
        "loads.shown": lambda witness, most: min(most, len(witness.lives)),
        "contiguous.reserved": lambda witness, at: slots_of(witness, "reserved", at),
        "contiguous.used": lambda witness, at: slots_of(witness, "used", at),
    }
)
