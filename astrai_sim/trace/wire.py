"""Lines of the file: JSON in one of two dialects, read as the one vocabulary of `trace.events`.

Format version 1 has `page_*` and `token` lines in full detail, and `pages_*` and `tokens` lines
with runs of pages ([first, count], a negative count counting down) in bulk. Masks are in hex. Where
all of a list's numbers are equal, one number stands for `refs` and `counts`. What a line must have
is what its struct in `DIALECTS` has without a default; other fields are passed over.
"""

import re
from collections.abc import Callable, Sequence
from functools import reduce
from operator import or_
from typing import Any, NamedTuple

import msgspec
from msgspec import NODEFAULT, Struct

from astrai_sim.trace import events as ev
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.digests import from_runs
from astrai_sim.trace.events import Event
from astrai_sim.trace.header import MEMBERSHIP, PHASES
from astrai_sim.trace.numbers import Int, Length


class Said(NamedTuple):
    """A field as a line has it: of which type, by which name, and what the event makes of (its value, the line)."""

    type: Any
    name: str | None = None
    make: Callable[[Any, Any], Any] | None = None
    default: Any = NODEFAULT


def _line(kind: type[Event], *, tag: str | None = None, without: str = "", **fields: Any) -> type[Event]:
    """The line of an event: its struct `without` some fields, and with others as a `Said` has them, or of a type."""
    said = {name: how if isinstance(how, Said) else Said(how) for name, how in fields.items()}
    said |= {name: Said(None, f"({name})", None, None) for name in without.split()}
    line: Any = msgspec.defstruct(
        f"{kind.__name__}{len(globals())}",
        [(name, how.type, msgspec.field(name=how.name or name, default=how.default)) for name, how in said.items()],
        bases=(kind,),
        tag=tag or kind.event,
        kw_only=True,
        module=__name__,
        namespace={"made": [(name, how.make) for name, how in said.items() if how.make]},
    )
    globals()[line.__name__] = line  # a pickled event is looked up by this name
    return line


def _one(value: Any, line: Any) -> list[Any] | None:
    return None if value is None else [value]


def _from_hex(value: str | None, line: Any) -> int | None:
    return None if value is None else int(value, 16)


def _from_word(value: tuple[int, str] | None, line: Any) -> tuple[int, int] | None:
    return None if value is None else (value[0], int(value[1], 16))


def _count(field: str) -> Said:
    """How many there are in the line's `field`."""
    return Said(None, "(count)", lambda _, line: len(getattr(line, field)), None)


def _each(name: str, field: str) -> Said:
    """One number for each in the line's `field`."""

    def make(given: int | list[int], line: Any) -> list[int]:
        n = len(getattr(line, field))
        if isinstance(given, int):
            return [given] * n
        if len(given) != n:
            raise ValueError(f"{len(given)} {name} for {n}")
        return given

    return Said(Int | list[Int], make=make)


ARRIVAL, DURATION = Said(Length | None, default=None), Said(Int | None, default=None)
"""Other engines may leave them out: the reader puts in what follows from the rest."""
MASK = Said(str, make=_from_hex)
MAYBE_MASK = Said(str | None, make=_from_hex, default=None)
PAGE = Said(Int, "page", _one)
KEY = Said(str | None, "key", _one, None)
RUNS = Said(list[tuple[Int, Int]], "runs", lambda runs, _: from_runs(runs))
COUNTED = (ev.PagesAlloc, ev.PagesRef, ev.PagesRevived, ev.PagesFree, ev.PagesCached)
TABLED = (ev.TaskAdmitted, ev.TaskPreempted)
BOTH = (
    *(ev.TaskPrefilled, ev.Chunk, ev.TaskFinished, ev.SettingChanged, ev.PhaseBegin, ev.PrefixMiss),
    _line(ev.StepEnd, duration_ns=DURATION),
    *(_line(ev.PrefixReset, mask=MAYBE_MASK), _line(ev.KvLengths, counts=_each("counts", "tasks"))),
)
FULL = (
    _line(ev.TaskSubmitted, prompt=list[Length], prompt_len=_count("prompt"), arrival_step=ARRIVAL),
    *(_line(kind, without="table", pages=list[Int], n_pages=_count("pages")) for kind in TABLED),
    _line(
        ev.Tokens,
        tag="token",
        without="counts",
        tasks=Said(str, "task", _one),
        ids=Said(Length, "id", _one),
        texts=Said(str | None, "text", _one, None),
        index=Length,
        position=Length,
    ),
    _line(ev.StepBegin, waiting=list[str], running=list[str]),
    _line(ev.PhaseEnd, tasks=list[str], n_tasks=_count("tasks"), duration_ns=DURATION),
    *(
        _line(
            kind,
            tag=kind.event.replace("pages", "page"),
            without="free words",
            pages=PAGE,
            task=str | None,
            logical=Int | None,
            refs=Said(Int, "ref", _one),
            mask=MAYBE_MASK,
            word=Said(tuple[Int, str] | None, make=_from_word, default=None),
        )
        for kind in COUNTED
    ),
    _line(ev.PagesEvicted, tag="page_evicted", without="task logical cached", pages=PAGE, keys=KEY),
    _line(ev.PagesKeyed, tag="page_keyed", pages=PAGE, task=str, logical=Int),
    *(ev.PrefixHit, ev.Table, ev.KvWrite, ev.Gather, ev.Lines),
    _line(
        ev.Snapshot,
        without="cached digests",
        mask=MASK,
        refs=list[Int],
        tables=dict[str, list[Int]],
        lengths=dict[str, Length],
    ),
)
BULK = (
    _line(ev.TaskSubmitted, prompt=Said(list[Length] | None, default=None), arrival_step=ARRIVAL),
    *(_line(kind, without="pages") for kind in TABLED),
    _line(ev.Tokens, without="index position"),
    ev.StepBegin,
    _line(ev.PhaseEnd, duration_ns=DURATION),
    *(
        _line(
            kind,
            without="mask word lru",
            pages=RUNS,
            task=str | None,
            logical=Int | None,
            refs=_each("refs", "pages"),
            free=Int,
        )
        for kind in COUNTED
    ),
    _line(ev.PagesEvicted, without="keys lru", pages=RUNS, task=str | None, logical=Int | None, cached=Int),
    _line(ev.PagesKeyed, pages=RUNS, task=str, logical=Int),
    _line(ev.PrefixHit, pages=RUNS),
    _line(ev.Snapshot, without="refs tables lengths lru reached", mask=MASK, cached=Int),
)
DIALECTS: dict[str, tuple[type[Event], ...]] = {
    "full": (*BOTH, *FULL),
    "bulk": (*BOTH, *BULK),
    MEMBERSHIP: BLOCK_EVENTS,
}
"""Lines by the detail of a recording, or by what it knows."""


class _Kind(Struct):
    event: str


UNREADABLE = (msgspec.DecodeError, RecursionError)
"""What decoding a line raises where it is none."""
_KIND = msgspec.json.Decoder(_Kind)


class LineReader:
    """Reads the lines of a recording of that detail, by an engine with these phases."""

    def __init__(self, detail: str, phases: Sequence[str] = PHASES) -> None:
        self.detail, self.phases = detail, (None, *phases)
        self.names = {str(line.__struct_config__.tag): line.event for line in DIALECTS[detail]}
        decoder = msgspec.json.Decoder(reduce(or_, DIALECTS[detail]))
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines

    def kind(self, line: bytes) -> str:
        """The kind of a line's event, for little. Raises ValueError."""
        try:
            return self.names[_KIND.decode(line).event]
        except KeyError as error:
            raise ValueError(f"unknown event {error} in a recording of {self.detail} detail") from None
        except UNREADABLE as error:
            raise ValueError(plain(error)) from None

    def kinds(self, lines: bytes) -> list[str]:
        """The kinds of the events of several lines. Raises ValueError where any is none."""
        try:
            return [self.names[line.event] for line in _KIND.decode_lines(lines)]
        except (*UNREADABLE, KeyError) as error:
            raise ValueError(str(error)) from None

    def event(self, line: bytes, number: int) -> Event:
        """A line's event, with its `number` in the file. Raises ValueError saying what is wrong."""
        try:
            event = self._decode(line)
        except UNREADABLE as error:
            self.kind(line)
            raise ValueError(plain(error)) from None
        return self._made(event, number)

    def events(self, lines: bytes, number: int) -> list[Event]:
        """The events of several lines, of which the first has that `number`; fewer where some are empty or events go
        over their ends. Quicker than one by one, but for what it raises, ValueError, which does not say where it is."""
        try:
            events = self._decode_lines(lines)
        except UNREADABLE as error:
            raise ValueError(str(error)) from None
        return [self._made(event, at) for at, event in enumerate(events, number)]

    def _made(self, event: Event, number: int) -> Event:
        if event.phase not in self.phases:
            known = ", ".join(self.phases[1:] or ("it has none",))
            raise ValueError(f"phase: {event.phase!r} is none of the header's: {known}")
        for name, make in event.made:
            setattr(event, name, make(getattr(event, name), event))
        event.line = number
        return event


def plain(error: msgspec.DecodeError | RecursionError) -> str:
    """What is wrong with a line, in words: the field, and what it should be."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    text = str(error)
    if not isinstance(error, msgspec.ValidationError):
        return f"not JSON: {text}"
    text, _, path = text.partition(" - at `$")
    where = path.rstrip("`").lstrip(".")
    missing = re.fullmatch(r"Object missing required field `(.*)`", text)
    if missing:
        name = f"{where}.{missing[1]}" if where else missing[1]
        return f"the field {name!r} is missing"
    if not where:
        return "not a JSON object" if text.startswith("Expected `object`") else text
    text = text.replace("`", "").replace(" | null", " or null")
    return f"{where}: {text[:1].lower()}{text[1:]}"
