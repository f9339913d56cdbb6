"""The pool without pages, computed a second time from the rule that the film states.

Each request reserves prompt + max_tokens adjacent slots at the lowest address where they fit, from its admission until
the step after its last token. A step gives back what has ended, admits in order of arrival while fewer than `max_batch`
run and the next one fits, and gives every request one token for its prompt and one more for its decoding. Here slots
are a map of owners, and a request's life is worked out when it is admitted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.vouching import vouches
from scenes.truth.witness import Life, Witness

FREE = -1


@dataclass(frozen=True)
class Stay:
    """`size` slots of a request from `start` on, reserved at the ends of steps `first` to `last`."""

    life: Life
    start: int
    size: int
    first: int
    last: int

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


def came_for(life: Life) -> int:
    """The first step that a request was there for: the next, or its own where that admitted it."""
    after = life.submitted.step + 1
    return min([after, *(event.step for event in life.admitted)])


@lru_cache(maxsize=16)
def plan(trace: Trace, rule: str = "reserve") -> Plan:
    """What a trace's requests do in a pool of one piece each, under a rule: `reserve` as said above;
    `closed` closes holes, so that only the sum of what is held counts; `known` knows what a request
    will have filled at its end, and reserves no more."""
    witness = Witness.of(trace)
    n_slots = witness.n_pages * witness.page_size
    most = trace.header.scenario.scheduler.max_batch
    arrivals = {task: came_for(life) for task, life in witness.lives.items()}
    line = sorted(witness.lives.values(), key=lambda life: arrivals[life.task])
    owner = np.full(n_slots, FREE)
    stays: list[Stay] = []
    step = 0
    while line:
        gone = [i for i, stay in enumerate(stays) if stay.last < step]
        owner[np.isin(owner, gone)] = FREE
        while line and arrivals[line[0].task] <= step and len(stays) - len(gone) < most:
            life = line[0]
            size = life.prompt + (len(life.tokens) - 1 if rule == "known" else life.max_tokens)
            if rule == "closed":
                owner = np.concatenate([owner[owner != FREE], owner[owner == FREE]])
            start = next((i for i in range(n_slots - size + 1) if (owner[i : i + size] == FREE).all()), None)
            if start is None:
                break
            line.pop(0)
            owner[start : start + size] = len(stays)
            stays.append(Stay(life, start, size, step, step + max(0, len(life.tokens) - 2)))
        step += 1
    return Plan(tuple(stays), arrivals, n_slots)


def step_of(witness: Witness, at: int) -> int:
    """The step that event `at` is of; beyond the last event one more for each."""
    return witness.state(at).step + max(0, at - witness.last)


AT_STEP: dict[str, Callable[[Plan, int], int]] = {
    "free": lambda told, step: sum(told.holes(step).values()),
    "inside": lambda told, step: len(told.held(step)),
    "holes": lambda told, step: len(told.holes(step)),
    "largest": lambda told, step: max(told.holes(step).values(), default=0),
    "finished": lambda told, step: sum(stay.last <= step for stay in told.stays),
    "used": lambda told, step: sum(stay.used(step) for stay in told.held(step)),
    "reserved": lambda told, step: sum(stay.size for stay in told.held(step)),
}
"""What holds of a plan at the end of a step."""

for _name, _value in AT_STEP.items():
    vouches(f"contiguous.{_name}")(
        lambda witness, at, rule="reserve", of=_value: of(plan(witness.trace, rule), step_of(witness, at))
    )


@vouches("contiguous.empty")
def contiguous_empty(witness: Witness, at: int, task: str, rule: str) -> int:
    """Slots of a request's piece that it has not filled."""
    step = step_of(witness, at)
    return {stay.life.task: stay.size - stay.used(step) for stay in plan(witness.trace, rule).held(step)}[task]


# Slots of the hole that begins at a slot.
vouches("contiguous.hole")(
    lambda witness, at, start, rule: plan(witness.trace, rule).holes(step_of(witness, at))[start]
)
# Steps until every request has ended.
vouches("contiguous.steps")(lambda witness, rule: plan(witness.trace, rule).end + 1)
vouches("piece.reserved")(lambda witness, task: witness.lives[task].prompt + witness.lives[task].max_tokens)
vouches("piece.used")(lambda witness, task: witness.lives[task].prompt + len(witness.lives[task].tokens) - 1)
