"""Lines of the file: JSON in one of two dialects, read as the one vocabulary of `trace.events`.

Format version 1 has `page_*` and `token` lines in full detail, and `pages_*` and `tokens` lines
with runs of pages ([first, count], a negative count counting down) in bulk. Masks are in hex. Where
all of a list's numbers are equal, one number stands for `refs` and `counts`. What a line must have
is what its struct here, or the event's own, has without a default; other fields are passed over.
"""

import re
from functools import cache
from typing import Any, ClassVar

import msgspec
from msgspec import Struct

from astrai_sim.trace import events as ev
from astrai_sim.trace.digests import from_runs
from astrai_sim.trace.events import Event


@cache
def _shared(line: type[Event], kind: type[Event]) -> tuple[str, ...]:
    """Fields that a line has like its event."""
    return tuple(name for name in kind.__struct_fields__ if name in line.__struct_fields__)


class FileLine(Event):
    """A line that is not what its event is."""

    kind: ClassVar[type[Event]]

    def told(self) -> Event:
        """The event. Raises ValueError for what cannot be."""
        return self._as()

    def _as(self, **changes: Any) -> Event:
        for name in _shared(type(self), self.kind):
            if name not in changes:
                changes[name] = getattr(self, name)
        return self.kind(**changes)


class Masked(FileLine):
    mask: str

    def told(self) -> Event:
        return self._as(mask=int(self.mask, 16))


class InRuns(FileLine):
    runs: list[tuple[int, int]]

    def told(self) -> Event:
        return self._as(pages=from_runs(self.runs))


class WithTable(FileLine):
    task: str
    tokens: int
    pages: list[int]

    def told(self) -> Event:
        return self._as(n_pages=len(self.pages))


def _needs(kind: type[Event], **fields: Any) -> type[Event]:
    """The event's own line, with these of its fields required."""
    line: Any = msgspec.defstruct(kind.__name__, [*fields.items()], bases=(kind,), kw_only=True)
    return line


# full detail


class FullSubmitted(FileLine, tag="task_submitted"):
    kind = ev.TaskSubmitted
    task: str
    prompt: list[int]
    max_tokens: int
    arrival_step: int
    arrival_s: float | None = None
    texts: list[str] | None = None

    def told(self) -> Event:
        return self._as(prompt_len=len(self.prompt))


class FullAdmitted(WithTable, tag="task_admitted"):
    kind = ev.TaskAdmitted
    cached_tokens: int


class FullPreempted(WithTable, tag="task_preempted"):
    kind = ev.TaskPreempted


class Token(FileLine):
    kind = ev.Tokens
    task: str
    id: int
    index: int
    position: int
    source: str
    text: str | None = None

    def told(self) -> Event:
        return self._as(tasks=[self.task], ids=[self.id], texts=None if self.text is None else [self.text])


FullStepBegin = _needs(ev.StepBegin, waiting=list[str], running=list[str])


class FullPhaseEnd(FileLine, tag="phase_end"):
    kind = ev.PhaseEnd
    duration_ns: int
    tasks: list[str]

    def told(self) -> Event:
        return self._as(n_tasks=len(self.tasks))


class OnePage(FileLine):
    page: int
    task: str | None
    logical: int | None
    ref: int
    mask: str | None = None
    word: tuple[int, str] | None = None
    lru: list[int] | None = None

    def told(self) -> Event:
        mask = None if self.mask is None else int(self.mask, 16)
        word = None if self.word is None else (self.word[0], int(self.word[1], 16))
        return self._as(pages=[self.page], refs=[self.ref], mask=mask, word=word)


class PageEvicted(FileLine):
    kind = ev.PagesEvicted
    page: int
    key: str
    lru: list[int] | None = None

    def told(self) -> Event:
        return self._as(pages=[self.page], keys=[self.key])


class PageKeyed(FileLine):
    kind = ev.PagesKeyed
    page: int
    task: str
    logical: int
    key: str
    parent: str

    def told(self) -> Event:
        return self._as(pages=[self.page])


class FullSnapshot(Masked, tag="snapshot"):
    kind = ev.Snapshot
    refs: list[int]
    tables: dict[str, list[int]]
    lengths: dict[str, int]
    lru: list[int] | None = None


# bulk detail


class BulkSubmitted(ev.TaskSubmitted, tag="task_submitted", kw_only=True):
    prompt: list[int] | None = None


BulkAdmitted = _needs(ev.TaskAdmitted, table=str)
BulkPreempted = _needs(ev.TaskPreempted, table=str)
BulkTokens = _needs(ev.Tokens, counts=str)


class Runs(FileLine):
    task: str | None
    logical: int | None
    runs: list[tuple[int, int]]
    refs: int | list[int]
    free: int
    words: str

    def told(self) -> Event:
        pages = from_runs(self.runs)
        return self._as(pages=pages, refs=_each(self.refs, pages, "refs"))


class RunsEvicted(InRuns, tag="pages_evicted"):
    kind = ev.PagesEvicted
    task: str | None
    logical: int | None
    cached: int


class RunsKeyed(InRuns, tag="pages_keyed"):
    kind = ev.PagesKeyed
    task: str
    logical: int
    parent: str
    key: str


class RunsHit(InRuns, tag="prefix_hit"):
    kind = ev.PrefixHit
    task: str
    tokens: int


class BulkSnapshot(Masked, tag="snapshot"):
    kind = ev.Snapshot
    cached: int
    digests: ev.Digests


# both


class Reset(Masked, tag="prefix_reset"):
    kind = ev.PrefixReset


class Lengths(FileLine, tag="kv_lengths"):
    kind = ev.KvLengths
    tasks: list[str]
    counts: int | list[int]
    lengths: str

    def told(self) -> Event:
        return self._as(counts=_each(self.counts, self.tasks, "counts"))


def _each(given: int | list[int], what: list[Any], name: str) -> list[int]:
    """One number for each of `what`."""
    if isinstance(given, int):
        return [given] * len(what)
    if len(given) != len(what):
        raise ValueError(f"{len(given)} {name} for {len(what)}")
    return given


def _counted(line: type[FileLine], one: bool) -> tuple[Any, ...]:
    """Lines about pages and their refcounts, a kind each: `page_alloc` or `pages_alloc`."""
    kinds = (ev.PagesAlloc, ev.PagesRef, ev.PagesRevived, ev.PagesFree, ev.PagesCached)
    tags = {kind: ev.kind_of(kind.__name__.replace("Pages", "Page" if one else "Pages")) for kind in kinds}
    return tuple(
        msgspec.defstruct(f"{line.__name__}{kind.__name__}", [], bases=(line,), tag=tag, namespace={"kind": kind})
        for kind, tag in tags.items()
    )


BOTH = (
    *(ev.TaskPrefilled, ev.Chunk, ev.TaskFinished, ev.SettingChanged, ev.StepEnd, ev.PhaseBegin, ev.PrefixMiss),
    *(Reset, Lengths),
)
DIALECTS: dict[str, tuple[type[Event], ...]] = {
    "full": (
        *(*BOTH, FullSubmitted, FullAdmitted, FullPreempted, Token, FullStepBegin, FullPhaseEnd, FullSnapshot),
        *(*_counted(OnePage, True), PageEvicted, PageKeyed),
        *(ev.PrefixHit, ev.Table, ev.KvWrite, ev.Gather, ev.Lines),
    ),
    "bulk": (
        *(*BOTH, BulkSubmitted, BulkAdmitted, BulkPreempted, BulkTokens, ev.StepBegin, ev.PhaseEnd, BulkSnapshot),
        *(*_counted(Runs, False), RunsEvicted, RunsKeyed, RunsHit),
    ),
}


class _Kind(Struct):
    event: str


UNREADABLE = (msgspec.DecodeError, RecursionError)
"""What decoding a line raises where it is none."""
_KIND = msgspec.json.Decoder(_Kind)


class LineReader:
    """Reads the lines of a recording of that detail."""

    def __init__(self, detail: str) -> None:
        lines = DIALECTS[detail]
        self.detail = detail
        self.names: dict[str, str] = {
            str(line.__struct_config__.tag): str(getattr(line, "kind", line).__struct_config__.tag) for line in lines
        }
        union: Any = lines[0]
        for line in lines[1:]:
            union |= line
        self._decode = msgspec.json.Decoder(union).decode

    def kind(self, line: bytes) -> str:
        """The kind of a line's event, for little. Raises ValueError."""
        try:
            return self.names[_KIND.decode(line).event]
        except KeyError as error:
            raise ValueError(f"unknown event {error} in a recording of {self.detail} detail") from None
        except UNREADABLE as error:
            raise ValueError(plain(error)) from None

    def event(self, line: bytes, number: int) -> Event:
        """A line's event, with its `number` in the file. Raises ValueError saying what is wrong."""
        try:
            event = self._decode(line)
        except UNREADABLE as error:
            self.kind(line)
            raise ValueError(plain(error)) from None
        if isinstance(event, FileLine):
            event = event.told()
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
        return "not a JSON object"
    text = text.replace("`", "").replace(" | null", " or null")
    return f"{where}: {text[:1].lower()}{text[1:]}"
