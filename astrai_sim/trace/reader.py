"""Reading traces: lazily decoded events, the state at any of them, and what is wrong with a file."""

import hashlib
import zlib
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from astrai_sim.command_line import clear
from astrai_sim.files import FileError
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.checkpoints import Checkpoints
from astrai_sim.trace.events import EVENTS, SCHEMA, VERSION, Event, PhaseEnd, StepEnd, TaskSubmitted
from astrai_sim.trace.header import MEMBERSHIP, OWN_ENGINE, Footer, Header
from astrai_sim.trace.state import State
from astrai_sim.trace.wire import UNREADABLE, LineReader, plain

CHUNK = 1 << 20
AT_ONCE = 10_000
"""Lines of which only the kind is decoded together."""
TOGETHER = 256
"""Events that are decoded together."""
MOST_BYTES = 1 << 30
"""Of a trace as it is read, unpacked: some millions of events."""
LONGEST_LINE = 1 << 26
TOO_LARGE = f'larger than {MOST_BYTES >> 20} MiB: record less of it, or with detail = "bulk"'
T = TypeVar("T")
ENDS = {"step_end": "step_begin", "phase_end": "phase_begin"}
KINDS = tuple(kind.event for kind in (*EVENTS, *BLOCK_EVENTS))


class _Start(Struct):
    """What tells a header, a footer and kinds of events from other lines."""

    type: Any = None
    event: Any = None
    schema: Any = None
    version: Any = None


class Trace:
    """A trace file.

    Indexing and iteration give events, decoded when they are asked for; `state_at` gives the whole state after an
    event. A file without a footer (a recording that was cut short) has `complete` False and events up to the cut.

    `unverified` is True where the trace was let through without being verified, False
    where it held, None where nobody has asked yet; `derived` copies keep it.
    """

    def __init__(self, path: Path, content: bytes, cut: bool = False) -> None:
        self.path = path
        self.content = content
        ends = _line_ends(content)
        self.torn = cut or (len(content) > 0 and not content.endswith(b"\n"))
        if not len(ends):
            raise TraceError(path, 1, f"{'ends within its header' if content else 'empty'}: record the trace again")
        if (long := np.diff(ends, prepend=-1) > LONGEST_LINE).any():
            raise TraceError(path, int(long.argmax()) + 1, f"a line of more than {LONGEST_LINE >> 20} MiB")
        self._ends = ends.tolist()
        start = self._edge("", _Start, 0)
        if start.schema != SCHEMA:
            raise TraceError(path, 1, f"not a trace: the first line has no {SCHEMA!r} schema")
        if start.version != VERSION:
            raise TraceError(path, 1, f"version {start.version} is not {VERSION}: record it again")
        self.header = self._edge("the header: ", Header, 0)
        self.footer: Footer | None = None
        self._events = len(self._ends) - 1
        dialect = MEMBERSHIP if self.header.membership_only else self.header.detail
        self._lines, self._foreign = LineReader(dialect, self.header.phases), self.header.engine.name != OWN_ENGINE
        if self._events and _start(self._line(self._events)).type == "footer":
            self.footer = self._edge("the footer: ", Footer, self._events)
            self._events -= 1
        self._last: tuple[int, State] | None = None
        self.unverified: bool | None = None

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Open a trace. Raises TraceError for what is not one, is damaged, or is larger than `MOST_BYTES`."""
        path = Path(path)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise TraceError(path, None, TOO_LARGE)
            content = path.read_bytes()
        except OSError as error:
            raise TraceError(path, None, f"cannot be read: {error.strerror}") from None
        cut = False
        if path.name.removesuffix(".partial").endswith(".gz"):
            content, cut = _gunzip(path, content)
        return cls(path, content, cut)

    def _line(self, number: int) -> bytes:
        """A line of the file, counted from 0, without its end."""
        start = self._ends[number - 1] + 1 if number else 0
        return self.content[start : self._ends[number]]

    def _together(self, some: range) -> bytes:
        """The lines of some events, which follow one another, with their ends."""
        return self.content[self._ends[some.start] + 1 : self._ends[some.stop] + 1]

    def _edge(self, what: str, kind: type[T], number: int) -> T:
        try:
            return msgspec.json.decode(self._line(number), type=kind)
        except UNREADABLE as error:
            raise TraceError(self.path, number + 1, f"{what}{plain(error)}") from None

    @property
    def complete(self) -> bool:
        """Whether the recording ended with its footer."""
        return self.footer is not None

    @property
    def sha256(self) -> str | None:
        """The digest that the footer states, where it does; `verify` checks it."""
        return self.footer.sha256 if self.footer else None

    @cached_property
    def computed_sha256(self) -> str:
        """SHA-256 of everything before the footer's line: what an honest footer states."""
        return hashlib.sha256(memoryview(self.content)[: self._ends[self._events] + 1]).hexdigest()

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of the whole file as it was read, unpacked."""
        return hashlib.sha256(self.content).hexdigest()

    def derived(self, content: bytes, cut: bool = False) -> "Trace":
        """The same recording with some of its content changed: digests stay the file's own."""
        other = Trace(self.path, content, cut)
        other.unverified = self.unverified
        other.computed_sha256, other.content_sha256 = self.computed_sha256, self.content_sha256
        return other

    def end_of(self, seq: int) -> int:
        """Where the line of event `seq` (-1: the header's) ends in `content`, in bytes from its start."""
        return self._ends[seq + 1] + 1

    def __len__(self) -> int:
        return self._events

    def __getitem__(self, index: int) -> Event:
        if index < 0:
            index += self._events
        if not 0 <= index < self._events:
            raise IndexError(f"event {index}: the trace has {self._events}")
        return self._event(self._line(index + 1), index)

    def __iter__(self) -> Iterator[Event]:
        return self._between(0, self._events)

    def _between(self, first: int, end: int) -> Iterator[Event]:
        """Events from the `first` to the one before `end`."""
        for start in range(first, end, TOGETHER):
            yield from self._read(range(start, min(start + TOGETHER, end)))

    def _read(self, some: range) -> Iterable[Event]:
        """Some events, all decoded at once, or where that fails one by one. Raises TraceError."""
        with suppress(ValueError):
            if len(events := self._lines.events(self._together(some), some.start + 2)) == len(some):
                for event, index in zip(events, some, strict=True) if self._foreign else ():
                    self._fill(event, index)
                return events
        return (self._event(self._line(index + 1), index) for index in some)

    def _event(self, line: bytes, index: int) -> Event:
        try:
            event = self._lines.event(line, index + 2)
        except ValueError as error:
            kind = _start(line).event
            named = "" if kind is None else f" ({kind})"
            raise TraceError(self.path, index + 2, f"event {index}{named}: {error}") from None
        if self._foreign:
            self._fill(event, index)
        return event

    def _fill(self, event: Event, index: int) -> None:
        """What an engine left out that follows from the rest."""
        if isinstance(event, StepEnd | PhaseEnd) and event.duration_ns is None:
            event.duration_ns = self._lasted(event, index)
        elif isinstance(event, TaskSubmitted) and event.arrival_step is None:
            event.arrival_step = event.step + 1

    def _lasted(self, end: Event, index: int) -> int:
        """Nanoseconds from the begin of what ends with event `index`; 0 where it never began."""
        begins = self._places.get(ENDS[end.event], np.empty(0, np.int64))
        place = np.searchsorted(begins, index)
        return end.ns - self[int(begins[place - 1])].ns if place else 0

    def find(
        self, event: str | None = None, task: str | None = None, after: int = -1, before: int | None = None
    ) -> Iterator[Event]:
        """Events of a kind and task with `after` < seq < `before`, in order. Raises ValueError for an unknown kind."""
        end = self._events if before is None else min(before, self._events)
        if event is None:
            places: Iterable[int] = range(after + 1, end)
        elif event in KINDS:
            known = self._places.get(event, np.empty(0, np.int64))
            first, last = np.searchsorted(known, (after + 1, end))
            places = known[first:last].tolist()
        else:
            raise ValueError(f"no kind of event is called {event!r}: there are {', '.join(KINDS)}")
        for index in places:
            found = self[index]
            if task is None or found.concerns(task):
                yield found

    def kinds(self) -> Counter[str]:
        """How many events there are of each kind, without decoding the whole of them."""
        return Counter({kind: len(places) for kind, places in self._places.items()})

    @cached_property
    def _places(self) -> dict[str, np.ndarray]:
        """Where the events of each kind are, int64, ascending. Raises TraceError at a broken line."""
        places: defaultdict[str, array[int]] = defaultdict(lambda: array("q"))
        for first in range(0, self._events, AT_ONCE):
            for index, kind in enumerate(self._kinds(range(first, min(first + AT_ONCE, self._events))), first):
                places[kind].append(index)
        return {kind: np.frombuffer(found, np.int64) for kind, found in places.items()}

    def _kinds(self, some: range) -> list[str]:
        """The kinds of some events, all read at once, or where that fails one by one. Raises TraceError."""
        with suppress(ValueError):
            if len(kinds := self._lines.kinds(self._together(some))) == len(some):
                return kinds
        found = []
        for index in some:
            try:
                found.append(self._lines.kind(self._line(index + 1)))
            except ValueError as error:
                raise TraceError(self.path, index + 2, f"event {index}: {error}") from None
        return found

    def state_at(self, seq: int) -> State:
        """State after event `seq`; -1 gives the state before the first. A copy of its own.

        What was not reached before costs one pass over the events up to there, on which states are kept
        (`trace.checkpoints`); all else starts from the nearest of these. Raises IndexError beyond the last event.
        """
        if not -1 <= seq < self._events:
            raise IndexError(f"event {seq}: the trace has {self._events}")
        done, state = self._kept.nearest(seq + 1)
        if self._last is not None and done <= self._last[0] <= seq + 1:
            done, state = self._last
        for passed, event in enumerate(self._between(done, seq + 1), done + 1):
            state.apply(event)
            self._kept.passed(passed, state)
        self._last = seq + 1, state
        return state.copy()

    def replayed(self) -> Iterator[tuple[Event, State]]:
        """Each event and the state after it, which the next one changes; they are kept on the way as for `state_at`."""
        state = self._kept.nearest(0)[1]
        for done, event in enumerate(self, 1):
            state.apply(event)
            self._kept.passed(done, state)
            yield event, state

    @cached_property
    def _kept(self) -> Checkpoints:
        cache = self.header.scenario.cache
        return Checkpoints(State(cache.n_pages, cache.page_size), self._events)


def _line_ends(content: bytes) -> np.ndarray:
    """Where lines end, int64; a piece at a time, which takes no room beside the content."""
    pieces = range(0, len(content), CHUNK)
    numbers = np.frombuffer(content, np.uint8)
    found = [np.flatnonzero(numbers[at : at + CHUNK] == ord("\n")) + at for at in pieces]
    return np.concatenate(found) if found else np.empty(0, np.int64)


def _start(line: bytes) -> _Start:
    """What a line says that it is: nothing, where it cannot be read."""
    try:
        return msgspec.json.decode(line, type=_Start)
    except UNREADABLE:
        return _Start()


def _gunzip(path: Path, packed: bytes) -> tuple[bytes, bool]:
    """What a gzip file holds, and whether its end is missing. Raises TraceError."""
    decoder = zlib.decompressobj(wbits=31)
    content = bytearray()
    try:
        for start in range(0, len(packed), CHUNK):
            content += decoder.decompress(packed[start : start + CHUNK], MOST_BYTES + 1 - len(content))
            if len(content) > MOST_BYTES:
                raise TraceError(path, None, TOO_LARGE)
    except zlib.error as error:
        if not content:
            raise TraceError(path, None, "not a gzip file: record it again") from None
        raise TraceError(
            path, content.count(b"\n") + 1, f"the gzip data is damaged from here on ({error}): get the file again"
        ) from None
    if decoder.unused_data:
        raise TraceError(path, None, "something follows the gzip data: get the file again")
    return bytes(content), not decoder.eof


class TraceError(FileError):
    """A trace that cannot be used, or that lies: file, line, what is wrong, and the level of `verify` that shows it."""

    def __init__(self, path: Path | str, line: int | None, message: str, level: str = "format") -> None:
        super().__init__(path, line, clear(message))
        self.level = level

    def __reduce__(self) -> tuple[type, tuple]:
        return type(self), (self.path, self.line, self.message, self.level)
