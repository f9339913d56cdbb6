"""The film `PrefixSharing`: one prefix, computed once, held by many tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from astrai_sim.trace import Trace
from astrai_sim.trace.events import (
    PagesAlloc,
    PagesCached,
    PagesFree,
    PagesKeyed,
    PagesRef,
    PagesRevived,
    PrefixHit,
    TaskAdmitted,
)
from scenes.film.scene import FilmScene
from scenes.measures import say
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.question import Question, Takeaway
from scenes.parts.tape import Tape
from scenes.parts.wires import MOST, Wires
from scenes.stage.racing import RaceTelling
from scenes.stage.shot import Section
from scenes.stage.telling import ASIDE, MORE
from scenes.story.history.sure import sure
from scenes.story.words import counted, pages_text

E = TypeVar("E", PagesFree, PagesCached, PagesRef, PagesRevived)
SHOWN = 6
"""Most pages that are shown: shared ones first."""


class PrefixSharingTelling(RaceTelling):
    """How `owner` computed the pages `shared`, and what became of them after `sharer` hit them."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        self.worded = any(life.submitted.texts for life in self.requests.values())
        ref = self.need(
            PagesRef,
            "a request that hits pages of another one: record a scenario with "
            "prefix_caching = true and a shared [[prefix]]",
        )
        self.sharer = sure(ref.task)
        self.hit = sure(self.history.latest(PrefixHit, ref.seq))
        self.shared = list(self.hit.pages)
        keyed = [e for e in self.history.events(PagesKeyed, before=self.hit.seq) if e.page in self.shared]
        self.owner = sure(keyed[0].task)
        self.keyed = keyed[-1].seq
        self.admitted = sure(self.requests[self.sharer].admission(self.hit.seq))
        self.known = self.computed(self.sharer, self.admitted.seq)
        joins = list(self.to_come(PagesRef, self.known))
        peak = max(joins, key=lambda event: (event.ref, -event.seq), default=None)
        self.peak = peak if peak is not None and peak.ref >= 3 else None
        third = () if self.peak is None else (sure(self.peak.task),)
        self.cast = tuple(dict.fromkeys((self.owner, self.sharer, *third)))
        self.pages_shown = self.some_pages()

    def to_come(self, kind: type[E], after: int | None = None) -> Iterator[E]:
        """Events of a kind about a shared page after event `after`, else after what was told."""
        return (e for e in self.history.events(kind, self.at if after is None else after) if e.page in self.shared)

    def some_pages(self) -> tuple[int, ...]:
        """Pages that are shown: the shared ones, and those that the cast has besides, as far as there is room."""
        found = dict.fromkeys(self.shared)
        for task in self.cast:
            found |= dict.fromkeys(self.requests[task].admitted[0].pages or ())
        for task in self.cast:
            found |= dict.fromkeys(p for event in self.history.events(PagesAlloc, task=task) for p in event.pages)
        return tuple(sorted([*found][:SHOWN]))

    # what stands

    def parts(
        self, task: str = "", pages: Sequence[int] = (), tasks: tuple[str, ...] = (), lit: tuple[str, ...] = ()
    ) -> tuple[Part, ...]:
        """Tapes, wires of `task`, and the pool; `pages` of it act, with the tiles of those that are `lit`."""
        tables = self.state().tables
        marked = pages or self.shared
        tiles = tuple((one, i) for one in lit for i, page in enumerate(tables.get(one, self.shared)) if page in marked)
        places = tuple(range(min(MOST, len(self.shared))))
        return (
            Tape(tasks or self.cast, tiles, asks=True),
            Wires(task, places),
            Pool(tuple(pages), bits=False, pages=self.pages_shown),
        )

    def named(self, task: str, admitted: TaskAdmitted) -> int:
        """The event by which the table of `task` names all pages that were found for it."""
        found = admitted.cached_tokens // self.ask.size
        tables = self.history.events("table", before=admitted.seq, task=task)
        full = (event.seq for event in tables if event.seq > self.hit.seq and len(event.pages) >= found)
        return next(full, admitted.seq)

    # the story

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.first()
        yield self.second()
        pair = self.compared(self.owner, self.sharer)
        if pair is not None:
            self.begin()
            self.race(*pair, Tape(tuple(time.task for time in pair), asks=True))
            yield self.section("cost", "What it saves")
        if self.peak is not None:
            yield self.joins(self.peak)
        leaving = next((e for e in self.to_come(PagesFree) if e.ref), None)
        if leaving is not None:
            yield self.leaves(leaving)
        kept = next(self.to_come(PagesCached), None)
        if kept is not None:
            yield self.stays(kept)
        yield self.comes_to()

    def hook(self) -> Section:
        """The hit that is told, under the question."""
        task, admitted = self.sharer, self.admitted
        found, prompt = self.ask.found(task, admitted.seq), self.ask.prompt(task)
        asked = Question(say("Why does {} skip {} of its {} tokens?", self.ask.name(task), found, prompt))
        tasks = (task,)
        self.begin(self.hit.seq)
        self.shot(
            None,
            self.act(asked, *self.parts(tasks=tasks)),
            self.act(asked, *self.parts(task, (), tasks), until=self.named(task, admitted), seconds=1.2),
            self.act(asked, *self.parts(task, (), tasks), until=admitted.seq),
            self.act(asked, *self.parts(task, (), tasks), until=self.known),
            subject=("pool", self.shared[0]),
            rest=1.0,
        )
        return self.section("hook", self.trace.header.scenario.title, cut=True)

    def first(self) -> Section:
        ask, task = self.ask, self.owner
        name, submitted = ask.name(task), self.requests[task].submitted.seq
        admitted = [event for event in self.requests[task].admitted if event.seq < self.keyed][-1]
        self.begin(submitted - 1)
        self.shot(
            say("{} comes first: nothing of it is stored.", name),
            self.act(*self.parts()),
            self.act(*self.parts(), until=submitted, seconds=2.0),
            subject=("tape", task),
        )
        need = counted(ask.prompt_pages(task), "page")
        self.shot(
            say("{} tokens need {} of {} slots.", ask.prompt(task), need, ask.page_size()),
            self.act(*self.parts(pages=admitted.pages or ()), until=admitted.seq),
            subject=("pool",),
        )
        what = "word" if self.worded else "token"
        self.shot(
            f"So every {what} is computed: K and V fill the slots.",
            self.act(*self.parts(), until=max(self.keyed, self.computed(task, admitted.seq))),
            subject=("pool",),
        )
        return self.section("first", say("{} computes the prefix", name), cut=True)

    def second(self) -> Section:
        ask, task, admitted = self.ask, self.sharer, self.admitted
        name, named, both = ask.name(task), self.named(task, admitted), (task, self.owner)
        self.begin()
        begins = say("{} begins with the same {} tokens.", name, ask.found(task, admitted.seq))
        self.shot(
            begins,
            self.act(*self.parts(), until=max(self.at, self.requests[task].submitted.seq), seconds=1.8),
            subject=("tape", task),
        )
        self.shot(
            "Same tokens, same key: the pages are found.",
            self.act(*self.parts(lit=both), seconds=1.5),
            self.act(*self.parts(pages=self.shared, lit=both), seconds=1.5),
            self.act(*self.parts(pages=self.shared, lit=both), until=max(self.at, self.hit.seq)),
            subject=("pool", self.shared[0]),
        )
        ref = ask.ref(self.shared[0], named)
        own = [page for page in admitted.pages or () if page not in self.shared and page in self.pages_shown]
        self.shot(
            say("Its table names these pages: ref {}, nothing is copied.", ref),
            self.act(*self.parts(task, self.shared, lit=(task,)), until=named),
            self.act(*self.parts(task), seconds=0.8),
            subject=("pool", self.shared[0]),
        )
        done = self.requests[task].prefilled(admitted.seq + 1)
        told = None
        if done is not None:
            there = say(", in {}", pages_text(ask.pages(own), runs=True)) if own else ""
            told = say("Only the other {} are computed{}.", ask.computed(task, done.seq), there)
        self.shot(
            told,
            self.act(*self.parts(task, own, lit=(task,)), until=admitted.seq),
            self.act(*self.parts(task), until=self.known),
            subject=("pool", *own[:1]),
        )
        return self.section("second", say("{} begins the same", name))

    def joins(self, peak: PagesRef) -> Section:
        ask, task = self.ask, sure(peak.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(peak.seq))
        ref = ask.ref(peak.page, peak.seq)
        self.begin()
        self.shot(
            say("{} names the same pages: ref {}, still one copy.", name, ref),
            self.act(*self.parts(), until=max(self.at, self.requests[task].submitted.seq)),
            self.act(*self.parts(task, self.shared), until=max(self.at, self.named(task, admitted))),
            self.act(*self.parts(task), until=admitted.seq),
            subject=("pool", peak.page),
        )
        entries, used = ask.entries(admitted.seq), ask.pool_in_use(admitted.seq)
        self.shot(
            say("{} table entries, and only {} in use.", entries, counted(used, "page")),
            self.act(*self.parts(task), until=self.computed(task, admitted.seq), seconds=2.4),
            subject=("tape", task),
        )
        return self.section("joins", say("{} joins", name), MORE)

    def leaves(self, drop: PagesFree) -> Section:
        ask, task = self.ask, sure(drop.task)
        name, begin = ask.name(task), self.steps.phase_begin(drop.seq) - 1
        tasks = self.cast if task in self.cast else (*self.cast[:-1], task)
        reading = self.parts(tasks=tasks)
        self.begin()
        if begin > self.at:
            told = "Every step reads the shared pages and writes elsewhere."
            self.shot(told, *self.decode(reading, begin), subject=("pool",))
        before, after = ask.ref(drop.page, drop.seq - 1), ask.ref(drop.page, drop.seq)
        self.shot(
            say("{} leaves. Ref {} becomes {}, so the pages stay.", name, before, after),
            self.act(*self.parts(pages=self.shared, tasks=tasks), seconds=0.8),
            self.act(*self.parts(pages=self.shared, tasks=tasks), until=self.steps.next_phase("cleanup", drop.seq)),
            subject=("pool", drop.page),
        )
        return self.section("leaves", say("{} leaves", name), MORE)

    def stays(self, kept: PagesCached) -> Section:
        """The last holder leaves, and where another request comes, it finds the pages still."""
        ask, task = self.ask, sure(kept.task)
        self.begin()
        tasks = self.cast if task in self.cast else (*self.cast[:-1], task)
        begin, end = self.steps.phase_begin(kept.seq) - 1, self.steps.next_phase("cleanup", kept.seq)
        if begin > self.at:
            self.shot(None, *self.decode(self.parts(tasks=tasks), begin), subject=("pool",))
        self.shot(
            say("{} leaves last: no one holds the pages, but keys stay.", ask.name(task)),
            self.act(*self.parts(pages=self.shared, tasks=tasks), until=end),
            self.act(*self.parts(tasks=tasks), seconds=0.8),
            subject=("pool", kept.page),
        )
        revived = next(self.to_come(PagesRevived), None)
        if revived is not None:
            late = sure(revived.task)
            admitted = sure(self.requests[late].admission(revived.seq))
            tasks = (*tasks[1:], late) if late not in tasks else tasks
            came = max(self.at, self.requests[late].submitted.seq)
            if came > self.at:
                self.shot(None, *self.decode(self.parts(tasks=tasks), came), subject=("pool",))
            self.shot(
                say(
                    "{} finds the cached pages and skips {} tokens.",
                    ask.name(late),
                    ask.hit_tokens(self.found(revived)),
                ),
                self.act(*self.parts(late, self.shared, tasks, (late,)), until=self.named(late, admitted)),
                self.act(*self.parts(late, (), tasks), until=admitted.seq),
                self.act(*self.parts(late, (), tasks), until=self.computed(late, admitted.seq)),
                subject=("tape", late),
            )
        return self.section("stays", "Cached, not lost", ASIDE)

    def found(self, revived: PagesRevived) -> int:
        """The lookup that found a page again."""
        return sure(self.history.latest(PrefixHit, revived.seq, task=revived.task)).seq

    def comes_to(self) -> Section:
        ask = self.ask
        self.begin()
        pool = Pool(bits=False, pages=self.pages_shown)
        told = Takeaway(
            "One prefix is computed once and read by every table that names it.",
            say("{}", ask.all_found()),
            say("of {} prompt tokens were never computed again", ask.asked()),
        )
        self.shot("", self.act(told, pool, until=self.end), subject=("takeaway",), rest=2.0)
        return self.section("comes-to", self.trace.header.scenario.title)


class PrefixSharing(FilmScene):
    """One prefix, computed once: hits, refcounts, cached pages and time to first token."""

    default_trace = "prefix_sharing.jsonl.gz"
    summary = "Requests with one system prompt share its pages; hits, refcounts, cached pages."
    chapters = PrefixSharingTelling
