"""Reading traces: lazily decoded events, and the state at any of them."""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np

from astrai_sim.trace.errors import TraceError
from astrai_sim.trace.events import SCHEMA, VERSION, Event
from astrai_sim.trace.header import Footer, Header
from astrai_sim.trace.state import State

SPACING = 256
MOST_CHECKPOINTS = 64
CHUNK = 1 << 20
KIND = re.compile(rb'"event":"(\w+)"')


class Trace:
    """A trace file.

    Indexing and iteration give events, decoded when they are asked for;
    `state_at` gives the whole state after an event. A file without a footer
    (a recording that was cut short) has `complete` False and holds the events
    up to the cut.

    `unverified` is True where the trace was let through without being verified, False
    where it held, None where nobody has asked yet; `derived` copies keep it.
    """

    def __init__(self, path: Path, content: bytes, cut: bool = False) -> None:
        self.path = path
        self.content = content
        ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))
        self.torn = cut or (len(content) > 0 and not content.endswith(b"\n"))
        if not len(ends):
            raise TraceError(path, 1, "empty: record the trace again")
        self._ends = ends
        self.header = self._header(self._line(0))
        self.footer: Footer | None = None
        self._events = len(ends) - 1
        if self._events and self._line(self._events).startswith(b'{"type":"footer"'):
            self.footer = self._footer(self._line(self._events))
            self._events -= 1
        self._spacing = max(SPACING, -(-self._events // MOST_CHECKPOINTS))
        self._checkpoints: list[State] = []
        self._last: tuple[int, State] | None = None
        self.unverified: bool | None = None

    @classmethod
    def open(cls, path: str | Path) -> Trace:
        """Open a trace. Raises TraceError for what is not one, or is damaged."""
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TraceError(path, None, f"cannot be read: {error.strerror}") from None
        cut = False
        if path.suffix == ".gz":
            content, cut = _gunzip(path, content)
        return cls(path, content, cut)

    def _line(self, number: int) -> bytes:
        """A line of the file, counted from 0, without its end."""
        start = self._ends[number - 1] + 1 if number else 0
        return self.content[start : self._ends[number]]

    def _header(self, line: bytes) -> Header:
        data = self._json(line, 1)
        if data.get("schema") != SCHEMA:
            raise TraceError(self.path, 1, f"not a trace: the first line has no {SCHEMA!r} schema")
        if data.get("version") != VERSION:
            raise TraceError(self.path, 1, f"version {data.get('version')} is not {VERSION}: record it again")
        try:
            return Header.of(data)
        except KeyError as error:
            raise TraceError(self.path, 1, f"the header has no {error}") from None
        except ValueError as error:
            raise TraceError(self.path, 1, f"the header is malformed: {error}") from None

    def _footer(self, line: bytes) -> Footer:
        number = self._events + 1
        try:
            return Footer.of(self._json(line, number))
        except KeyError as error:
            raise TraceError(self.path, number, f"the footer has no {error}") from None

    def _json(self, line: bytes, number: int) -> dict:
        try:
            data = json.loads(str(line, "utf-8"))
        except ValueError as error:
            raise TraceError(self.path, number, f"not JSON: {error}") from None
        if not isinstance(data, dict):
            raise TraceError(self.path, number, "not a JSON object")
        return data

    @property
    def complete(self) -> bool:
        """Whether the recording ended with its footer."""
        return self.footer is not None

    @property
    def sha256(self) -> str | None:
        """The digest that the footer states; `verify` checks it."""
        return self.footer.sha256 if self.footer else None

    @cached_property
    def computed_sha256(self) -> str:
        """SHA-256 of everything before the footer's line: what an honest footer states."""
        return hashlib.sha256(self.covered).hexdigest()

    @cached_property
    def content_sha256(self) -> str:
        """SHA-256 of the whole file as it was read, unpacked."""
        return hashlib.sha256(self.content).hexdigest()

    def derived(self, content: bytes, cut: bool = False) -> Trace:
        """The same recording with some of its content changed: digests stay the file's own."""
        other = Trace(self.path, content, cut)
        other.unverified = self.unverified
        other.computed_sha256, other.content_sha256 = self.computed_sha256, self.content_sha256
        return other

    @property
    def covered(self) -> memoryview:
        """The bytes that the digest covers: everything before the footer's line."""
        return memoryview(self.content)[: self._ends[self._events] + 1]

    def __len__(self) -> int:
        return self._events

    def __getitem__(self, index: int) -> Event:
        if index < 0:
            index += self._events
        if not 0 <= index < self._events:
            raise IndexError(f"event {index}: the trace has {self._events}")
        return Event(self._json(self._line(index + 1), index + 2), index + 2)

    def __iter__(self) -> Iterator[Event]:
        for index in range(self._events):
            yield self[index]

    def find(
        self, event: str | None = None, task: str | None = None, after: int = -1, before: int | None = None
    ) -> Iterator[Event]:
        """Events of a kind and task with `after` < seq < `before`, in order."""
        end = self._events if before is None else min(before, self._events)
        for index in self._candidates(event, after + 1, end):
            found = self[index]
            if (event is None or found.get("event") == event) and (task is None or found.get("task") == task):
                yield found

    def kinds(self) -> Counter[str]:
        """How many events there are of each kind, without decoding them."""
        end = self._ends[self._events] + 1
        return Counter(kind.decode() for kind in KIND.findall(self.content, self._ends[0] + 1, end))

    def _candidates(self, event: str | None, start: int, end: int) -> Iterator[int]:
        """Indices from `start` to before `end` whose line may be an event of that kind."""
        if event is None:
            yield from range(start, end)
            return
        mark = b'"event":"%s"' % event.encode()
        while start < end:
            at = self.content.find(mark, self._ends[start] + 1, self._ends[end])
            if at < 0:
                return
            start = int(np.searchsorted(self._ends, at))
            yield start - 1

    @cached_property
    def _initial(self) -> State:
        cache = self.header.scenario["cache"]
        return State.initial(cache["n_pages"], cache["page_size"])

    def state_at(self, seq: int) -> State:
        """State after event `seq`; -1 gives the state before the first. A copy of its own.

        Rising `seq` cost one pass over the events between them; going back starts from
        the nearest of at most `MOST_CHECKPOINTS` states that were kept on the way.
        Raises IndexError beyond the last event.
        """
        if not -1 <= seq < self._events:
            raise IndexError(f"event {seq}: the trace has {self._events}")
        done, state = self._nearest(seq)
        for index in range(done + 1, seq + 1):
            state.apply(self[index])
            if index + 1 == len(self._checkpoints) * self._spacing:
                self._checkpoints.append(state.copy())
        self._last = seq, state
        return state.copy()

    def _nearest(self, seq: int) -> tuple[int, State]:
        """The latest known state up to `seq`, and after which event it is."""
        if not self._checkpoints:
            self._checkpoints.append(self._initial)
        kept = min((seq + 1) // self._spacing, len(self._checkpoints) - 1)
        done = kept * self._spacing - 1
        if self._last is not None and done <= self._last[0] <= seq:
            return self._last
        return done, self._checkpoints[kept].copy()


def _gunzip(path: Path, packed: bytes) -> tuple[bytes, bool]:
    """What a gzip file holds, and whether its end is missing. Raises TraceError."""
    decoder = zlib.decompressobj(wbits=31)
    content = bytearray()
    try:
        for start in range(0, len(packed), CHUNK):
            content += decoder.decompress(packed[start : start + CHUNK])
    except zlib.error as error:
        if not content:
            raise TraceError(path, None, "not a gzip file: record it again") from None
        raise TraceError(
            path, content.count(b"\n") + 1, f"the gzip data is damaged from here on ({error}): get the file again"
        ) from None
    if decoder.unused_data:
        raise TraceError(path, None, "something follows the gzip data: get the file again")
    return bytes(content), not decoder.eof
