"""Reading traces: lazily decoded events, and the state at any of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from astrai_sim.trace.errors import TraceError
from astrai_sim.trace.events import SCHEMA, VERSION, Event
from astrai_sim.trace.header import Footer, Header
from astrai_sim.trace.state import State

CHECKPOINT = 256


class Trace:
    """A trace file.

    Indexing and iteration give events, decoded when they are asked for;
    `state_at` gives the whole state after an event. A file without a footer
    (a recording that was cut short) has `complete` False and holds the events
    up to the cut.
    """

    def __init__(self, path: Path, content: bytes, cut: bool) -> None:
        self.path = path
        self.content = content
        lines = content.split(b"\n")
        rest = lines.pop()
        self.torn = bool(rest) or cut
        if not lines:
            raise TraceError(path, 1, "empty: record the trace again")
        self.header = self._header(lines[0])
        self.footer: Footer | None = None
        self._lines = lines[1:]
        if self._lines and self._lines[-1].startswith(b'{"type":"footer"'):
            self.footer = self._footer(self._lines.pop())
        self._checkpoints: list[State] = []

    @classmethod
    def open(cls, path: str | Path) -> Trace:
        """Open a trace. Raises TraceError for what is not one."""
        path = Path(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise TraceError(path, None, f"cannot be read: {error.strerror}") from None
        cut = False
        if path.suffix == ".gz":
            decoder = zlib.decompressobj(wbits=31)
            try:
                content = decoder.decompress(content)
            except zlib.error:
                raise TraceError(path, None, "not a gzip file: record it again") from None
            cut = not decoder.eof
        return cls(path, content, cut)

    def _header(self, line: bytes) -> Header:
        data = self._json(line, 1)
        if data.get("schema") != SCHEMA:
            raise TraceError(self.path, 1, f"not a trace: the first line has no {SCHEMA!r} schema")
        if data.get("version") != VERSION:
            raise TraceError(
                self.path, 1, f"version {data.get('version')} is not {VERSION}: record it again"
            )
        try:
            return Header.of(data)
        except KeyError as error:
            raise TraceError(self.path, 1, f"the header has no {error}") from None

    def _footer(self, line: bytes) -> Footer:
        number = len(self._lines) + 2
        try:
            return Footer.of(self._json(line, number))
        except KeyError as error:
            raise TraceError(self.path, number, f"the footer has no {error}") from None

    def _json(self, line: bytes, number: int) -> dict:
        try:
            data = json.loads(line)
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

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, index: int) -> Event:
        if index < 0:
            index += len(self._lines)
        return Event(self._json(self._lines[index], index + 2), index + 2)

    def __iter__(self) -> Iterator[Event]:
        for index in range(len(self._lines)):
            yield self[index]

    def find(
        self,
        event: str | None = None,
        task: str | None = None,
        after: int = -1,
        before: int | None = None,
    ) -> Iterator[Event]:
        """Events of a kind and task with `after` < seq < `before`, in order."""
        mark = b'"event":"%s"' % event.encode() if event else b""
        end = len(self._lines) if before is None else min(before, len(self._lines))
        for index in range(after + 1, end):
            if mark in self._lines[index]:
                found = self[index]
                if (event is None or found.event == event) and (
                    task is None or found.get("task") == task
                ):
                    yield found

    @cached_property
    def _initial(self) -> State:
        cache = self.header.scenario["cache"]
        return State.initial(cache["n_pages"], cache["page_size"])

    def state_at(self, seq: int) -> State:
        """State after event `seq`; -1 gives the state before the first. A copy of its own.

        Raises IndexError beyond the last event.
        """
        if not -1 <= seq < len(self._lines):
            raise IndexError(f"event {seq}: the trace has {len(self._lines)}")
        if not self._checkpoints:
            self._checkpoints.append(self._initial)
        wanted = (seq + 1) // CHECKPOINT
        while len(self._checkpoints) <= wanted:
            start = (len(self._checkpoints) - 1) * CHECKPOINT
            state = self._checkpoints[-1].copy()
            for index in range(start, start + CHECKPOINT):
                state.apply(self[index])
            self._checkpoints.append(state)
        state = self._checkpoints[wanted].copy()
        for index in range(wanted * CHECKPOINT, seq + 1):
            state.apply(self[index])
        return state
