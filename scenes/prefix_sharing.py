"""The film `PrefixSharing`: one prefix, computed once, held by many tables."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev
from scenes.film.scene import FilmScene
from scenes.measures import Measure, say
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.tape import Tape
from scenes.parts.wires import MOST, Wires
from scenes.stage.racing import RaceTelling
from scenes.stage.shot import Section
from scenes.stage.telling import ASIDE, MORE
from scenes.story.history.sure import sure
from scenes.story.words import counted, pages_text

E = TypeVar("E", ev.PagesFree, ev.PagesCached, ev.PagesRef, ev.PagesRevived)
SHOWN, TAPES, SEEN, FEW = 6, 3, 2, 3
"""Most pages that are shown, shared ones first, most tapes, most that are seen to leave one by one, and
steps in which a sentence cannot be read."""


class PrefixSharingTelling(RaceTelling):
    """How `owner` computed the pages `shared`, and what became of them after `sharer` hit them."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        self.worded = any(life.submitted.texts for life in self.requests.values())
        needed = "a request that hits pages of another one: record a scenario with prefix_caching = true and a shared"
        ref = self.need(ev.PagesRef, f"{needed} [[prefix]]")
        self.sharer = sure(ref.task)
        self.hit = sure(self.history.latest(ev.PrefixHit, ref.seq))
        self.shared = list(self.hit.pages)
        keyed = [e for e in self.history.events(ev.PagesKeyed, before=self.hit.seq) if e.page in self.shared]
        self.owner = sure(keyed[0].task)
        self.keyed = keyed[-1].seq
        self.admitted = sure(self.requests[self.sharer].admission(self.hit.seq))
        self.known = self.computed(self.sharer, self.admitted.seq)
        joins = list(self.to_come(ev.PagesRef, self.known))
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
        given = [self.requests[task].admitted[0].pages or () for task in cast]
        given += [event.pages for task in cast for event in self.history.events(ev.PagesAlloc, task=task)]
        for pages in given:
            found |= dict.fromkeys(pages)
        return tuple(sorted([*found][:SHOWN]))

    # what stands

    def parts(
        self, task: str = "", pages: Sequence[int] = (), lit: tuple[str, ...] = (), tasks: tuple[str, ...] = ()
    ) -> tuple[Part, ...]:
        """Tapes, wires of `task`, and the pool; `pages` of it act, with the tiles of those that are `lit`."""
        tables = self.state().tables
        marked = pages or self.shared
        tiles = tuple((one, i) for one in lit for i, page in enumerate(tables.get(one, self.shared)) if page in marked)
        wires = Wires(task, tuple(range(min(MOST, len(self.shared)))))
        tape = Tape(tasks or self.cast, tiles, asks=True, rows=1 if tasks else TAPES)
        return tape, wires, Pool(tuple(pages), bits=False, pages=self.pages_shown)

    def join(self, task: str) -> None:
        """`task` has a tape from now on, below those that have one; the first goes where they are too many."""
        if task not in self.cast:
            self.cast = (*self.cast, task)[-TAPES:]

    def named(self, task: str, admitted: ev.TaskAdmitted) -> int:
        """The event by which the table of `task` names all pages that were found for it."""
        found = admitted.cached_tokens // self.ask.size
        tables = self.history.events("table", before=admitted.seq, task=task)
        full = (event.seq for event in tables if event.seq > self.hit.seq and len(event.pages) >= found)
        return next(full, admitted.seq)

    def gone(self, event: ev.PagesFree | ev.PagesCached) -> int:
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
            yield self.raced(*pair, Tape(tuple(time.task for time in pair), asks=True))
        if self.peak is not None:
            yield self.joins(self.peak)
        kept = next(self.to_come(ev.PagesCached), None)
        drops = [e for e in self.to_come(ev.PagesFree) if e.ref and (kept is None or e.seq < kept.seq)]
        if drops:
            yield self.leaves([e for e in drops if e.page == drops[0].page][:SEEN])
        kept = next(self.to_come(ev.PagesCached), None)
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
        self.begin(self.hit.seq)
        asked, parts = self.question(text), self.parts(task, tasks=(task,))
        acts = [
            self.act(asked, *self.parts(tasks=(task,))),
            self.act(asked, *parts, until=self.named(task, admitted), seconds=1.2),
            *self.acts((asked, *parts), admitted.seq, self.known),
        ]
        self.shot(None, *acts, subject=("pool", self.shared[0]), rest=1.0)
        return self.section("hook", self.trace.header.scenario.title, cut=True)

    def first(self) -> Section:
        ask, task = self.ask, self.owner
        name, submitted = ask.name(task), self.requests[task].submitted.seq
        admitted = [event for event in self.requests[task].admitted if event.seq < self.keyed][-1]
        self.begin(submitted - 1)
        told = say("{} comes first: nothing of it is stored.", name)
        acts = self.act(*self.parts()), self.act(*self.parts(), until=submitted, seconds=2.0)
        self.shot(told, *acts, subject=("tape", task))
        need = counted(ask.prompt_pages(task), "page")
        told = say("{} tokens need {} of {} slots.", ask.prompt(task), need, ask.page_size())
        self.shot(told, *self.acts(self.parts(pages=admitted.pages or ()), admitted.seq), subject=("pool",))
        told = f"So every {'word' if self.worded else 'token'} is computed: K and V fill the slots."
        done = max(self.keyed, self.computed(task, admitted.seq))
        self.shot(told, *self.acts(self.parts(), done), subject=("pool",))
        return self.section("first", say("{} computes the prefix", name), cut=True)

    def second(self) -> Section:
        ask, task, admitted = self.ask, self.sharer, self.admitted
        name, named, both = ask.name(task), self.named(task, admitted), (task, self.owner)
        self.join(task)
        told = say("{} begins with the same {} tokens.", name, ask.found(task, admitted.seq))
        came = self.act(*self.parts(), until=self.requests[task].submitted.seq, seconds=1.8)
        self.shot(told, came, subject=("tape", task))
        lit = self.parts(pages=self.shared, lit=both)
        acts = self.act(*self.parts(lit=both), seconds=1.5), self.act(*lit, seconds=1.5)
        found = self.acts(lit, self.hit.seq)
        self.shot("Same tokens, same key: the pages are found.", *acts, *found, subject=("pool", self.shared[0]))
        ref = ask.ref(self.shared[0], named)
        own = [page for page in admitted.pages or () if page not in self.shared and page in self.pages_shown]
        acts = (
            self.act(*self.parts(task, self.shared, lit=(task,)), until=named),
            self.act(*self.parts(task), seconds=0.8),
        )
        told = say("Its table names these pages: ref {}, nothing is copied.", ref)
        self.shot(told, *acts, subject=("pool", self.shared[0]))
        done = self.requests[task].prefilled(admitted.seq + 1)
        told = None
        if done is not None:
            there = say(", in {}", pages_text(ask.pages(own), runs=True)) if own else ""
            told = say("Only the other {} are computed{}.", ask.computed(task, done.seq), there)
        acts = self.acts(self.parts(task, own, lit=(task,)), admitted.seq) + self.acts(self.parts(task), self.known)
        self.shot(told, *acts, subject=("pool", *own[:1]))
        return self.section("second", say("{} begins the same", name))

    def joins(self, peak: ev.PagesRef) -> Section:
        ask, task = self.ask, sure(peak.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(peak.seq))
        ref = ask.ref(peak.page, peak.seq)
        self.join(task)
        acts = self.acts(self.parts(), self.requests[task].submitted.seq)
        acts += self.acts(self.parts(task, self.shared), self.named(task, admitted))
        acts += self.acts(self.parts(task), admitted.seq)
        told = say("{} names the same pages: ref {}, still one copy.", name, ref)
        self.shot(told, *acts, subject=("pool", peak.page))
        entries, used = ask.entries(admitted.seq), ask.pool_in_use(admitted.seq)
        told = say("{} table entries, and only {} in use.", entries, counted(used, "page"))
        done = self.act(*self.parts(task), until=self.computed(task, admitted.seq), seconds=2.4)
        self.shot(told, done, subject=("tape", task))
        return self.section("joins", say("{} joins", name), MORE)

    def leaves(self, drops: Sequence[ev.PagesFree]) -> Section:
        """One after another gives the shared pages back, which the others still hold."""
        ask = self.ask
        for drop in drops:
            task = sure(drop.task)
            self.join(task)
            self.go_on(drop)
            before, after = ask.ref(drop.page, drop.seq - 1), ask.ref(drop.page, drop.seq)
            told = say("{} leaves. Ref {} becomes {}, so the pages stay.", ask.name(task), before, after)
            parts = self.parts(pages=self.shared)
            acts = self.act(*parts, seconds=0.8), self.act(*parts, until=self.gone(drop))
            self.shot(told, *acts, subject=("pool", drop.page))
        return self.section("leaves", say("{} leaves", ask.name(sure(drops[0].task))), MORE)

    def go_on(self, leaving: ev.PagesFree | ev.PagesCached) -> None:
        """Steps go on until a request gives pages back."""
        until = self.steps.phase_begin(leaving.seq) - 1
        if until > self.at:
            first = self.once("reads")
            acts, told = self.decode(self.parts(), until, 3.0 if first else 1.5), None
            if first and (acts[0].stops or len(acts) > FEW):
                told = "Every step reads the shared pages and writes elsewhere."
            self.shot(told or say("{} goes on.", self.ask.name(sure(leaving.task))), *acts, subject=("pool",))

    def stays(self, kept: ev.PagesCached) -> Section:
        """The last holder leaves, and where another request comes, it finds the pages still."""
        ask, ref = self.ask, self.ask.ref(kept.page, kept.seq)
        self.join(sure(kept.task))
        self.go_on(kept)
        told = say("{} leaves last. Ref {}, but the pages keep keys.", ask.name(sure(kept.task)), ref)
        acts = self.act(*self.parts(pages=self.shared), until=self.gone(kept)), self.act(*self.parts(), seconds=0.8)
        self.shot(told, *acts, subject=("pool", kept.page))
        revived = next(self.to_come(ev.PagesRevived), None)
        if revived is not None:
            self.again(revived)
        return self.section("stays", "Cached, not lost", ASIDE)

    def again(self, revived: ev.PagesRevived) -> None:
        """Another request finds the cached pages."""
        ask, task = self.ask, sure(revived.task)
        admitted = sure(self.requests[task].admission(revived.seq))
        found = ask.hit_tokens(sure(self.history.latest(ev.PrefixHit, revived.seq, task=task)).seq)
        self.join(task)
        came = max(self.at, self.requests[task].submitted.seq)
        if came > self.at:
            told = say("Then {} comes, and begins the same.", ask.name(task))
            self.shot(told, *self.decode(self.parts(), came), subject=("tape", task))
        acts = self.acts(self.parts(task, self.shared, (task,)), self.named(task, admitted))
        acts += self.acts(self.parts(task), admitted.seq, self.computed(task, admitted.seq))
        told = say("{} finds the cached pages and skips {} tokens.", ask.name(task), found)
        self.shot(told, *acts, subject=("tape", task))

    def differs(self) -> ev.TaskAdmitted | None:
        """The admission of a request to come that begins with other tokens and finds nothing."""
        prompts, size = {task: life.submitted.prompt for task, life in self.requests.items()}, self.ask.size
        start = (prompts[self.owner] or ())[:size]
        later = (e for e in self.history.events(ev.TaskAdmitted, self.at) if not e.cached_tokens)
        return next((e for e in later if start and (prompts[e.task] or start)[:size] != start), None)

    def misses(self, admitted: ev.TaskAdmitted) -> Section:
        """One that begins otherwise finds nothing: all of it is computed."""
        ask, task = self.ask, admitted.task
        name, life = ask.name(task), self.requests[task]
        self.join(task)
        acts = self.pass_time(*self.parts(), until=max(self.at, life.submitted.seq), seconds=2.0)
        if acts:
            self.shot(say("Then {} comes, and begins otherwise.", name), *acts, subject=("tape", task))
        self.pages_shown = tuple(sorted([*self.shared, *(admitted.pages or ())][:SHOWN]))
        told = say("No key fits, so all {} of its tokens are computed.", ask.prompt(task))
        acts = self.acts(self.parts(), admitted.seq, self.computed(task, admitted.seq))
        self.shot(told, *acts, subject=("tape", task))
        return self.section("misses", say("{} begins otherwise", name), ASIDE)

    def comes_to(self) -> Section:
        text = say("One prefix is computed once and read by every table that names it.")
        found, unit = self.ask.all_found(), say("of {} prompt tokens were never computed again", self.ask.asked())
        title, pool = self.trace.header.scenario.title, Pool(bits=False, pages=self.pages_shown)
        return self.ending(title, text, say("{}", found), unit, pool, until=self.end, key="comes-to")

    def measures(self) -> dict[str, Measure]:
        ask, sharer = self.ask, self.sharer
        own = {"owner": ask.name(self.owner), "sharer": ask.name(sharer), "prompt": ask.prompt(sharer)}
        return own | {"found": ask.found(sharer, self.admitted.seq), "all_found": ask.all_found(), "asked": ask.asked()}


class PrefixSharing(FilmScene):
    """Requests with one system prompt share its pages; hits, refcounts, cached pages."""

    default_trace = "prefix_sharing.jsonl.gz"
    chapters = PrefixSharingTelling
