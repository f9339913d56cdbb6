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
from scenes.measures import Measure, say
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
SHOWN, TAPES, SEEN, FEW = 6, 3, 2, 3
"""Most pages that are shown, shared ones first, most tapes, most that are seen to leave one by one, and
steps in which a sentence cannot be read."""


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
        self.pages_shown = self.some_pages((self.owner, self.sharer, *third))
        self.cast = (self.owner,)

    def to_come(self, kind: type[E], after: int | None = None) -> Iterator[E]:
        """Events of a kind about a shared page after event `after`, else after what was told."""
        return (e for e in self.history.events(kind, self.at if after is None else after) if e.page in self.shared)

    def some_pages(self, cast: Sequence[str]) -> tuple[int, ...]:
        """Pages that are shown: the shared ones, and those that `cast` has besides, as far as there is room."""
        found = dict.fromkeys(self.shared)
        for task in cast:
            found |= dict.fromkeys(self.requests[task].admitted[0].pages or ())
        for task in cast:
            found |= dict.fromkeys(p for event in self.history.events(PagesAlloc, task=task) for p in event.pages)
        return tuple(sorted([*found][:SHOWN]))

    # what stands

    def parts(
        self, task: str = "", pages: Sequence[int] = (), lit: tuple[str, ...] = (), tasks: tuple[str, ...] = ()
    ) -> tuple[Part, ...]:
        """Tapes, wires of `task`, and the pool; `pages` of it act, with the tiles of those that are `lit`."""
        tables = self.state().tables
        marked = pages or self.shared
        tiles = tuple((one, i) for one in lit for i, page in enumerate(tables.get(one, self.shared)) if page in marked)
        places = tuple(range(min(MOST, len(self.shared))))
        return (
            Tape(tasks or self.cast, tiles, asks=True, rows=1 if tasks else TAPES),
            Wires(task, places),
            Pool(tuple(pages), bits=False, pages=self.pages_shown),
        )

    def join(self, task: str) -> None:
        """`task` has a tape from now on, below those that have one; the first goes where they are too many."""
        if task not in self.cast:
            self.cast = (*self.cast, task)[-TAPES:]

    def named(self, task: str, admitted: TaskAdmitted) -> int:
        """The event by which the table of `task` names all pages that were found for it."""
        found = admitted.cached_tokens // self.ask.size
        tables = self.history.events("table", before=admitted.seq, task=task)
        full = (event.seq for event in tables if event.seq > self.hit.seq and len(event.pages) >= found)
        return next(full, admitted.seq)

    def gone(self, event: PagesFree | PagesCached) -> int:
        """The event by which the request that gives a page back has no table any more."""
        tables = self.history.events("table", event.seq, task=event.task)
        return next((table.seq for table in tables if not table.pages), self.end)

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
        kept = next(self.to_come(PagesCached), None)
        drops = [e for e in self.to_come(PagesFree) if e.ref and (kept is None or e.seq < kept.seq)]
        if drops:
            yield self.leaves([e for e in drops if e.page == drops[0].page][:SEEN])
        kept = next(self.to_come(PagesCached), None)
        if kept is not None:
            yield self.stays(kept)
        admitted = self.differs()
        if admitted is not None:
            yield self.misses(admitted)
        yield self.comes_to()

    def hook(self) -> Section:
        """The hit that is told, under the question."""
        task, admitted = self.sharer, self.admitted
        text = say("Why does {sharer} skip {found} of its {prompt} tokens?", **self.measures())
        asked, tasks = Question(self.told("question", text, **self.measures())), (task,)
        self.begin(self.hit.seq)
        self.shot(
            None,
            self.act(asked, *self.parts(tasks=tasks)),
            self.act(asked, *self.parts(task, tasks=tasks), until=self.named(task, admitted), seconds=1.2),
            self.act(asked, *self.parts(task, tasks=tasks), until=admitted.seq),
            self.act(asked, *self.parts(task, tasks=tasks), until=self.known),
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
        self.join(task)
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
        self.join(task)
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

    def leaves(self, drops: Sequence[PagesFree]) -> Section:
        """One after another gives the shared pages back, which the others still hold."""
        ask = self.ask
        self.begin()
        for drop in drops:
            task = sure(drop.task)
            self.join(task)
            self.go_on(drop)
            before, after = ask.ref(drop.page, drop.seq - 1), ask.ref(drop.page, drop.seq)
            self.shot(
                say("{} leaves. Ref {} becomes {}, so the pages stay.", ask.name(task), before, after),
                self.act(*self.parts(pages=self.shared), seconds=0.8),
                self.act(*self.parts(pages=self.shared), until=self.gone(drop)),
                subject=("pool", drop.page),
            )
        return self.section("leaves", say("{} leaves", ask.name(sure(drops[0].task))), MORE)

    def go_on(self, leaving: PagesFree | PagesCached) -> None:
        """Steps go on until a request gives pages back."""
        until = self.steps.phase_begin(leaving.seq) - 1
        if until > self.at:
            first = self.once("reads")
            acts, told = self.decode(self.parts(), until, 3.0 if first else 1.5), None
            if first and (acts[0].stops or len(acts) > FEW):
                told = "Every step reads the shared pages and writes elsewhere."
            self.shot(told or say("{} goes on.", self.ask.name(sure(leaving.task))), *acts, subject=("pool",))

    def stays(self, kept: PagesCached) -> Section:
        """The last holder leaves, and where another request comes, it finds the pages still."""
        ask, ref = self.ask, self.ask.ref(kept.page, kept.seq)
        self.begin()
        self.join(sure(kept.task))
        self.go_on(kept)
        self.shot(
            say("{} leaves last. Ref {}, but the pages keep keys.", ask.name(sure(kept.task)), ref),
            self.act(*self.parts(pages=self.shared), until=self.gone(kept)),
            self.act(*self.parts(), seconds=0.8),
            subject=("pool", kept.page),
        )
        revived = next(self.to_come(PagesRevived), None)
        if revived is not None:
            self.again(revived)
        return self.section("stays", "Cached, not lost", ASIDE)

    def again(self, revived: PagesRevived) -> None:
        """Another request finds the cached pages."""
        ask, task = self.ask, sure(revived.task)
        admitted, found = (
            sure(self.requests[task].admission(revived.seq)),
            self.history.latest(PrefixHit, revived.seq, task=task),
        )
        self.join(task)
        came = max(self.at, self.requests[task].submitted.seq)
        if came > self.at:
            told = say("Then {} comes, and begins the same.", ask.name(task))
            self.shot(told, *self.decode(self.parts(), came), subject=("tape", task))
        self.shot(
            say("{} finds the cached pages and skips {} tokens.", ask.name(task), ask.hit_tokens(sure(found).seq)),
            self.act(*self.parts(task, self.shared, (task,)), until=self.named(task, admitted)),
            self.act(*self.parts(task), until=admitted.seq),
            self.act(*self.parts(task), until=self.computed(task, admitted.seq)),
            subject=("tape", task),
        )

    def differs(self) -> TaskAdmitted | None:
        """The admission of a request to come that begins with other tokens and finds nothing."""
        prompts, size = {task: life.submitted.prompt for task, life in self.requests.items()}, self.ask.size
        start = (prompts[self.owner] or ())[:size]
        later = (e for e in self.history.events(TaskAdmitted, self.at) if not e.cached_tokens)
        return next((e for e in later if start and (prompts[e.task] or start)[:size] != start), None)

    def misses(self, admitted: TaskAdmitted) -> Section:
        """One that begins otherwise finds nothing: all of it is computed."""
        ask, task = self.ask, admitted.task
        name, life = ask.name(task), self.requests[task]
        self.begin()
        self.join(task)
        acts = self.pass_time(*self.parts(), until=max(self.at, life.submitted.seq), seconds=2.0)
        if acts:
            self.shot(say("Then {} comes, and begins otherwise.", name), *acts, subject=("tape", task))
        self.pages_shown = tuple(sorted([*self.shared, *(admitted.pages or ())][:SHOWN]))
        self.shot(
            say("No key fits, so all {} of its tokens are computed.", ask.prompt(task)),
            self.act(*self.parts(), until=admitted.seq),
            self.act(*self.parts(), until=self.computed(task, admitted.seq)),
            subject=("tape", task),
        )
        return self.section("misses", say("{} begins otherwise", name), ASIDE)

    def comes_to(self) -> Section:
        ask = self.ask
        self.begin()
        pool = Pool(bits=False, pages=self.pages_shown)
        text = say("One prefix is computed once and read by every table that names it.")
        told = Takeaway(
            self.told("takeaway", text, **self.measures()),
            say("{}", ask.all_found()),
            say("of {} prompt tokens were never computed again", ask.asked()),
        )
        self.shot("", self.act(told, pool, until=self.end), subject=("takeaway",), rest=2.0)
        return self.section("comes-to", self.trace.header.scenario.title)

    def measures(self) -> dict[str, Measure]:
        """What a scenario's question and takeaway can say."""
        ask, sharer = self.ask, self.sharer
        own = {"owner": ask.name(self.owner), "sharer": ask.name(sharer), "prompt": ask.prompt(sharer)}
        return own | {"found": ask.found(sharer, self.admitted.seq), "all_found": ask.all_found(), "asked": ask.asked()}


class PrefixSharing(FilmScene):
    """One prefix, computed once: hits, refcounts, cached pages and time to first token."""

    default_trace = "prefix_sharing.jsonl.gz"
    summary = "Requests with one system prompt share its pages; hits, refcounts, cached pages."
    chapters = PrefixSharingTelling
