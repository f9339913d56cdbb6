"""The film `PrefixSharing`: one prefix, computed once, held by many tables."""

from collections.abc import Collection, Iterator, Sequence
from typing import TypeVar

from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, say
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.tape import Tape
from scenes.parts.wires import MOST, Wires
from scenes.stage.racing import RaceTelling
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, lasting
from scenes.story.history.sure import sure
from scenes.story.needs import PAGES, Needs
from scenes.story.words import counted, listed, pages_text, plural

E = TypeVar("E", ev.PagesFree, ev.PagesCached, ev.PagesRef, ev.PagesRevived)
SHOWN, TAPES, SEEN, FEW, BETWEEN = 6, 3, 2, 3, 3
"""Most pages that are shown, shared ones first, most tapes, most that are seen to leave one by one, and
steps in which a sentence cannot be read; pages that are shown beside others only as they stand between them."""
MANY = 11
"""Pictures of a time-lapse in which a long sentence can be read."""

SHARED = (
    "a request that hits pages of another one: record a scenario with prefix_caching = true and a shared [[prefix]]"
)


class PrefixSharingTelling(RaceTelling):
    """How `owner` computed the pages `shared`, and what became of them after `sharer` hit them."""

    needs = Needs(dict.fromkeys(("pages_ref", "prefix_hit", "pages_keyed"), SHARED), **PAGES)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.worded = any(life.submitted.texts for life in self.requests.values())
        ref = self.need(ev.PagesRef, SHARED)
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
        found = dict.fromkeys([*self.shared, *self.given(*cast)])
        return tuple(sorted([*found][:SHOWN]))

    def given(self, *tasks: str) -> list[int]:
        """Pages with which `tasks` were admitted first, then those that they were given later."""
        pages = [self.requests[task].admitted[0].pages or () for task in tasks]
        pages += [event.pages for task in tasks for event in self.history.events(ev.PagesAlloc, task=task)]
        return [page for some in pages for page in some]

    def with_those_between(self, pages: Collection[int]) -> tuple[int, ...]:
        """`pages`, and the few that are between two of them."""
        whole = range(min(pages), max(pages) + 1)
        return tuple(whole if len(whole) <= len(pages) + BETWEEN else sorted(pages))

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
        return tape, wires, Pool(tuple(pages), bits=False, pages=self.pages_shown, counts=True)

    def join(self, task: str) -> None:
        """`task` has a tape from now on, below those that have one; the first goes where they are too many."""
        if task not in self.cast:
            self.cast = (*self.cast, task)[-TAPES:]

    def comes(self, task: str, told: Said) -> None:
        """Steps go on until `task` comes, of which `told` speaks."""
        came, acts = self.requests[task].submitted.seq, self.until(task)
        if all(self.state(came).tasks[one].status == "finished" for one in self.cast):
            self.cast = ()
        self.join(task)
        if came > self.at:
            self.shot(told, *acts, self.act(*self.parts(), until=came, seconds=2.2), subject=("tape", task))

    def until(self, task: str) -> list[Act]:
        """Steps go on until `task` comes; gives those for which there is no sentence."""
        came = self.requests[task].submitted.seq
        on, brief = self.on(came - 1), self.on(came - 1, brief=True)
        acts = self.pass_time(*self.parts(), until=came - 1, seconds=lasting(on, 1.4, stays=True))
        if acts and acts[0].stops:
            self.shot(on if len(acts[0].stops) >= MANY else brief, *acts, subject=("pool",))
            return []
        return acts

    def on(self, until: int, brief: bool = False) -> Said | None:
        """Who of those that are shown goes on up to event `until`, and, but in `brief`, into which pages that are not
        drawn."""
        now, then = self.state(), self.state(until).tables
        going = [task for task in self.cast if task in now.tables and now.tasks[task].status != "finished"]
        if not going:
            return None
        told = say("{} {} on", listed(self.ask.names(going)), plural(going, "goes", "go"))
        if not {*going} & {*then}:
            return say("{} until {} done.", told, plural(going, "it is", "they are"))
        if brief:
            return say("{}.", told)
        pages = sorted({page for task in going for page in then.get(task, ())} - {*self.pages_shown})
        new = [self.ask.page(page) for page in pages if self.once(f"page {page}")]
        more = [say("{}, also in {}, not drawn.", told, pages_text(new, 2))] if new else []
        return self.short(*more, say("{}.", told))

    def same(self, task: str, admitted: ev.TaskAdmitted) -> Said:
        """How much of its prompt is what was computed before."""
        told = "{} comes with {} tokens: the first {} are the same."
        return say(told, self.ask.name(task), self.ask.prompt(task), self.ask.found(task, admitted.seq))

    def skipped(self, admitted: ev.TaskAdmitted) -> Measure:
        """Tokens that were found for all who have been admitted by then."""
        hits = (e for e in self.history.events(ev.TaskAdmitted, before=admitted.seq + 1) if e.cached_tokens)
        return self.ask.total(*(self.ask.found(e.task, e.seq) for e in hits))

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
            yield self.joins(self.peak, after_race=pair is not None)
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
            self.act(asked, *parts, until=self.named(task, admitted), seconds=0.8),
            *self.acts((asked, *parts), admitted.seq, self.known),
        ]
        self.shot(None, *acts, subject=("pool", self.shared[0]), rest=1.0)
        return self.section("hook", self.trace.header.scenario.title, cut=True)

    def first(self) -> Section:
        ask, task = self.ask, self.owner
        name, submitted = ask.name(task), self.requests[task].submitted.seq
        admitted = [event for event in self.requests[task].admitted if event.seq < self.keyed][-1]
        self.begin(submitted - 1)
        told = say("{} comes first, with {} tokens: none is stored.", name, ask.prompt(task))
        acts = self.act(*self.parts()), self.act(*self.parts(), until=submitted, seconds=1.4)
        self.shot(told, *acts, subject=("tape", task))
        told = say("They need {} of {} slots.", counted(ask.prompt_pages(task), "page"), ask.page_size())
        self.shot(told, *self.acts(self.parts(pages=admitted.pages or ()), admitted.seq), subject=("pool",))
        told = f"So every {'word' if self.worded else 'token'} is computed: K and V fill the slots."
        done = max(self.keyed, self.computed(task, admitted.seq))
        self.shot(told, *self.acts(self.parts(), done), subject=("pool",))
        return self.section("first", say("{} computes the prefix", name), cut=True)

    def second(self) -> Section:
        ask, task, admitted = self.ask, self.sharer, self.admitted
        name, named, both = ask.name(task), self.named(task, admitted), (task, self.owner)
        self.comes(task, self.same(task, admitted))
        lit = self.parts(pages=self.shared, lit=both)
        acts = self.act(*self.parts(lit=both), seconds=1.2), self.act(*lit, seconds=1.2)
        found = self.acts(lit, self.hit.seq)
        self.shot("A page is found by its tokens: they are its key.", *acts, *found, subject=("pool", self.shared[0]))
        refs = [ask.ref(self.shared[0], seq) for seq in (self.hit.seq, named)]
        own = [page for page in admitted.pages or () if page not in self.shared and page in self.pages_shown]
        acts = (
            self.act(*self.parts(task, self.shared, lit=(task,)), until=named),
            self.act(*self.parts(task), seconds=0.6),
        )
        told = say("Ref, the tables that name a page, goes from {} to {}.", *refs)
        self.shot(told, *acts, subject=("pool", self.shared[0]))
        done = self.requests[task].prefilled(admitted.seq + 1)
        told = None
        if done is not None:
            there = say(", in {}", pages_text(ask.pages(own), runs=True)) if own else ""
            count = ask.computed(task, done.seq)
            skips = say("{} are skipped: only the other {} are computed", ask.found(task, admitted.seq), count)
            told = self.short(say("{}{}.", skips, there), say("Only the other {} are computed{}.", count, there))
        lit = (task,) if own else ()
        acts = self.acts(self.parts(task, own, lit=lit), admitted.seq) + self.acts(self.parts(task), self.known)
        self.shot(told, *acts, subject=("pool", *own[:1]))
        return self.section("second", say("{} begins the same", name))

    def joins(self, peak: ev.PagesRef, after_race: bool) -> Section:
        """Who joins those that hold the shared pages, where they are held by most; a race is cut off where the first
        sentence is about who joins.
        """
        ask, task = self.ask, sure(peak.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(peak.seq))
        refs = [ask.ref(peak.page, seq) for seq in (peak.seq - 1, peak.seq)]
        self.comes(task, self.same(task, admitted))
        acts = self.acts(self.parts(task, self.shared), self.named(task, admitted))
        acts += self.acts(self.parts(task), admitted.seq)
        found, by_now = ask.found(task, admitted.seq), self.skipped(admitted)
        told = say("{} skips {} in these pages, {} by now: ref {} becomes {}.", name, found, by_now, *refs)
        self.shot(told, *acts, subject=("pool", peak.page))
        entries, used = ask.entries(admitted.seq), ask.pool_in_use(admitted.seq)
        told = say("{} table entries, and only {} in use.", entries, counted(used, "page"))
        done = self.act(*self.parts(task), until=self.computed(task, admitted.seq), seconds=1.6)
        self.shot(told, done, subject=("tape", task))
        at_once = after_race and not self.beats[0].acts[0].stops
        return self.section("joins", say("{} joins", name), MORE, cut=at_once)

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
            acts = self.act(*parts, until=self.gone(drop)), self.act(*self.parts(), seconds=0.6)
            self.shot(told, *acts, subject=("pool", drop.page))
        names = ask.names([sure(drop.task) for drop in drops])
        return self.section("leaves", say("{} {}", listed(names), plural(names, "leaves", "leave")), MORE)

    def go_on(self, leaving: ev.PagesFree | ev.PagesCached) -> None:
        """Steps go on until a request gives pages back."""
        until = self.steps.phase_begin(leaving.seq) - 1
        if until > self.at:
            first, told, brief = self.once("reads"), self.on(until), self.on(until, brief=True)
            acts = self.decode(self.parts(), until, lasting(told, 3.0 if first else 1.5, stays=True))
            told = brief if 0 < len(acts[0].stops) < MANY else told
            if first and (len(acts[0].stops) >= MANY or len(acts) > FEW):
                told = "Steps read the shared pages and write elsewhere."
            self.shot(told, *acts, subject=("pool",))

    def stays(self, kept: ev.PagesCached) -> Section:
        """The last holder leaves, and where another request comes, it finds the pages still."""
        ask, refs = self.ask, [self.ask.ref(kept.page, seq) for seq in (kept.seq - 1, kept.seq)]
        self.join(sure(kept.task))
        self.go_on(kept)
        told = say("{} leaves last: ref {} becomes {}. Dashed pages are kept.", ask.name(sure(kept.task)), *refs)
        acts = self.act(*self.parts(pages=self.shared), until=self.gone(kept)), self.act(*self.parts(), seconds=0.6)
        self.shot(told, *acts, subject=("pool", kept.page))
        revived = next(self.to_come(ev.PagesRevived), None)
        if revived is not None:
            self.again(revived)
        differs = self.differs()
        if differs is not None and (acts := self.until(differs.task)):
            self.shot(None, *acts, subject=("pool",))
        return self.section("stays", "Cached, not lost", ASIDE)

    def again(self, revived: ev.PagesRevived) -> None:
        """Another request finds the cached pages."""
        ask, task = self.ask, sure(revived.task)
        admitted = sure(self.requests[task].admission(revived.seq))
        name, found = ask.name(task), ask.found(task, admitted.seq)
        self.comes(task, self.same(task, admitted))
        kept = [page for page in self.shared if page in (admitted.pages or ())]
        acts = self.acts(self.parts(task, kept, (task,)), self.named(task, admitted))
        acts += self.acts(self.parts(task), admitted.seq, self.computed(task, admitted.seq))
        told = say("{} finds the kept pages and skips {}: {} by now.", name, found, self.skipped(admitted))
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
        name, prompt, pages = ask.name(task), ask.prompt(task), [*dict.fromkeys(self.given(task))][:SHOWN]
        self.pages_shown = self.with_those_between({*self.pages_shown, *pages})
        self.comes(task, say("Then {} comes: {} tokens, and they begin otherwise.", name, prompt))
        told = say("No key fits, so all {} of its tokens are computed.", prompt)
        acts = self.acts(self.parts(), admitted.seq, self.computed(task, admitted.seq))
        self.shot(told, *acts, subject=("tape", task))
        return self.section("misses", say("{} begins otherwise", name), ASIDE, cut=True)

    def comes_to(self) -> Section:
        told = "One prefix, computed once: so {sharer} skips {found} of its {prompt} tokens."
        text, found = say(told, **self.measures()), self.ask.all_found()
        unit = say("of all {} prompt tokens were found, not computed", self.ask.asked())
        title, pool = self.trace.header.scenario.title, Pool(bits=False, pages=self.pages_shown, counts=True)
        return self.ending(title, text, say("{}", found), unit, pool, until=self.end, key="comes-to")

    def measures(self) -> dict[str, Measure]:
        ask, sharer = self.ask, self.sharer
        own = {"owner": ask.name(self.owner), "sharer": ask.name(sharer), "prompt": ask.prompt(sharer)}
        return own | {"found": ask.found(sharer, self.admitted.seq), "all_found": ask.all_found(), "asked": ask.asked()}


class PrefixSharing(FilmScene):
    """Requests with one system prompt share its pages; hits, refcounts, cached pages."""

    default_trace = "prefix_sharing.jsonl.gz"
    chapters = PrefixSharingTelling
