"""The film `Eviction`: cached pages make room for a newcomer, least recently used first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Lines, PagesCached, PagesEvicted, PagesRevived, PhaseEnd, TaskSubmitted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, say
from scenes.parts.bars import Bar, Bars
from scenes.parts.code import Code
from scenes.parts.free import Free
from scenes.parts.lru import Lru
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.question import Question, Takeaway
from scenes.parts.tape import Tape
from scenes.stage.shot import Section
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.history import Missed, first_missed
from scenes.story.history.sure import sure
from scenes.story.words import are, counted, number, pages_text, plural

EVICT = "PagedCache.evict"
COMING = 2
"""Requests that come and go before the film hurries on."""


class EvictionTelling(Telling):
    """How pages stay cached, which goes first, what a newcomer takes, and who comes too late."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        needed = (
            "a page that a finished request left cached and that was evicted: record a scenario with "
            "prefix_caching = true and fewer pages than its requests leave cached"
        )
        self.kept = self.need(PagesCached, needed, phase="cleanup")
        self.cleaned = self.steps.phase_end(self.kept.seq)
        self.missed = first_missed(trace)
        first = self.need(PagesEvicted, needed, self.cleaned)
        self.evicted = next(filter(self.is_missed, self.history.events(PagesEvicted, self.cleaned)), first)
        seq, holds = self.evicted.seq, self.pages.holds
        row = self.pages.took(seq, self.end + 1, "alloc")[0]
        self.newcomer, self.taken = self.requests.names[holds.task[row]], int(holds.shown[row])
        self.grows = self.evicted.phase != "refill"
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
        yield self.order() if self.used is not None else self.fill(self.until)
        yield self.evict()
        if self.missed is not None:
            yield self.miss(self.missed)
        yield self.takeaway()

    def stage(
        self, task: str, *, acting: Sequence[int] = (), tiles: Sequence[int] = (), alarm: bool = False
    ) -> tuple[Part, ...]:
        """The tape of a request, the row of cached pages and the pool."""
        tape = Tape((task,), tuple((task, tile) for tile in tiles))
        return tape, Lru(tuple(acting)), Free(cached=True), Pool(tuple(acting), bits=False, alarm=alarm)

    # the parts of the story

    def hook(self) -> Section:
        """The page that is missed later is evicted, and those after it."""
        self.begin(self.evicted.seq - 1)
        question = Question(self.told("question", self.asked(), **self.measures()))
        acts = [self.act(question, Lru(), Pool(bits=False))]
        for seq in self.gone()[:3]:
            page = self.trace[seq].pages[0]
            acts.append(self.act(question, Lru((page,)), Pool((page,), bits=False), seconds=0.4))
            acts.append(self.act(question, Lru(), Pool((page,), bits=False), until=seq, seconds=0.8))
        self.shot(None, *acts, subject=("lru",), rest=0.8)
        return self.section("hook", "A key is torn off", cut=True)

    def asked(self) -> Said:
        """The question of the film."""
        if self.missed is None:
            return say("All {} pages are taken: which one goes?", self.ask.pool_pages())
        return say("Why must {} compute {} tokens again?", self.ask.name(self.missed.task), self.lost(self.missed))

    def gone(self) -> list[int]:
        """The evictions for the newcomer, from the one that the film is about on."""
        end = self.taken
        if not self.grows:
            end = sure(self.requests[self.newcomer].admission(self.taken)).seq
        seqs = self.history.seqs("pages_evicted")
        return [int(seq) for seq in seqs[(seqs >= self.evicted.seq) & (seqs <= end)]]

    def stay(self) -> Section:
        """The first request whose pages stay when it is done."""
        ask, task = self.ask, sure(self.kept.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(-1)).seq
        self.begin(-1)
        parts, done = self.stage(task), self.requests[task].prefilled(admitted)
        n, pages = ask.prompt(task), ask.table_pages(task, admitted)
        computed = self.steps.phase_end(admitted if done is None else done.seq)
        told = say("{} comes: {} are computed, into {}.", name, counted(n, "token"), counted(pages, "page"))
        came = self.steps.before(admitted)
        acts = [self.lapse(*parts, until=came, seconds=1.5)] if came >= 0 else []
        self.shot(
            told,
            *acts,
            self.act(*parts, until=admitted),
            self.act(*parts, until=min(computed, self.kept.seq - 1)),
            subject=("tape", task),
        )
        before = self.steps.phase_begin(self.kept.seq) - 1
        if before > self.at:
            self.shot(
                say("Its answer comes, token by token."),
                self.lapse(*parts, until=before, seconds=2.0),
                subject=("tape", task),
            )
        told = say("{} is done, but its full pages stay: each has a key.", name)
        self.shot(told, self.act(*parts, until=self.cleaned), subject=("lru",), rest=1.0)
        return self.section("stay", "A page outlives its request", cut=True)

    def fill(self, until: int) -> Section:
        """Others come and leave their pages, too."""
        self.begin()
        self.others(until)
        return self.section("fill", "The pool fills", MORE)

    def others(self, until: int) -> None:
        """The requests that come and go up to event `until`: the first ones to see, the rest in a lapse."""
        ask = self.ask
        ends = [int(end) for end in self.steps.ends("cleanup", self.at, until + 1)]
        kept = [end for end in ends if self.history.first(PagesCached, self.at, end + 1, phase="cleanup")]
        for end in kept[:COMING]:
            tasks = sure(self.history.event(PhaseEnd, end).tasks)
            left = self.history.first(PagesCached, self.at, end + 1)
            task = tasks[0] if left is None or left.task not in tasks else left.task
            parts, begin = self.stage(task), self.steps.phase_begin(end) - 1
            cached = ask.pool_cached(end)
            told = say("{} leaves its pages, too: {} are cached.", ask.name(task), cached)
            acts = [self.lapse(*parts, until=begin, seconds=2.2)] if begin > self.at else []
            self.shot(told, *acts, self.act(*parts, until=end), subject=("lru",))
        if until > self.at:
            last = self.history.latest(TaskSubmitted, until + 1)
            parts = self.stage(sure(last).task)
            free, cached = ask.pool_free(until), ask.pool_cached(until)
            told = say("In the end {} are cached and {} free.", counted(cached, "page"), number(free))
            self.shot(told, self.lapse(*parts, until=until, seconds=2.5), subject=("pool",))

    def order(self) -> Section:
        """A request that begins as one before finds its pages: they are in use again."""
        ask, used = self.ask, sure(self.used)
        task = sure(used.task)
        name, admitted = ask.name(task), sure(self.requests[task].admission(used.seq)).seq
        self.begin()
        self.others(self.before(task, used.seq))
        found = self.table(admitted, task)[: ask.found(task, used.seq).value // ask.size]
        parts = self.stage(task)
        like = [k.task for k in self.pages.keyed if k.page == used.pages[0] and k.seq < used.seq][-1]
        told = say("{} begins as {} did: its keys are found, no page is new.", name, ask.name(like))
        came = max(self.at, used.seq - 1)
        self.shot(
            say("{} begins as {} did: the keys match.", name, ask.name(like)),
            self.act(*self.stage(task, acting=found), until=came),
            self.act(*parts, until=admitted),
            subject=("lru",),
        )
        done = self.requests[task].prefilled(admitted)
        if done is not None:
            n, all_ = ask.computed(task, done.seq), ask.tokens(task, admitted)
            told = say("So only {} of its {} tokens are computed.", n, all_)
            self.shot(told, self.act(*parts, until=self.steps.phase_end(done.seq)), subject=("tape", task))
        back = self.history.first(PagesCached, self.at, self.until + 1, task=task)
        if back is not None:
            begin, end = self.steps.phase_begin(back.seq) - 1, self.steps.phase_end(back.seq)
            told = say("{} is done: its pages go last in the row.", name)
            self.shot(told, self.lapse(*parts, until=begin, seconds=1.5), self.act(*parts, until=end), subject=("lru",))
        if self.until > self.at:
            self.shot(None, self.lapse(*parts, until=self.until, seconds=1.0), subject=("pool",))
        return self.section("order", "Used again, last to go", ASIDE)

    def table(self, seq: int, task: str) -> list[int]:
        """The pages of `task` after event `seq`."""
        return self.ask.state(seq).tables.get(task, [])

    def evict(self) -> Section:
        """The newcomer takes what is free, then what was used the longest time ago."""
        ask, task, name, seq = self.ask, self.newcomer, self.ask.name(self.newcomer), self.evicted.seq
        self.begin()
        lines = self.history.latest(Lines, seq, self.at, function=EVICT)
        start = (seq if lines is None else lines.seq) - 1
        free = ask.pool_free(max(self.at, self.steps.before(seq)))
        if self.grows:
            told = say("{} needs a page to grow, and none is free.", name)
        else:
            needed = ask.needed(task, max(self.at, self.requests[task].submitted.seq))
            told = say("{} needs {}, and {} {} free.", name, counted(needed, "page"), free, are(free))
        parts = self.stage(task)
        self.shot(told, self.act(*parts, until=start), subject=("pool",))
        if lines is not None:
            self.code(lines)
        page = self.evicted.pages[0]
        torn = self.stage(task, acting=(page,))
        self.shot(
            say("Page {} was unused for longest: its key is torn off.", ask.page(page)),
            self.act(*torn),
            self.act(*torn, until=seq, seconds=1.2),
            self.act(*torn, until=self.taken),
            subject=("lru", page),
        )
        more = self.gone()[1:]
        if more:
            acts = []
            for other in more[:4]:
                gone = self.stage(task, acting=self.trace[other].pages)
                acts += [self.act(*gone), self.act(*gone, until=other, seconds=0.7)]
            pages = ask.pages([self.trace[other].pages[0] for other in more])
            self.shot(
                say("{} {}.", pages_text(pages).capitalised(), plural(pages, "follows", "follow")),
                *acts,
                self.act(*parts, until=self.end_of_taking()),
                subject=("lru",),
            )
        done = self.requests[task].prefilled(self.at) if not self.grows else None
        until = self.steps.phase_end(done.seq) if done is not None else self.steps.next_phase("decode", self.at)
        old = self.pages.text_of(int(self.pages.evicted.content[np.searchsorted(self.pages.evicted.seq, seq)]))[0]
        told = say("Only now {} writes over what {} left.", name, ask.name(old))
        self.shot(told, self.act(*parts, until=until), subject=("pool", page))
        return self.section("evict", say("{} needs room", name))

    def end_of_taking(self) -> int:
        """The event after which the newcomer has all its pages."""
        return max(self.taken, sure(self.requests[self.newcomer].admission(self.taken)).seq)

    def code(self, lines: Lines) -> None:
        """The lines that take a page."""

        def parts(code: Code) -> Sequence[Part]:
            return Lru((self.evicted.pages[0],)), Pool((self.evicted.pages[0],), bits=False), replace(code)

        acts = self.run(lines, lines.seq, parts)
        self.shot("No bit is set, so alloc turns to the row: first in, first out.", *acts, subject=("code",))

    def lost(self, missed: Missed) -> Measure:
        """Tokens that were cached once and are not any more."""
        return self.ask.less(self.ask.once_cached(missed), self.ask.still_cached(missed))

    def miss(self, missed: Missed) -> Section:
        ask, task, seq = self.ask, missed.task, missed.seq
        name, n = ask.name(task), ask.tokens(task, seq)
        self.begin()
        parts, came = self.stage(task), max(self.at, self.before(task, seq))
        if came > self.at:
            self.shot(
                say("{} goes on, and more come.", ask.name(self.newcomer)),
                self.lapse(*parts, until=came, seconds=1.5),
                subject=("pool",),
            )
        told = say(
            "{} begins as {} did: {} of its tokens were cached.", name, ask.name(missed.like), ask.once_cached(missed)
        )
        self.shot(told, self.act(*parts, until=seq), subject=("tape", task))
        end = sure(self.requests[task].admission(seq)).seq
        self.shot("But those keys are gone: nothing is found.", self.act(*parts, until=end), subject=("lru",))
        done = self.requests[task].prefilled(end)
        if done is not None:
            computed = ask.computed(task, done.seq)
            told = say("So all {} are computed, {} of them again.", counted(computed, "token"), self.lost(missed))
            self.shot(told, self.act(*parts, until=self.steps.phase_end(done.seq)), subject=("tape", task))
            self.shot(told, self.act(*self.cost(missed, computed)), subject=("bars",), rest=1.5)
        return self.section("miss", say("{} comes too late", name))

    def cost(self, missed: Missed, computed: Measure) -> tuple[Part, ...]:
        """Tokens computed with the pages still there, and without."""
        ask, bars = self.ask, []
        if self.used is not None:
            task = sure(self.used.task)
            done = self.requests[task].prefilled(self.used.seq)
            if done is not None:
                bars.append(Bar(say("{} found its pages", ask.name(task)), ask.computed(task, done.seq), task=task))
        bars.append(Bar(say("{} came too late", ask.name(missed.task)), computed, task=missed.task))
        return Tape((missed.task,)), Bars("tokens to compute before the first new one", tuple(bars))

    def takeaway(self) -> Section:
        ask = self.ask
        self.begin()
        text = say("A cached page is a loan: the least recently used goes first.")
        if self.missed is not None:
            n, unit = (
                say("{}", self.lost(self.missed)),
                say("tokens computed again, because {} came too late", ask.name(self.missed.task)),
            )
        else:
            n, unit = say("{}", ask.evictions()), say("times a cached page made room")
        self.shot(
            None,
            self.act(Takeaway(self.told("takeaway", text, **self.measures()), n, unit), Lru()),
            subject=("takeaway",),
            rest=2.0,
        )
        return self.section("takeaway", "What it costs")

    def measures(self) -> dict[str, Measure]:
        """What a scenario's question and takeaway can say."""
        found = {"newcomer": self.ask.name(self.newcomer), "pages": self.ask.pool_pages()}
        if self.missed is None:
            return found
        return {**found, "late": self.ask.name(self.missed.task), "lost": self.lost(self.missed)}


class Eviction(FilmScene):
    """The pool fills with cached pages; the least recently used are evicted."""

    default_trace = "eviction.jsonl.gz"
    summary = "The pool fills with cached pages; the least recently used make room."
    chapters = EvictionTelling
