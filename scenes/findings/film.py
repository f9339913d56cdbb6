"""The film `Findings`: for each kind of finding the first one, event by event as it came about."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from astrai_sim.doctor import Finding, Kind, examine, kinds
from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import Said, say
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.question import Question
from scenes.parts.tape import Tape
from scenes.parts.wires import Wires
from scenes.stage.shot import Section
from scenes.stage.telling import Telling
from scenes.story.errors import DoesNotApply
from scenes.story.limits import LARGEST
from scenes.story.measures import Ask
from scenes.story.needs import PAGES, Needs
from scenes.story.words import are, pages_text

MOST_EVENTS, CAST, NAMED, SHOWN = 6, 2, 4, 8
"""Events of a finding that are shown, the last ones; requests with a tape; pages that are named one by one; and that
are shown of a pool that is too large to be shown whole."""
READ, LAST = 1.6, 2.6
"""Seconds of a movement under a sentence about pages, and under the last one."""
ABOUT_PAGES = ("kv_write", "kv_lengths")
"""Events about pages that name them elsewhere."""


class FindingsTelling(Telling):
    """How each of the findings, one of a kind, came about."""

    shown: tuple[int, ...] = ()
    """Pages that are shown; none: all of them."""
    needs = Needs({"step_begin": "a step"}, single=PAGES["single"])

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        found = examine(trace).findings
        if not found:
            raise DoesNotApply(f"{film} shows what the doctor finds, and it finds nothing in this trace")
        self.first: dict[str, Finding] = {}
        for finding in found:
            self.first.setdefault(finding.kind, finding)
        self.kinds = {kind.name: kind for kind in kinds()}

    def sections(self) -> Iterator[Section]:
        for finding in self.first.values():
            yield self.finding(finding, self.kinds[finding.kind])

    def finding(self, finding: Finding, kind: type[Kind]) -> Section:
        """The question, the events that led there, and what they come to."""
        told = [seq for seq in finding.events if self.trace[seq].event in SENTENCES]
        events = told[-MOST_EVENTS:] or [finding.events[-1]]
        cast = self.cast(finding)
        self.shown = self.some_pages(finding, events, cast)
        self.begin(events[0] - 1)
        asked = Question(say(kind.asks))
        self.shot(None, self.act(asked, *self.parts((), cast)), subject=("question",))
        for seq in events:
            pages = self.acting(seq, finding)
            acts = self.pass_time(*self.parts(pages, cast), until=seq - 1, seconds=2.0)
            acts.append(
                self.act(
                    *self.parts(pages, cast), until=max(self.at, self.settled(seq)), seconds=READ if pages else None
                )
            )
            subject = ("pool", pages[0]) if pages else ("tape", *cast[:1]) if cast else ("pool",)
            self.shot(self.sentence(seq, pages), *acts, subject=subject)
        told = say(kind.shows, pages=self.pages_of(finding.pages))
        last = replace(self.pool(finding.pages), alarm=tuple(finding.pages))
        self.shot(told, self.act(*self.parts((), cast)[:-1], last, seconds=LAST), subject=("pool", *finding.pages[:1]))
        return self.section(finding.kind.replace(" ", "-"), say(finding.kind), cut=True)

    def acting(self, seq: int, finding: Finding) -> list[int]:
        """Pages of a finding that an event is about."""
        event = self.trace[seq]
        named = finding.pages if event.event in ABOUT_PAGES else getattr(event, "pages", None) or ()
        return [page for page in named if page in finding.pages and event.event != "task_admitted"]

    def cast(self, finding: Finding) -> tuple[str, ...]:
        """Requests that have a tape: those of the finding, else those of its events."""
        named = (task for seq in finding.events if (task := getattr(self.trace[seq], "task", None)))
        return tuple(task for task in dict.fromkeys((*finding.requests, *named)) if task in self.requests)[:CAST]

    def some_pages(self, finding: Finding, events: Sequence[int], cast: tuple[str, ...]) -> tuple[int, ...]:
        """Pages that are shown: all, or those of the finding first, and those that the cast has."""
        if self.ask.n_pages <= LARGEST:
            return ()
        tables = [self.state(seq).tables for seq in (*events, self.end)]
        held = [page for table in tables for task in cast for page in table.get(task, ())]
        return tuple(sorted([*dict.fromkeys((*finding.pages, *held))][:SHOWN]))

    def pool(self, pages: Sequence[int]) -> Pool:
        """The pool, or what is shown of it, in which `pages` act."""
        seen = tuple(page for page in pages if not self.shown or page in self.shown)
        return Pool(seen, bits=not self.shown, pages=self.shown)

    def parts(self, pages: Sequence[int], cast: tuple[str, ...]) -> tuple[Part, ...]:
        """Tapes, wires of the first of them, and the pool, in which `pages` act."""
        pool = self.pool(pages)
        return (Tape(cast, asks=True, rows=len(cast)), Wires(cast[0]), pool) if cast else (pool,)

    def settled(self, seq: int) -> int:
        """The event by which the table follows a page that came."""
        after = self.trace[seq + 1] if seq < self.end else None
        return seq + 1 if after is not None and after.event == "table" and after.pages else seq

    def pages_of(self, pages: Sequence[int]) -> Said:
        return pages_text(self.ask.pages(pages), NAMED, runs=True) if pages else say("no page")

    def sentence(self, seq: int, pages: Sequence[int]) -> Said | None:
        """What happens in an event; None where nothing is said of its kind."""
        event = self.trace[seq]
        telling = SENTENCES.get(event.event)
        return None if telling is None else telling(self.ask, event, self.pages_of(pages), are(pages))


Sentence = Callable[[Ask, Any, Said, str], Said]
SENTENCES: dict[str, Sentence] = {
    "task_submitted": lambda ask, e, *_: say("{} comes.", ask.name(e.task)),
    "task_admitted": lambda ask, e, *_: say("{} is admitted.", ask.name(e.task)),
    "task_preempted": lambda ask, e, *_: say("{} is preempted.", ask.name(e.task)),
    "task_finished": lambda ask, e, *_: say("{} is finished.", ask.name(e.task)),
    "pages_alloc": lambda ask, e, pages, are: say("{} {} handed out.", pages, are).capitalised(),
    "pages_ref": lambda ask, e, pages, are: say("{} {} shared.", pages, are).capitalised(),
    "pages_revived": lambda ask, e, pages, are: say("{} {} taken from the cache again.", pages, are).capitalised(),
    "pages_free": lambda ask, e, pages, are: say("{} {} let go.", pages, are).capitalised(),
    "pages_cached": lambda ask, e, pages, are: say("{} {} let go, and stays cached.", pages, are).capitalised(),
    "pages_evicted": lambda ask, e, pages, are: say("{} {} evicted.", pages, are).capitalised(),
    "pages_keyed": lambda ask, e, pages, are: say("{} can be found from now on.", pages).capitalised(),
    "prefix_hit": lambda ask, e, pages, are: say("A lookup for {} finds {}.", ask.name(e.task), pages),
    "prefix_miss": lambda ask, e, *_: say("A lookup for {} finds nothing more.", ask.name(e.task)),
    "kv_write": lambda ask, e, pages, are: say("K and V fill {}.", pages),
    "kv_lengths": lambda ask, e, pages, are: say("K and V fill {}.", pages),
}


class Findings(FilmScene):
    """What is wrong with an engine's memory management, as it came about."""

    default_trace = ""
    chapters = FindingsTelling
