"""The film `Eviction`: cached pages make room for a newcomer, least recently used first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Lines, PagesCached, PagesEvicted, PagesFree, PagesRevived, TaskSubmitted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, joined, say
from scenes.parts.code import Code
from scenes.parts.lru import Lru
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.tape import Tape
from scenes.stage.racing import RaceTelling
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE
from scenes.story.history import Missed, first_missed
from scenes.story.history.sure import sure
from scenes.story.needs import PAGES, Needs
from scenes.story.words import MOST, are, counted, many, pages_text, plural

COMING, SEEN, NEAR, FEW, SOON = 2, 3, 6, 3, 50
"""Requests that come and go before the film hurries on, evictions that are seen one by one, pages that are looked at
from near, acts that are few, and letters of a sentence that is read meanwhile."""

MADE_ROOM = (
    "a page that a finished request left cached and that was evicted: record a scenario with prefix_caching = true "
    "and fewer pages than its requests leave cached"
)


class EvictionTelling(RaceTelling):
    """How pages stay cached, which goes first, what a newcomer takes, and who comes too late."""

    needs = Needs(
        dict.fromkeys(("pages_keyed", "pages_cached", "pages_evicted"), MADE_ROOM),
        rules=("cached-pages-last", "least-recently-used"),
        **PAGES,
    )

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.near: tuple[int, ...] = ()
        self.kept = self.need(PagesCached, MADE_ROOM, work="cleanup")
        self.cleaned = self.steps.phase_end(self.kept.seq)
        self.missed = first_missed(trace)
        first = self.need(PagesEvicted, MADE_ROOM, self.cleaned)
        self.evicted = next(filter(self.is_missed, self.history.events(PagesEvicted, self.cleaned)), first)
        seq, holds = self.evicted.seq, self.pages.holds
        row = self.pages.took(seq, self.end + 1, "alloc")[0]
        self.newcomer, self.taken = self.requests.names[holds.task[row]], int(holds.shown[row])
        self.grows = not self.history.works("refill", self.evicted)
        if self.missed is not None and self.missed.seq <= self.settled():
            self.missed = None
        self.until = self.steps.before(seq) if self.grows else self.before(self.newcomer, seq)
        used = self.history.first(PagesRevived, self.cleaned, self.until)
        self.used = None if used is None or self.before(sure(used.task), used.seq) <= self.cleaned else used

    def is_missed(self, event: PagesEvicted) -> bool:
        """Whether the page that goes holds text that a request begins with, too late."""
        missed, evicted = self.missed, self.pages.evicted
        if missed is None or event.seq > missed.seq:
            return False
        content = int(evicted.content[np.searchsorted(evicted.seq, event.seq)])
        return content >= 0 and self.pages.text_of(content)[0] == missed.like

    def before(self, task: str, seq: int) -> int:
        """The event before `task` came, or, where that was long before event `seq`, before that step."""
        came, step = self.requests[task].submitted.seq - 1, self.steps.before(seq)
        return came if self.steps.done_by(seq) <= came else step

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.stay()
        yield self.fill() if self.used is None else self.order(self.used)
        yield self.evict()
        if self.missed is not None:
            yield self.miss(self.missed)
        yield self.takeaway()

    def stage(
        self, task: str, acting: Sequence[int] = (), places: Sequence[int] = (), tiles: Sequence[int] = ()
    ) -> tuple[Part, ...]:
        """The tape of a request with what it asks, the row of cached pages, and the pool or what is `near` of it."""
        tape = Tape((task,), tuple((task, tile) for tile in tiles), asks=True, low=True)
        return tape, Lru(tuple(acting), tuple(places)), Pool(tuple(acting), bits=False, pages=self.near)

    def look(self, pages: Sequence[int]) -> tuple[int, ...]:
        """Look at `pages`, in this order, from near, where they are few."""
        self.near = tuple(pages) if len(pages) <= NEAR else ()
        return self.near

    def swept(self, task: str, until: int) -> list[Act]:
        """The tiles of a request that are still to compute are marked, then filled up to event `until`."""
        state = self.state()
        parts = self.stage(task, (), (), range(state.tasks[task].kv_len // self.ask.size, len(state.tables[task])))
        return self.acts(parts, self.at, until)

    def tear(self, seqs: Sequence[int], parts: Callable[..., tuple[Part, ...]], pace: float = 1.0) -> Iterator[Act]:
        """Each of the evictions `seqs`: the page at the door is marked, its key is torn off, the row closes up."""
        for seq in seqs:
            pages, row = self.trace[seq].pages, self.state(seq - 1).lru
            yield self.act(*parts(pages, row), until=seq - 1)
            yield self.act(*parts(pages, row), until=seq, seconds=0.9 * pace)
            yield self.act(*parts(pages, ()), until=seq, seconds=0.4 * pace)

    def hook(self) -> Section:
        """The one who comes too late computes; where nobody does, pages are evicted."""
        missed = self.missed
        if missed is not None and (done := self.requests[missed.task].prefilled(missed.seq)) is not None:
            task, ask = missed.task, self.ask
            self.begin(sure(self.requests[task].admission(missed.seq)).seq)
            self.look(self.state().tables[task])
            asked = say("Why must {} compute {} tokens again?", ask.name(task), self.lost(missed))
            shown = self.question(asked), *self.stage(task)[::2]
            acts = self.acts(shown, self.at, self.steps.phase_end(done.seq))
            self.shot(None, *acts, subject=("pool",), pace=2.5)
            return self.section("hook", "The question", cut=True)
        self.begin(self.evicted.seq - 1)
        question = self.question(say("All {} pages are taken: which one goes?", self.ask.pool_pages()))
        torn = self.tear(self.gone()[:SEEN], lambda _, row: (question, Lru((), tuple(row)), Pool(bits=False)))
        self.shot(None, *torn, subject=("lru",), rest=0.5)
        return self.section("hook", "A key is torn off", cut=True)

    def gone(self) -> list[int]:
        """The evictions for the newcomer, from the one that the film is about on."""
        seqs = self.history.seqs("pages_evicted")
        return [int(seq) for seq in seqs[(seqs >= self.evicted.seq) & (seqs <= self.settled())]]

    def settled(self) -> int:
        """The event after which the newcomer has all its pages."""
        again = None if self.grows else self.requests[self.newcomer].admission(self.taken)
        return self.taken if again is None else again.seq

    def stay(self) -> Section:
        """The first request whose pages stay when it is done."""
        ask, task = self.ask, sure(self.kept.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(-1)).seq
        self.begin(self.steps.phase_begin(admitted))
        self.look(self.state(self.kept.seq - 1).tables[task])
        parts, done = self.stage(task), self.requests[task].prefilled(admitted)
        n, pages = counted(ask.prompt(task), "token"), counted(ask.table_pages(task, admitted), "page")
        acts = [self.act(*parts, until=admitted)]
        if done is not None:
            acts.append(self.act(*parts, until=min(self.steps.phase_end(done.seq), self.kept.seq - 1)))
        self.shot(say("{} comes: {}, computed into {}.", name, n, pages), *acts, subject=("tape", task), pace=1.2)
        before = self.steps.phase_begin(self.kept.seq) - 1
        acts = self.pass_time(*parts, until=before, seconds=2.5)
        if acts and acts[0].stops:
            self.shot("Its answer comes.", *acts, subject=("pool",))
            acts = []
        given = [e.seq for kind in (PagesFree, PagesCached) for e in self.history.events(kind, before, self.cleaned)]
        one_by_one = sorted(given) if self.near and max(given) > self.kept.seq else []
        first = self.kept.seq if one_by_one else self.cleaned
        let_go = [first] if one_by_one[:1] == [first] else [*one_by_one, first]
        acts += self.acts(parts, *(seq for seq in let_go if seq <= first))
        rest = self.acts(parts, *(seq for seq in (*one_by_one, self.cleaned) if seq > first))
        told = say("{} is done. Its full pages stay, each with a key", name)
        told, few = say("{}." if rest else "{}: a hash.", told), len(acts) <= FEW
        told = self.short(told, say("{} is done: full pages stay, each with a key.", name))
        told = say("{} is done. Its full pages stay.", name) if few and len(told) > SOON else told
        self.shot(told, *acts, subject=("lru",), pace=1.4 if few else 1.0)
        first, more = (rest[:1], rest[1:]) if len(rest) >= FEW else (rest, [])
        if first:
            self.shot("A key is a fingerprint of the words up to there.", *first, subject=("lru",))
        if more:
            last = self.keeps("last-page-freed-first")
            told = (
                "What others may share, the beginning, goes last."
                if last
                else "They stand in the order they were let go."
            )
            self.shot(told, *more, subject=("lru",), pace=1.3)
        return self.section("stay", "A page outlives its request", cut=True)

    def fill(self) -> Section:
        """Others come and leave their pages, too."""
        self.near = ()
        self.others(self.until)
        return self.section("fill", "The pool fills", MORE)

    def others(self, until: int) -> None:
        """The requests that come and go up to event `until`: the first ones to see, the rest in a lapse."""
        ends = [int(end) for end in self.steps.ends("cleanup", self.at, until + 1)]
        for end in ends[:COMING]:
            kept = self.history.first(PagesCached, self.steps.phase_begin(end), end)
            if kept is None:
                continue
            task = sure(kept.task)
            parts, name = self.stage(task), self.ask.name(task)
            acts = self.pass_time(*parts, until=self.steps.phase_begin(end) - 1, seconds=2.0)
            if acts:
                came = say("{} brings {} and is answered.", name, counted(self.ask.prompt(task), "token"))
                self.shot(came, *acts, subject=("pool",))
            told = say("{} leaves its full pages, too.", name)
            self.shot(told, self.act(*parts, until=end), subject=("lru",))
        if self.history.first(PagesCached, self.at, until + 1) is not None:
            task = sure(self.history.latest(TaskSubmitted, until + 1)).task
            acts = self.pass_time(*self.stage(task), until=until, seconds=2.1)
            self.shot("More come, and leave their pages.", *acts, subject=("lru",))

    def order(self, used: PagesRevived) -> Section:
        """A request that begins as one before finds its pages: they are in use again."""
        ask, task = self.ask, sure(used.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(used.seq)).seq
        self.near = ()
        self.others(self.before(task, used.seq))
        table, came = self.ask.state(admitted).tables[task], max(self.at, used.seq - 1)
        row = self.state(came).lru
        found = [page for page in table if page in row]
        like = sure(sure(self.history.keyed(used.pages[0], used.seq)).task)
        acts = [self.act(*self.stage(task), until=came), self.act(*self.stage(task, found))]
        acts += [self.act(*self.stage(task, found, row), until=admitted), self.act(*self.stage(task))]
        told = say("{} begins as {} did: the keys lead to its pages.", name, ask.name(like))
        self.shot(self.short(told, say("The keys lead {} to cached pages.", name)), *acts, subject=("lru",))
        parts, done = self.stage(task), self.requests[task].prefilled(admitted)
        acts = [] if done is None else self.swept(task, self.steps.phase_end(done.seq))
        back = self.history.first(PagesCached, self.at, self.until + 1, task=task)
        if back is not None:
            acts += self.pass_time(*parts, until=self.steps.phase_begin(back.seq) - 1, seconds=1.6)
        if done is not None:
            tokens = counted(ask.tokens(task, admitted), "token")
            told = say("So only {} of its {} are computed.", ask.computed(task, done.seq), tokens)
            self.shot(told, *acts, subject=("tape", task))
            acts = []
        if back is not None:
            told = say("Just used, the pages of {} go last in the row.", name)
            acts.append(self.act(*parts, until=self.steps.phase_end(back.seq)))
            self.shot(told, *acts, subject=("lru",), pace=1.3)
        return self.section("order", "Used again, last to go", ASIDE)

    def evict(self) -> Section:
        """The newcomer takes what is free, then what was used the longest time ago."""
        ask, task, name, seq = self.ask, self.newcomer, self.ask.name(self.newcomer), self.evicted.seq
        self.near = ()
        known = self.trace.header.function
        lines = self.history.latest(Lines, seq, max(self.at, self.until), function=known("evict") or known("alloc"))
        start, parts = (seq if lines is None else lines.seq) - 1, self.stage(task)
        free = ask.pool_free(max(self.at, self.until, self.steps.before(seq)))
        acts = self.pass_time(*parts, until=self.until, seconds=1.5)
        told = say("{} needs a page: none is free.", name)
        if self.grows:
            acts.append(self.act(*parts, until=start))
        else:
            came = max(self.at, self.requests[task].submitted.seq)
            needs = say("{} needs {}", name, counted(ask.needed(task, came), "page"))
            told = say("{}, and {} {} free.", needs, free, are(free)) if free.value else say("{}: none is free.", needs)
            acts.append(self.act(*parts, until=came))
            marked = [page for page in range(ask.n_pages) if self.state().mask >> page & 1]
            acts += [self.act(*self.stage(task, marked), seconds=1.2)] if marked else []
        self.shot(told, *acts, subject=("pool",), pace=1.2 if free.value else 1.4)
        if start > self.at and free.value:
            told = say("{} takes what is free first.", name)
            self.shot(told, self.act(*parts, until=start), subject=("pool",))
        if lines is not None:
            self.code(lines)
        page, gone = self.evicted.pages[0], self.gone()
        self.look(self.state(self.settled()).tables[task])
        parts = self.stage(task)
        if lines is None:
            told = say("Page {} was unused for longest: its key is torn off.", ask.page(page))
            self.shot(told, *self.tear(gone[:1], partial(self.stage, task), 1.5), subject=("lru",))
        self.at = max(self.at, self.taken)
        pages = ask.pages([self.trace[other].pages[0] for other in gone[1:]])
        acts = self.acts(self.stage(task, (page,)), self.taken)
        acts += self.tear(gone[1 : 1 + SEEN], partial(self.stage, task))
        told = say("{} takes page {}", name, ask.page(page))
        follow = say("; {} {}", pages_text(pages), plural(pages, "follows", "follow")) if pages else ""
        if len(pages) > MOST:
            follow = say("; {} and {} more follow", joined(", ", pages[:SEEN]), many(pages[SEEN:]))
        told = say("{}{}.", told, follow)
        self.shot(told, *acts, self.act(*parts, until=self.settled()), subject=("lru",))
        done = None if self.grows else self.requests[task].prefilled(self.at)
        until = self.steps.next_phase("decode", self.at) if done is None else self.steps.phase_end(done.seq)
        told = say("Only now {} writes its words over the old ones.", name)
        self.shot(told, *self.swept(task, until), subject=("pool", page), pace=1.6)
        if self.missed is not None:
            at, until = self.at, self.before(self.missed.task, self.missed.seq)
            acts = self.pass_time(*self.stage(task), until=until, seconds=1.6)
            if acts and acts[0].stops:
                done = self.state().tasks[task].status == "finished"
                self.shot(say("{} is answered." if done else "{} goes on.", name), *acts, subject=("pool",))
            else:
                self.at = at
        return self.section("evict", say("{} needs room", name))

    def code(self, lines: Lines) -> None:
        """The lines that take a page: at one of them its key is torn off."""
        seq, page = self.evicted.seq, self.evicted.pages[0]
        row = tuple(self.state(seq - 1).lru)

        def parts(code: Code) -> Sequence[Part]:
            return Lru((page,), row), Pool((page,), bits=False, pages=(page,)), code

        acts = self.run(lines, self.taken, parts)
        torn = next((i for i, act in enumerate(acts) if "lru" in act.known), len(acts) - 1)
        called = self.ask.source(lines.function.rpartition(".")[2])
        told = say("No page is free: {} takes page {}, first in the row.", called, self.ask.page(page))
        self.shot(told, *acts[:torn], pace=1.2, subject=("code",))
        told = say("Page {} leaves the row, then its key is forgotten.", self.ask.page(page))
        self.shot(told, *acts[torn:], subject=("code",))

    def lost(self, missed: Missed) -> Measure:
        """Tokens that were cached once and are not any more."""
        return self.ask.less(self.ask.once_cached(missed), self.ask.still_cached(missed))

    def torn(self, missed: Missed) -> tuple[tuple[int, int], ...]:
        """(page, event before it went) of the cached pages that `missed` would have found, in their order."""
        gone, evicted, contents = {}, self.pages.evicted, self.pages.contents
        for seq, page, content in zip(evicted.seq, evicted.page, evicted.content, strict=True):
            if seq < missed.seq and content >= 0 and self.pages.text_of(int(content))[0] == missed.like:
                gone[int(contents.logical[content])] = int(page), int(seq) - 1
        places = range(missed.found // self.ask.size, missed.cached // self.ask.size)
        return tuple(gone[place] for place in places if place in gone)

    def miss(self, missed: Missed) -> Section:
        """The one who comes too late computes what was there."""
        ask, task, name = self.ask, missed.task, self.ask.name(missed.task)
        end, parts = sure(self.requests[task].admission(missed.seq)).seq, self.stage(task)
        told = say("{} begins as {} did, but the keys are gone.", name, ask.name(missed.like))
        told = self.short(told, say("For {} the keys of these pages are gone.", name))
        tiles = range(missed.found // ask.size, missed.cached // ask.size)
        tape, _, pool = self.stage(task, tiles=tiles)
        acts = [self.act(*parts, until=missed.seq), self.act(tape, Lru(lost=self.torn(missed)), pool, seconds=1.3)]
        self.shot(told, *acts, subject=("lru",), rest=0.7)
        self.near, row = (), self.ask.state(missed.seq).lru
        parts = self.stage(task)
        acts, told = [self.act(*self.stage(task, (), row), until=end), self.act(*parts)], None
        evicted = ask.pages([event.pages[0] for event in self.history.events(PagesEvicted, missed.seq, end)])
        if evicted:
            which = (pages_text(evicted, most) for most in (MOST, 1))
            room = self.short(*(say("To make room for {}, {} {} evicted.", name, one, are(evicted)) for one in which))
            self.shot(room, *acts, subject=("lru",))
            acts = []
        done = self.requests[task].prefilled(end)
        if done is not None:
            computed, lost = ask.computed(task, done.seq), self.lost(missed)
            told, never = counted(computed, "token"), ask.less(computed, lost)
            more = say(", {} {} never kept.", never, plural(never, "was", "were")) if never.value else "."
            told = self.short(*(say("So {} computes {}: {} again{}", name, told, lost, end) for end in (more, ".")))
            acts += self.swept(task, self.steps.phase_end(done.seq))
        self.shot(told, *acts, subject=("tape", task), pace=1.3)
        pair = self.used and self.compared(task, sure(self.used.task), only=True)
        if pair:
            self.race(*pair, Tape((task,), asks=True))
        return self.section("miss", say("{} comes too late", name))

    def takeaway(self) -> Section:
        """What is left of the film: its sentence and its number, over the row as it is now."""
        ask = self.ask
        text = say("A cached page is a loan: the least recently used goes first.")
        number, unit = say("{}", ask.evictions()), say("times a cached page made room")
        if self.missed is not None:
            number = say("{}", self.lost(self.missed))
            unit = say("tokens computed again, because {} came too late", ask.name(self.missed.task))
        return replace(self.ending("What it costs", text, number, unit, Pool(bits=False), rest=1.4), cut=True)

    def measures(self) -> dict[str, Measure]:
        late = self.missed and {"late": self.ask.name(self.missed.task), "lost": self.lost(self.missed)}
        return {"newcomer": self.ask.name(self.newcomer), "pages": self.ask.pool_pages(), **(late or {})}


class Eviction(FilmScene):
    """The pool fills with cached pages; the least recently used make room."""

    default_trace = "eviction.jsonl.gz"
    chapters = EvictionTelling
