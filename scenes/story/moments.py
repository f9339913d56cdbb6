"""The moments of a run that teach something, found in one pass over its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from astrai_sim.trace import Event, Series, Trace

ALLOC = {"pages_alloc"}
SHARE = {"pages_ref", "pages_revived"}
EVICT = {"pages_evicted"}
GIVE = {"pages_free", "pages_cached"}
LEAVING = {"preemption", "release"}
CHANGES = ALLOC | SHARE | GIVE
MOST_PAGES = 64


@dataclass(frozen=True)
class Moment:
    """Something that happens for the first time in a run.

    `kind` is "first" (a request is admitted and gets pages), "growth" (a page is added
    in decode), "share" (a page gets another holder), "eviction", "preemption" (of a
    request that was prefilled, where there is one) or "release" (a finished request
    gives its pages back). The state after event `begin` is that before it, the state
    after `end` has it all. `pages` are the pages concerned, at most `MOST_PAGES` of
    `n_pages`; `arrived` is when the request was submitted, `filled` when its prompt was
    (-1 where the run has no such event).
    """

    kind: str
    task: str
    begin: int
    end: int
    step: int
    ns: int
    pages: tuple[int, ...]
    n_pages: int
    arrived: int = -1
    filled: int = -1


@dataclass(frozen=True)
class Height:
    """When a count was highest for the first time: at the end of a step."""

    seq: int
    step: int
    ns: int
    count: int


@dataclass(frozen=True)
class Moments:
    """The moments of a run, in order, and its heights; None where a count stays 0.

    `peak` is of pages in use, `queue` of waiting requests.
    """

    found: tuple[Moment, ...]
    peak: Height | None
    queue: Height | None

    @classmethod
    def of(cls, trace: Trace, series: Series) -> Moments:
        """In one pass; no more is kept than the moments themselves."""
        search = _Search()
        for event in trace:
            search.see(event)
        return cls(
            tuple(sorted(search.moments(), key=lambda moment: moment.begin)),
            _height(series, series.in_use),
            _height(series, series.waiting),
        )

    def __getitem__(self, kind: str) -> Moment | None:
        """The moment of a kind, None where the run has none."""
        return next((moment for moment in self.found if moment.kind == kind), None)


def _height(series: Series, counts) -> Height | None:
    if not len(series) or not counts.max():
        return None
    at = int(counts.argmax())
    return Height(int(series.seq[at]), int(series.step[at]), int(series.end_ns[at]), int(counts[at]))


class _Search:
    """Takes in events in order, keeping one unfinished moment a kind."""

    def __init__(self) -> None:
        self.done: dict[str, Moment] = {}
        self.open: dict[str, dict] = {}
        self.submitted: dict[str, int] = {}
        self.running: set[str] = set()
        self.ran: set[str] = set()

    def moments(self) -> Iterator[Moment]:
        """What was found; called after the last event."""
        self._settle(None)
        yield from self.done.values()

    def _settle(self, event: Event | None) -> None:
        """End what gave pages back run by run, unless `event` goes on with it."""
        for name in LEAVING & self.open.keys():
            moment = self.open[name]
            if moment["last"] < 0:
                continue
            if event is None or event.event not in GIVE or event.task != moment["task"]:
                self._end(name, moment["last"])

    def see(self, event: Event) -> None:
        """Take in the next event."""
        self._settle(event)
        kind = event.event
        if kind == "task_submitted":
            self.submitted[event.task] = event.seq
        if kind == "task_preempted":
            known = self.done.get("preemption")
            if known is not None and known.task not in self.ran and event.task in self.running:
                del self.done["preemption"]
            self._begin("preemption", event)
            self.ran |= {event.task} & self.running
            self.running.discard(event.task)
        elif kind in EVICT:
            self._begin("eviction", event)
        elif kind in CHANGES:
            self._change(kind, event)
        elif kind == "table":
            for name in [n for n, m in self.open.items() if m["task"] == event.task]:
                if name != "first":
                    self._end(name, event.seq)
        elif kind == "task_admitted" and self._task("first") == event.task:
            self._end("first", event.seq)
        elif kind == "task_prefilled":
            self.running.add(event.task)
            first = self.done.get("first")
            if first is not None and first.filled < 0 and first.task == event.task:
                self.done["first"] = replace(first, filled=event.seq)
        elif kind == "task_finished":
            self.running.discard(event.task)

    def _change(self, kind: str, event: Event) -> None:
        if kind in ALLOC and event.phase != "decode":
            self._begin("first", event)
        if kind in ALLOC and event.phase == "decode":
            self._begin("growth", event)
        if kind in SHARE:
            self._begin("share", event)
        if kind in GIVE and event.phase == "cleanup":
            self._begin("release", event)
        bulk = event.free is not None
        for name, moment in list(self.open.items()):
            if moment["task"] is None:
                moment["task"] = event.task
            if moment["task"] != event.task:
                continue
            moment["n_pages"] += len(event.pages)
            moment["pages"] += event.pages[: MOST_PAGES - len(moment["pages"])]
            if bulk and name in LEAVING:
                moment["last"] = event.seq
            elif bulk and name != "first" and (name != "eviction" or kind in ALLOC):
                self._end(name, event.seq)

    def _task(self, kind: str) -> str | None:
        return self.open[kind]["task"] if kind in self.open else None

    def _begin(self, kind: str, event: Event) -> None:
        if kind not in self.done and kind not in self.open:
            self.open[kind] = {
                "task": getattr(event, "task", None),
                "begin": event.seq - 1,
                "step": event.step,
                "ns": event.ns,
                "pages": [],
                "n_pages": 0,
                "last": -1,
            }

    def _end(self, kind: str, seq: int) -> None:
        data = self.open.pop(kind)
        del data["last"]
        data["pages"] = tuple(data["pages"])
        arrived = self.submitted.get(data["task"], -1)
        self.done[kind] = Moment(kind=kind, end=seq, arrived=arrived, **data)
