"""Perfetto: requests, steps and phases as slices on tracks, and counters of pages and requests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from astrai_sim.exports.lives import Lives
from astrai_sim.extras import require
from astrai_sim.files import whole
from astrai_sim.trace import State, Trace
from astrai_sim.trace import events as ev
from astrai_sim.trace.blocks import BLOCK_EVENTS, MessagesMissed

BUILDER, PROTOS = "perfetto.trace_builder.proto_builder", "perfetto.protos.perfetto.trace.perfetto_trace_pb2"
SEQUENCE = 1
COUNTERS = {
    "pages free": "pages",
    "pages in use": "pages",
    "pages cached": "pages",
    "requests waiting": "requests",
    "requests running": "requests",
}
"""Counters, and what they count."""
CACHED = "pages cached"
"""The one of a trace that knows only which blocks are cached."""


def perfetto(trace: Trace, path: Path) -> None:
    """Write a trace for Perfetto's viewer and `trace_processor`, in its protobuf form; times are the events' `ns`.

    Each request has a track with a slice for all that `Lives` tells of it. On the track "steps" are steps, the phases
    in them, and as instants evictions, changes of settings and resets of the prefix cache. What did not end in the
    recording has no end. Counters have the last value at each time at which it changed. Raises MissingExtra without
    the package perfetto, OSError.
    """
    builder, protos = require(BUILDER, "export"), require(PROTOS, "export")
    with whole(path) as partial, partial.open("wb") as file:
        writer = _Writer(builder, protos, file, f"{trace.header.engine.name}: {trace.header.scenario_name}")
        told = _Told(writer, trace.state_at(-1), [CACHED] if trace.header.membership_only else [*COUNTERS])
        for event in trace:
            told.event(event)
        told.end()


class _Writer:
    """Packets of tracks and of what is on them; protocol: perfetto.dev/docs/reference/synthetic-track-event."""

    def __init__(self, builder: Any, protos: Any, file: IO[bytes], title: str) -> None:
        self._builder = builder.StreamingTraceProtoBuilder(file)
        self._event, self._counter = protos.TrackEvent, protos.CounterDescriptor
        self._packet, self._track = protos.TracePacket, protos.TrackDescriptor
        self._tracks = 0
        self.root = self.track(title)

    def _new(self) -> Any:
        packet = self._builder.create_packet()
        packet.trusted_packet_sequence_id = SEQUENCE
        return packet

    def track(self, name: str, parent: int | None = None, counts: str | None = None) -> int:
        """A track below `parent`, after those that are there; of a counter where `counts` says what it counts."""
        packet = self._new()
        if not self._tracks:
            packet.sequence_flags = self._packet.SEQ_INCREMENTAL_STATE_CLEARED
        self._tracks += 1
        track = packet.track_descriptor
        track.uuid, track.name = self._tracks, name
        if parent is not None:
            track.parent_uuid, track.sibling_order_rank = parent, self._tracks
        if counts is None:
            track.child_ordering = self._track.EXPLICIT
        else:
            track.counter.unit, track.counter.unit_name = self._counter.UNIT_COUNT, counts
        self._builder.write_packet(packet)
        return self._tracks

    def _on(self, track: int, ns: int, kind: int) -> Any:
        packet = self._new()
        packet.timestamp = ns
        packet.track_event.type, packet.track_event.track_uuid = kind, track
        return packet

    def _write(self, packet: Any, facts: Mapping[str, int | str | bool | None]) -> None:
        for name, value in facts.items():
            note = packet.track_event.debug_annotations.add()
            note.name = name
            if isinstance(value, bool):
                note.bool_value = value
            elif isinstance(value, int):
                note.int_value = value
            else:
                note.string_value = str(value)
        self._builder.write_packet(packet)

    def begin(self, track: int, ns: int, what: str, category: str, facts: Mapping[str, int | str]) -> None:
        packet = self._on(track, ns, self._event.TYPE_SLICE_BEGIN)
        packet.track_event.name = what
        packet.track_event.categories.append(category)
        self._write(packet, facts)

    def end(self, track: int, ns: int, facts: Mapping[str, int | str]) -> None:
        self._write(self._on(track, ns, self._event.TYPE_SLICE_END), facts)

    def instant(self, track: int, ns: int, what: str, facts: Mapping[str, int | str | bool | None]) -> None:
        packet = self._on(track, ns, self._event.TYPE_INSTANT)
        packet.track_event.name = what
        self._write(packet, facts)

    def count(self, track: int, ns: int, value: int) -> None:
        packet = self._on(track, ns, self._event.TYPE_COUNTER)
        packet.track_event.counter_value = value
        self._write(packet, {})


class _Told:
    """What the events tell, written to tracks as they come."""

    def __init__(self, writer: _Writer, state: State, counted: list[str]) -> None:
        self.writer, self.state = writer, state
        self.lives = Lives()
        self.steps = writer.track("steps", writer.root)
        self.counters = {name: writer.track(name, writer.root, COUNTERS[name]) for name in counted}
        self.parent = writer.track("requests", writer.root)
        self.requests: dict[str, int] = {}
        self.shown: dict[str, int] = {}
        self.moved = True
        self.ns: int | None = None

    def event(self, event: ev.Event) -> None:
        if self.ns is not None and event.ns != self.ns:
            self._counters(self.ns)
        self.ns = event.ns
        self.state.apply(event)
        self._steps(event)
        for mark in self.lives.follow(event):
            self._request(mark.task, mark.ns, mark.what, mark.facts)
            self.moved = True
        self.moved = self.moved or isinstance(event, (ev.Paged, ev.PrefixReset, *BLOCK_EVENTS))

    def end(self) -> None:
        if self.ns is not None:
            self._counters(self.ns)

    def _request(self, task: str, ns: int, what: str | None, facts: Mapping[str, int | str]) -> None:
        if task not in self.requests:
            self.requests[task] = self.writer.track(task, self.parent)
        if what is None:
            self.writer.end(self.requests[task], ns, facts)
        else:
            self.writer.begin(self.requests[task], ns, what, "request", facts)

    def _steps(self, event: ev.Event) -> None:
        writer, track, ns = self.writer, self.steps, event.ns
        match event:
            case ev.StepBegin():
                writer.begin(track, ns, "step", "step", {"step": event.step})
            case ev.PhaseBegin():
                writer.begin(track, ns, str(event.phase), "phase", {})
            case ev.StepEnd():
                writer.end(track, ns, {"waiting": event.waiting, "running": event.running})
            case ev.PhaseEnd():
                writer.end(track, ns, {"n_tasks": event.n_tasks})
            case ev.PagesEvicted():
                writer.instant(track, ns, "evicted", {"pages": len(event.pages)})
            case ev.SettingChanged():
                writer.instant(track, ns, "setting", {event.name: event.value})
            case ev.PrefixReset():
                writer.instant(track, ns, "prefix reset", {})
            case MessagesMissed():
                writer.instant(track, ns, "messages missed", {"count": event.count})

    def _counters(self, ns: int) -> None:
        """What is counted at the end of everything that happened at `ns`."""
        if not self.moved:
            return
        self.moved = False
        used, cached = self.state.n_in_use, self.state.n_cached
        counts = (self.state.n_pages - used - cached, used, cached, self.lives.waiting, self.lives.running)
        for name, count in zip(COUNTERS, counts, strict=True):
            if name in self.counters and self.shown.get(name) != count:
                self.shown[name] = count
                self.writer.count(self.counters[name], ns, count)
