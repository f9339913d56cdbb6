"""What a trace says, found by passes over its events that films do not use."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np

from astrai_sim.trace import Event, State, Trace

REMEMBERED = 12
PARTS = 1 << 20
"""Most lines of a function that run in one call."""
LINES = {"self._free_mask": "mask", "self._refs": "refs", "self._lru": "lru"}
"""What lines change that is shown, by what the engine calls it."""


@dataclass
class Life:
    """What happened to a request, `arrived` in nanoseconds; events stand as they were recorded."""

    task: str
    arrived: int
    prompt: int
    max_tokens: int
    submitted: Event
    admitted: list[Event] = field(default_factory=list)
    preempted: list[Event] = field(default_factory=list)
    tokens: list[Event] = field(default_factory=list)
    finished: Event | None = None


class Step(NamedTuple):
    """The first and last event of a step that ended."""

    begin: Event
    end: Event


class Line:
    """The state while lines of a function run: `known` has what they have changed by then."""

    def __init__(self, state: State, known: dict[str, Any]) -> None:
        self._state = state
        self.refs: Any = np.array(known["refs"]) if isinstance(known.get("refs"), list) else state.refs
        self.mask: int = known["mask"] if isinstance(known.get("mask"), int) else state.mask
        self.lru: list[int] = known["lru"] if isinstance(known.get("lru"), list) else state.lru

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)


class Witness:
    """A trace, its states, and what its events say of requests and steps."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.n_pages = trace.header.scenario.cache.n_pages
        self.page_size = trace.header.scenario.cache.page_size
        self._states: dict[float, State | Line] = {}

    @staticmethod
    @lru_cache(maxsize=4)
    def of(trace: Trace) -> "Witness":
        """The witness of a trace, which remembers what it has gone through."""
        return Witness(trace)

    @property
    def last(self) -> int:
        """The last event."""
        return len(self.trace) - 1

    def state(self, at: float) -> State | Line:
        """The state after event `at`; that after the last one beyond it. Not to be changed.

        Between a whole number and the next are the lines that `lines_of` gives.
        """
        at = min(at, self.last)
        if at not in self._states:
            if len(self._states) >= REMEMBERED:
                del self._states[next(iter(self._states))]
            self._states[at] = self.trace.state_at(int(at)) if at == int(at) else self._line(at)
        return self._states[at]

    def lines_of(self, seq: int) -> list[float]:
        """Moments within a `lines` event at which a line had changed mask, refcounts or LRU, ahead
        of the events that tell of it."""
        steps = enumerate(self.trace[seq].steps, start=1)
        return [seq + i / PARTS for i, step in steps if not {*LINES}.isdisjoint(step.values)]

    def _line(self, at: float) -> Line:
        seq = int(at)
        known: dict[str, Any] = {}
        for step in self.trace[seq].steps[: round((at - seq) * PARTS)]:
            known |= {LINES[name]: value for name, value in step.values.items() if name in LINES}
        return Line(self.trace.state_at(seq), known)

    def events(self, *kinds: str, after: float = -1, before: float | None = None) -> Iterator[Event]:
        """Events of `kinds` with `after` < seq < `before`, in order."""
        last = None if before is None else int(before)
        found = [event for kind in kinds for event in self.trace.find(event=kind, after=int(after), before=last)]
        return iter(sorted(found, key=lambda event: event.seq))

    @cached_property
    def lives(self) -> dict[str, Life]:
        """Requests by name, in order of submission."""
        lives: dict[str, Life] = {}
        for event in self.events("task_submitted"):
            due = event.ns if event.arrival_s is None else round(event.arrival_s * 1e9)
            lives[event.task] = Life(event.task, due, event.prompt_len, event.max_tokens, event)
        for event in self.events("task_admitted"):
            lives[event.task].admitted.append(event)
        for event in self.events("task_preempted"):
            lives[event.task].preempted.append(event)
        for event in self.events("tokens"):
            for task in event.tasks:
                lives[task].tokens.append(event)
        for event in self.events("task_finished"):
            lives[event.task].finished = event
        return lives

    @cached_property
    def order(self) -> dict[str, int]:
        """Place of each request in order of submission."""
        return {task: place for place, task in enumerate(self.lives)}

    @cached_property
    def steps(self) -> list[Step]:
        """The steps that ended, in order."""
        begins = {event.step: event for event in self.events("step_begin")}
        return [Step(begins[event.step], event) for event in self.events("step_end")]

    @cached_property
    def end_ns(self) -> int:
        """When the last step ended, or the last message of cache events, at least 1."""
        return max((event.ns for event in self.ends), default=1) or 1

    @cached_property
    def ends(self) -> list[Event]:
        """The ends of the steps, or of the messages of cache events, in order."""
        known = self.trace.header.membership_only
        return [*self.events("message_end")] if known else [step.end for step in self.steps]

    def step(self, index: int) -> Step:
        """A step by its number; LookupError where none of that number has ended."""
        found = next((step for step in self.steps if step.end.step == index), None)
        if found is None:
            raise LookupError(f"no step {index} has ended")
        return found

    @cached_property
    def has_norms(self) -> bool:
        """Whether writes are recorded slot by slot, each with the norm of its K."""
        write = next(self.trace.find(event="kv_write"), None)
        return write is not None and all(span.norms is not None for span in write.spans)

    def owners(self, page: int, at: int) -> list[str]:
        """Requests whose tables hold `page`, in order of submission."""
        tables = self.state(at).tables
        return sorted((task for task, pages in tables.items() if page in pages), key=self.order.__getitem__)

    def slots(self, page: int, at: int) -> int:
        """How many slots of a page hold K and V that a table or the prefix cache reaches."""
        state = self.state(at)
        if state.page_state(page) == "free":
            return 0
        return int(np.count_nonzero(~np.isnan(state.norms(page))) if self.has_norms else state.fill()[page])
