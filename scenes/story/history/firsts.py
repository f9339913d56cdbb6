"""What happens for the first time in a run: a request gets pages, grows, shares, is preempted, ends."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from astrai_sim.trace.events import PagesCached, PagesEvicted, PagesFree, TaskPreempted
from scenes.story.history.history import History
from scenes.story.history.sure import sure


@dataclass(frozen=True)
class First:
    """Something that happens to `task` for the first time in a run.

    `kind` is "first" (a request is admitted and gets pages), "growth" (a page is added in decode), "share" (pages get
    another holder), "eviction", "preemption" (of a request that was prefilled, where there is one) or "release" (a
    finished request gives its pages back). The state after event `begin` is that before it, the state after `end` has
    it all. `pages` are those that it takes or gives back, in the order of its table.
    """

    kind: str
    task: str
    begin: int
    end: int
    pages: tuple[int, ...]


def firsts(history: History) -> tuple[First, ...]:
    """Those that were over when the last step ended, in order."""
    last = history.steps.seq(len(history.steps) - 1)
    found = (first for first in (*_taken(history), *_given(history)) if first.end <= last)
    return tuple(sorted(found, key=lambda first: first.begin))


def _taken(history: History) -> Iterator[First]:
    """Pages that came into a table."""
    holds = history.pages.holds
    evicted = history.first(PagesEvicted)
    alloc, after = holds.taken == 0, -1 if evicted is None else evicted.seq
    for kind, mask in (
        ("first", alloc & (holds.decode == 0)),
        ("growth", alloc & (holds.decode == 1)),
        ("share", ~alloc),
        ("eviction", alloc & (holds.begin > after) & (after >= 0)),
    ):
        rows = np.flatnonzero(mask)
        if not len(rows):
            continue
        seq = int(holds.begin[rows[0]])
        task = history.requests.names[holds.task[rows[0]]]
        if kind == "first":
            admitted = history.requests[task].admission(seq)
            if admitted is None:
                continue
            rows, end = history.pages.took(seq - 1, admitted.seq, task=task), admitted.seq
        else:
            rows = rows[holds.begin[rows] == seq]
            end = int(holds.shown[rows].max())
        begin = after if kind == "eviction" else seq
        yield First(kind, task, begin - 1, end, tuple(holds.page[rows].tolist()))


def _given(history: History) -> Iterator[First]:
    """Pages that a request let go of until it had none."""
    lost = sorted(
        (event for life in history.requests.values() for event in life.preempted), key=lambda event: event.seq
    )
    left = [history.first(kind, phase="cleanup") for kind in (PagesFree, PagesCached)]
    done = sorted((event for event in left if event is not None), key=lambda event: event.seq)
    ran = (event for event in lost if _computed(history, event))
    for kind, event in (("preemption", next(ran, lost[0] if lost else None)), ("release", done[0] if done else None)):
        if event is None:
            continue
        life = history.requests[sure(event.task)]
        end = life.empty_after(event.seq)
        if end is not None:
            pages = history.pages.of(life.name, event.seq)
            yield First(kind, life.name, event.seq - 1, end, tuple(pages.tolist()))


def _computed(history: History, preempted: TaskPreempted) -> bool:
    """Whether all tokens of the request were in the cache once since it was admitted."""
    life = history.requests[preempted.task]
    admitted = [event.seq for event in life.admitted if event.seq < preempted.seq]
    done = life.prefilled(admitted[-1]) if admitted else None
    return done is not None and done.seq < preempted.seq
