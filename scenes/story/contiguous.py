"""What the recorded requests would do in a pool without pages: a stated model.

The rule. Each request reserves one piece of prompt + max_tokens adjacent slots when it is admitted and keeps it until
it has finished, as servers did before paging. Pieces are placed first-fit: at the lowest address where one fits.
Requests, their arrival steps, prompt lengths and generated lengths are the recorded ones, and so is the number of
slots. The scheduler's step is that of the engine with the decode policy `all` and prompts prefilled whole:

1. pieces of requests that finished in the step before are given back;
2. waiting requests are admitted in order of arrival while fewer than `max_batch` run,
   until the first that fits nowhere;
3. admitted requests fill their prompt's slots and get their first token;
4. every running request then fills one slot more and gets one token.

A request has finished when it has as many tokens as the recorded run gave it.

What the rule costs is told by runs under rules that lack one of its faults: `closed` moves pieces together whenever the
next request fits nowhere, `known` reserves what a request will have filled at its end, as if its length were known
ahead.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from astrai_sim.trace import RequestTimes, Trace

RULES = ("reserve", "closed", "known")
"""One piece of the longest length at the lowest address; that with holes closed; one of the exact length."""


@dataclass(frozen=True)
class Load:
    """A request as recorded: the step before which it arrived, and its lengths in tokens."""

    task: str
    arrival: int
    prompt: int
    max_tokens: int
    generated: int

    @property
    def reserved(self) -> int:
        """Slots that it reserves in one piece."""
        return self.prompt + self.max_tokens

    @property
    def used(self) -> int:
        """Slots that it has filled when it ends; the last token's is never written."""
        return self.prompt + self.generated - 1


@dataclass(frozen=True)
class Piece:
    """`size` slots from `start` on, reserved by `task`; the first `used` are filled."""

    task: str
    start: int
    size: int
    used: int


@dataclass(frozen=True)
class Layout:
    """The pool at the end of step `step` (-1: before the first).

    `pieces` are in order of address, `waiting` in order of arrival; `running` counts the
    requests that go on, `served` are those that have ended by then, the first first.
    """

    step: int
    n_slots: int
    pieces: tuple[Piece, ...] = ()
    waiting: tuple[str, ...] = ()
    running: int = 0
    served: tuple[str, ...] = ()

    @property
    def reserved(self) -> int:
        """Slots within pieces."""
        return sum(piece.size for piece in self.pieces)

    @property
    def used(self) -> int:
        """Filled slots."""
        return sum(piece.used for piece in self.pieces)

    def holes(self) -> list[tuple[int, int]]:
        """(start, size) of every stretch of slots that no piece holds."""
        edges = [(piece.start, piece.start + piece.size) for piece in self.pieces]
        ends = [0, *(end for _, end in edges)]
        starts = [*(start for start, _ in edges), self.n_slots]
        return [(a, b - a) for a, b in zip(ends, starts, strict=True) if b > a]


def loads(trace: Trace) -> list[Load]:
    """The requests of a trace, in order of submission.

    One that had not ended when the recording stopped counts with what it had generated. One that came during a step
    was there for the next, or for the same, if it was admitted in it.
    """
    requests = RequestTimes.of(trace)
    limits = {event.task: event.max_tokens for event in trace.find(event="task_submitted")}
    arrivals = requests.submitted_step + (requests.submitted_step != requests.admitted_step)
    columns = (arrivals, requests.prompt_len, requests.generated)
    rows = zip(requests.names, *(column.tolist() for column in columns), strict=True)
    return [Load(name, arrival, prompt, limits[name], generated) for name, arrival, prompt, generated in rows]


def first_fit(layout: Layout, size: int) -> int | None:
    """Lowest address at which `size` adjacent slots are free; None where there is none."""
    return next((start for start, room in layout.holes() if room >= size), None)


def needed(load: Load, rule: str) -> int:
    """Slots that a request reserves under a rule of `RULES`."""
    return load.used if rule == "known" else load.reserved


def simulate(requests: Sequence[Load], n_slots: int, max_batch: int, rule: str = "reserve") -> list[Layout]:
    """The pool at the end of every step; the last step only gives back the last pieces.

    Raises ValueError for a request that the whole pool cannot hold, and for one without a generated token.
    """
    for load in requests:
        if needed(load, rule) > n_slots:
            raise ValueError(f"{load.task} needs {needed(load, rule)} adjacent slots of {n_slots}")
        if load.generated < 1:
            raise ValueError(f"{load.task} has generated nothing")
    by_name = {load.task: load for load in requests}
    coming = deque(sorted(requests, key=lambda load: load.arrival))
    waiting: deque[Load] = deque()
    done: list[str] = []
    layout = Layout(-1, n_slots)
    layouts: list[Layout] = []
    while len(done) < len(requests):
        step = layout.step + 1
        while coming and coming[0].arrival <= step:
            waiting.append(coming.popleft())
        pieces = tuple(piece for piece in layout.pieces if piece.task not in done)
        layout = _refill(replace(layout, step=step, pieces=pieces), waiting, max_batch, rule)
        pieces = []
        for piece in layout.pieces:
            load = by_name[piece.task]
            used = min(load.used, max(piece.used, load.prompt) + 1)
            if used >= load.used and load.task not in done:
                done.append(load.task)
            pieces.append(replace(piece, used=used))
        running, left = sum(piece.task not in done for piece in pieces), tuple(load.task for load in waiting)
        layout = replace(layout, pieces=tuple(pieces), running=running, served=tuple(done), waiting=left)
        layouts.append(layout)
    return [*layouts, replace(layout, step=layout.step + 1, pieces=())]


def at_step(layouts: Sequence[Layout], step: int, n_slots: int) -> Layout:
    """The pool at the end of step `step`: empty before the first, and after the last."""
    if step < 0:
        return Layout(-1, n_slots)
    return replace(layouts[min(step, len(layouts) - 1)], step=step)


def _refill(layout: Layout, waiting: deque[Load], max_batch: int, rule: str) -> Layout:
    while waiting and len(layout.pieces) < max_batch:
        load = waiting[0]
        size = needed(load, rule)
        start = first_fit(layout, size)
        if start is None and rule == "closed":
            layout = _closed(layout)
            start = first_fit(layout, size)
        if start is None:
            break
        waiting.popleft()
        pieces = [*layout.pieces, Piece(load.task, start, size, 0)]
        layout = replace(layout, pieces=tuple(sorted(pieces, key=lambda piece: piece.start)))
    return layout


def _closed(layout: Layout) -> Layout:
    """The same pieces without holes between them."""
    starts = accumulate((piece.size for piece in layout.pieces), initial=0)
    moved = (replace(piece, start=start) for piece, start in zip(layout.pieces, starts, strict=False))
    return replace(layout, pieces=tuple(moved))
