"""A trace as tables: events, tokens, what requests did, requests, steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from types import NoneType
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from astrai_sim.exports.lives import CHUNK, Lives, Mark
from astrai_sim.trace import RequestTimes, Series, Trace
from astrai_sim.trace import events as ev
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.series import Counting

KINDS = {int: "int", float: "float", str: "text", list[int]: "ints", list[str]: "texts"}
"""Kinds of columns: whole numbers of 64 bits, numbers of 64 bits, text, and lists of those."""
KNOWN = (*ev.EVENTS, *BLOCK_EVENTS)
"""Kinds of events."""
COMMON = ("seq", "step", "phase", "ns")
MASK = "mask"
"""The field whose number has a bit for each page: hexadecimal in a column of text."""
DETAILS = "details"


class Column(NamedTuple):
    """A column of one of `KINDS`. Any cell can be empty (None)."""

    name: str
    kind: str


@dataclass(frozen=True)
class Table:
    """A table: its name, and its columns in the order of a row's cells."""

    name: str
    columns: tuple[Column, ...]


Put = Callable[[Table, tuple[Any, ...]], None]
"""Takes a row of a table."""


def _kind(name: str, hint: Any) -> str | None:
    """The kind of the column for fields of that name and type; None where no kind can hold them."""
    if name == MASK or get_origin(hint) is Literal:
        return "text"
    options = [one for one in get_args(hint) if one is not NoneType] if NoneType in get_args(hint) else [hint]
    return KINDS.get(options[0]) if len(options) == 1 else None


def _event_columns() -> Iterator[Column]:
    """A column for each field that is of one kind wherever it occurs, and one for all others."""
    found: dict[str, set[str | None]] = {}
    for event in KNOWN:
        for name, hint in get_type_hints(event).items():
            if name in event.__struct_fields__ and name != "line":
                found.setdefault(name, set()).add(_kind(name, hint))
    plain = {name: kind for name, kinds in found.items() for kind in kinds if len(kinds) == 1 and kind}
    yield from (Column(name, plain[name]) for name in COMMON)
    yield Column("event", "text")
    yield from (Column(name, plain[name]) for name in sorted(plain.keys() - {*COMMON}))
    yield Column(DETAILS, "text")


EVENTS = Table("events", tuple(_event_columns()))
TOKENS = Table(
    "tokens",
    (
        *(Column("seq", "int"), Column("step", "int"), Column("ns", "int"), Column("task", "text")),
        *(Column("index", "int"), Column("source", "text"), Column("id", "int"), Column("text", "text")),
    ),
)
SPANS = Table(
    "spans",
    (
        *(Column("task", "text"), Column("what", "text"), Column("begin_ns", "int"), Column("end_ns", "int")),
        *(Column("start", "int"), Column("end", "int")),
    ),
)
TIMES = [item.name for item in fields(RequestTimes)][1:-1]
REQUESTS = Table(
    "requests",
    (Column("task", "text"), *(Column(name, "int") for name in TIMES), Column("time_to_first_token_ns", "int")),
)
STEPS = Table("steps", tuple(Column(item.name, "int") for item in fields(Series)))
TABLES = (EVENTS, TOKENS, SPANS, REQUESTS, STEPS)


def fill(trace: Trace, put: Put) -> None:
    """Give `put` every row of `TABLES`, in two passes over the events; raises as reading and replaying them does.

    Rows of a table come in its order: events as they are, tokens as they were got, spans as they ended (those that
    never did last), requests as they were submitted, steps as they were done.
    """
    series = _filled(trace, put)
    known = trace.header.membership_only
    for row in zip(*(getattr(series, column.name).tolist() for column in STEPS.columns), strict=True):
        put(STEPS, tuple(None if known and cell < 0 else cell for cell in row))
    times = RequestTimes.of(trace)
    columns = [getattr(times, name) for name in TIMES] + [times.time_to_first_token_ns]
    for name, *cells in zip(times.names, *(column.tolist() for column in columns), strict=True):
        put(REQUESTS, (name, *(None if cell < 0 else cell for cell in cells)))


def _filled(trace: Trace, put: Put) -> Series:
    """The series, with events, tokens and spans put into their tables on the way."""
    counting, spans, generated = Counting(), _Spans(put), dict[str, int]()
    for event, state in trace.replayed():
        put(EVENTS, event_row(event))
        spans.follow(event)
        match event:
            case ev.TaskSubmitted(task=task):
                generated[task] = 0
            case ev.Tokens():
                for i, task in enumerate(event.tasks):
                    token = event.ids and event.ids[i], event.texts and event.texts[i]
                    put(TOKENS, (event.seq, event.step, event.ns, task, generated[task], event.source, *token))
                    generated[task] += 1
        counting.take(event, state)
    spans.end()
    return counting.series()


class _Cells:
    """Which fields of a kind of event go into which cells of its row."""

    def __init__(self, kind: type[ev.Event]) -> None:
        places = {column.name: i for i, column in enumerate(EVENTS.columns)}
        names = [name for name in kind.__struct_fields__ if name != "line"]
        self.plain = [(places[name], name) for name in names if name in places]
        self.others = [name for name in names if name not in places]
        self.event = places["event"], kind.event
        self.mask = places[MASK] if MASK in names else None


_CELLS = {kind.event: _Cells(kind) for kind in KNOWN}


def event_row(event: ev.Event) -> tuple[Any, ...]:
    """The row of an event; `details` is JSON, an object with the fields that have no column of their own."""
    cells = _CELLS[event.event]
    row: list[Any] = [None] * len(EVENTS.columns)
    for place, name in cells.plain:
        row[place] = getattr(event, name)
    place, kind = cells.event
    row[place] = kind
    if cells.mask is not None and (mask := row[cells.mask]) is not None:
        row[cells.mask] = hex(mask)
    told = {name: value for name in cells.others if (value := getattr(event, name)) is not None}
    row[-1] = msgspec.json.encode(told).decode() if told else None
    return tuple(row)


class _Spans:
    """Puts what requests did into a table, when it has ended."""

    def __init__(self, put: Put) -> None:
        self._put, self._lives = put, Lives()
        self._open: dict[str, list[Mark]] = {}

    def follow(self, event: ev.Event) -> None:
        for mark in self._lives.follow(event):
            begun = self._open.setdefault(mark.task, [])
            if mark.what is None:
                self._row(begun.pop(), mark.ns)
            else:
                begun.append(mark)

    def end(self) -> None:
        for begun in self._open.values():
            for mark in begun:
                self._row(mark, None)

    def _row(self, begun: Mark, end_ns: int | None) -> None:
        tokens = (begun.facts["start"], begun.facts["end"]) if begun.what == CHUNK else (None, None)
        self._put(SPANS, (begun.task, begun.what, begun.ns, end_ns, *tokens))
