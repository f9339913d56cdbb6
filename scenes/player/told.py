"""What a film shows when: the events of its traces, the times at which they are told, and the state at each."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import msgspec

from astrai_sim.trace import Event, State, Trace
from scenes.draw.lapse import Lapse
from scenes.film.opening import other_trace
from scenes.film.scene import FilmScene, Observer
from scenes.stage.shot import Section
from scenes.stage.stage import Stops

MANY = 3000
"""Events of a trace from which on only those that change who is where are listed, then only those of requests."""
SMALL = 64
"""Pages up to which a state names each."""
CHANGES = ("page", "task", "table", "prefix_reset", "setting", "step_begin", "block", "all_blocks", "messages")
REQUESTS = ("task",)
LONGEST = 160
"""Characters of an event's line."""


@dataclass(frozen=True)
class Moment:
    """From `time` on the film shows the state after event `seq` of trace number `trace`; its movement `began` then."""

    began: float
    time: float
    trace: int
    seq: int


@dataclass
class Told(Observer):
    """Watches a rehearsal: give it to `rehearse`, then read `moments`, in order of time, and `traces`."""

    moments: list[Moment] = field(default_factory=list)
    traces: list[Trace] = field(default_factory=list)
    _sources: dict[str | None, int] = field(default_factory=dict)
    _now: int = 0

    def section_started(self, scene: FilmScene, section: Section) -> None:
        if section.source not in self._sources:
            self._sources[section.source] = len(self.traces)
            self.traces.append(scene.trace if section.source is None else other_trace(section.source))
        self._now = self._sources[section.source]
        self._add(scene.clock, scene.clock, section.start)

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        lapses = [one for one in scene.animations or () if isinstance(one, Lapse) and isinstance(one.pictures, Stops)]
        ended = scene.clock
        for lapse in lapses:
            shares = [0.0, *lapse.times[:-1].tolist()]
            for seq, share in zip(lapse.pictures.seqs, shares, strict=False):  # type: ignore[attr-defined]
                at = began + share * (ended - began)
                self._add(at, at, int(seq))
        self._add(began, ended, scene.stage.view.seq)

    def _add(self, began: float, time: float, seq: int) -> None:
        last = self.moments[-1] if self.moments else None
        if last is None or (last.trace, last.seq) != (self._now, seq):
            self.moments.append(Moment(began, time, self._now, seq))

    def times(self) -> list[dict[int, float]]:
        """For each trace the film seconds from which on an event is told, the first time that it is."""
        found: list[dict[int, float]] = [{} for _ in self.traces]
        for before, moment in zip([None, *self.moments], self.moments, strict=False):
            forward = before is not None and before.trace == moment.trace and before.seq < moment.seq
            first = before.seq + 1 if before is not None and forward else moment.seq
            for seq in range(max(0, first), min(moment.seq, len(self.traces[moment.trace]) - 1) + 1):
                found[moment.trace].setdefault(seq, round(moment.began, 3))
        return found


def listed(trace: Trace) -> list[Event]:
    """The events that are worth a line: all of a short trace, of a long one those that change who is where, or, where
    those are many too, what becomes of requests."""
    events = list(trace)
    for kinds in (CHANGES, REQUESTS):
        if len(events) <= MANY:
            break
        events = [event for event in events if event.event.startswith(kinds)]
    return events[:MANY]


def line(event: Event) -> str:
    """An event in one line of text: its kind, and its fields as recorded."""
    fields: dict[str, Any] = msgspec.to_builtins(event)
    known = ("seq", "step", "phase", "ns", "line", "event")
    told = {name: value for name, value in fields.items() if name not in known and name.isidentifier()}
    words = [f"{name}={_short(value)}" for name, value in told.items() if value is not None]
    text = " ".join([event.event, *words])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST // 3 else text[: LONGEST // 3] + "…"


def described(state: State, membership: bool = False) -> dict[str, str]:
    """A state as text: of a small pool every page, of a large one how many. With `membership` nothing is known but
    which blocks are cached."""
    if membership:
        pages = f"{state.n_cached} with a cached block, {state.n_free} without, of {state.n_pages}"
        return {"message": str(state.step), "places": pages, "refs, tables, requests": "not recorded"}
    pages = f"{state.n_in_use} in use, {state.n_cached} cached, {state.n_free} free, of {state.n_pages}"
    found = {"step": f"{state.step}{f' {state.phase}' if state.phase else ''}", "pages": pages}
    if state.n_pages <= SMALL:
        found["free mask"] = f"{state.mask:0{state.n_pages}b}, page {state.n_pages - 1} to 0"
        found["refs"] = " ".join(map(str, state.refs.tolist()))
        found["tables"] = "\n".join(f"{task}: {pages}" for task, pages in state.tables.items()) or "none"
        if state.lru:
            found["cached"] = f"{state.lru}, next to go first"
    else:
        held = sum(map(len, state.tables.values()))
        found["tables"] = f"{len(state.tables)} requests, {held} entries"
    waiting = state.waiting
    found["waiting"] = f"{len(waiting)}" + (
        f": {', '.join(waiting[:8])}{' …' if len(waiting) > 8 else ''}" if waiting else ""
    )
    return found


def shown_at(moments: list[Moment], time: float) -> Moment:
    """The moment that a film shows at `time`."""
    return moments[max(0, bisect_right([moment.time for moment in moments], time + 1e-9) - 1)]
