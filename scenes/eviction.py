"""The film `Eviction`: cached pages make room for a newcomer, least recently used first."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from astrai_sim.trace import Event, Trace
from astrai_sim.trace.events import Lines, PagesCached, PagesEvicted, PagesRevived, PrefixHit
from scenes.film.scene import FilmScene
from scenes.measures import Measure, say
from scenes.story.beats import Reveal, Section, ShowStates
from scenes.story.chapters import ASIDE, FRAME, MORE, WORDS, Chapters, fact, requests_finished
from scenes.story.history import Missed, first_missed
from scenes.story.history.sure import sure
from scenes.story.words import are, counted, listed, many, pages_text, plural, sentence

BARE = ("pool", "mask", "tables", "queue", "lru")
EVICT = "PagedCache.evict"
MOST_STOPS = 6


class EvictionChapters(Chapters):
    """How pages stay cached, which goes first, what a newcomer takes, and who comes too late."""

    stage = BARE
    budget = {EVICT: 1}

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        needed = (
            "a page that a finished request left cached and that was evicted: record a scenario with "
            "prefix_caching = true and fewer pages than its requests leave cached"
        )
        self.kept = self.need(PagesCached, needed, phase="cleanup")
        self.cleaned = self.steps.phase_end(self.kept.seq)
        self.evicted = self.need(PagesEvicted, needed, self.cleaned)
        seq, holds = self.evicted.seq, self.pages.holds
        row = self.pages.took(seq, self.end + 1, "alloc")[0]
        self.newcomer, self.taken = self.requests.names[holds.task[row]], int(holds.shown[row])
        self.grows = self.evicted.phase != "refill"
        start = self.steps.before(seq)
        self.until = start if self.grows else self.before_arrival(self.newcomer, seq, 0)
        self.missed = first_missed(trace)

    def sections(self) -> Iterator[Section]:
        used = self.history.first(PagesRevived, self.cleaned, self.until)
        seen = -1 if used is None else self.before_arrival(sure(used.task), used.seq, self.cleaned)
        yield self.one()
        yield self.fill(seen if seen > 0 else self.until)
        if used is not None and seen > 0:
            yield self.order(used)
        yield self.evict()
        if self.missed is not None:
            yield self.miss(self.missed)
        yield self.summary()

    def stop_on_the_way(self, until: int) -> None:
        """Show the ends of the first and the last prefill and cleanup phases up to event `until`."""
        ends = sorted(
            int(end) for phase in ("prefill", "cleanup") for end in self.steps.ends(phase, self.at, until + 1)
        )
        for end in ends[:2] + ends[2:][-(MOST_STOPS - 2) :]:
            self.advance(end, self.filled(end), 1.6)

    def filled(self, end: int) -> str | None:
        """The sentence for a phase that worked on one request, which holds pages."""
        task, *others = self.trace[end].tasks
        if others or task not in self.ask.state(end).tables:
            return None
        name, pages = self.ask.name(task), counted(self.ask.table_pages(task, end), "page")
        if "request" not in self.said:
            return self.once("request", say("Request {}: {} tokens in {}.", name, self.ask.prompt(task), pages))
        return self.once(f"next {task}", say("Request {} follows.", name))

    def one(self) -> Section:
        """The first requests, up to the first page that stays cached."""
        self.begin(-1)
        until = self.steps.phase_begin(self.kept.seq)
        self.stop_on_the_way(until)
        tasks = self.ask.names([*self.ask.state(until).tables])
        self.advance(until - 1, say("{} {}.", listed(tasks), plural(tasks, "decodes", "decode")), 2.0)
        return self.section("one", "A request comes and goes", FRAME, (*BARE, "meters"))

    def fill(self, until: int) -> Section:
        ask = self.ask
        self.begin()
        kept = say("{} is done. Its full pages have keys: they stay cached.", ask.name(sure(self.kept.task)))
        self.teller.add(Reveal(self.at, kept, ("shelf",)))
        self.teller.tell(self.cleaned)
        self.stop_on_the_way(until)
        self.advance(until)
        free, cached, used = ask.pool_free(self.at), ask.pool_cached(self.at), ask.pool_in_use(self.at)
        left = say("{} free", counted(free, "page")) if free.value else "no page is free"
        self.say(sentence(say("{}, {} cached, {} in use.", left, cached, used)))
        if not used.value:
            told = "A cached page keeps its content until its room is needed."
            self.panel(ShowStates(self.at, told), seconds=1.0, detail=WORDS)
        self.stage = (*BARE, "shelf")
        return self.section("fill", "The pool fills", stage=BARE)

    def order(self, used: Event) -> Section:
        ask, task, name = self.ask, used.task, self.ask.name(used.task)
        self.begin()
        pages = sure(self.history.first(PrefixHit, self.at, task=task)).pages
        like = [keyed.task for keyed in self.pages.keyed if keyed.page == pages[0] and keyed.seq < used.seq][-1]
        self.arrive(task, say("Request {} begins as {} did: a hit.", name, ask.name(like)))
        self.advance(used.seq + 1, seconds=0.9)
        end = sure(self.requests[task].admission(used.seq)).seq
        hit = sentence(pages_text(ask.pages(pages)))
        leaves = say("{} {} the LRU and {} in use again.", hit, plural(pages, "leaves", "leave"), are(pages))
        self.advance(end, leaves, 1.2)
        self.advance(self.prefill_end(task, end))
        back = self.history.first(PagesCached, end, self.until + 1, task=task)
        if back is not None:
            self.advance(back.seq - 1)
            last = say("{} is done: they go to the end of the order.", name)
            self.advance(self.steps.next_phase("cleanup", back.seq), last, 1.5)
        self.advance(self.until)
        front = self.state().lru[:1]
        if front:
            self.say(say("Page {} is at the front: unused for longest.", *ask.pages(front)), 0.5)
        return self.section("order", "Used again, last to go", ASIDE)

    def evict(self) -> Section:
        ask, task, name, seq = self.ask, self.newcomer, self.ask.name(self.newcomer), self.evicted.seq
        self.begin(functions=(EVICT,))
        found = None
        if self.grows:
            self.advance(seq - 1, say("{} needs a page to grow, and none is free.", name))
        else:
            needed = ask.needed(task, max(self.at, self.requests[task].submitted.seq))
            free, comes = ask.pool_free(self.at), "is back" if self.requests[task].admitted[0].seq < seq else "is new"
            left = say("{} {}", free if free.value else "none", "are" if free.value > 1 else "is")
            self.arrive(task, say("Request {} {}: it needs {}, {} free.", name, comes, counted(needed, "page"), left))
            found = self.takes(needed)
        lines = self.history.latest(Lines, seq, function=EVICT)
        self.advance((self.evicted if lines is None else lines).seq - 1, found, detail=WORDS)
        self.teller.tell(self.taken, pace=0.85)
        self.teller.close_panel()
        evicted, page = self.pages.evicted, self.evicted.page
        holder, *_ = self.pages.text_of(int(evicted.content[np.searchsorted(evicted.seq, seq)]))
        held = say("Page {} held tokens {}–{} of {}.", ask.page(page), *ask.held(page, seq), ask.name(holder))
        self.say(say("{} Nothing finds them now.", held), 0.3)
        if not self.grows:
            end = sure(self.requests[task].admission(self.taken)).seq
            more = ask.pages(evicted.page[(evicted.seq > self.taken) & (evicted.seq < end)].tolist())
            follow = sentence(say("{} {}", pages_text(more), plural(more, "follows", "follow")))
            self.advance(end, say("{}, from the front of the LRU.", follow) if more else None, 1.5)
            done, over = self.requests[task].prefilled(end), None
            if done is not None:
                n = ask.computed(task, done.seq)
                its = "its " if n.value == done.end else ""
                over = say("{} computes {}{} tokens over the old content.", name, its, n)
            self.advance(self.prefill_end(task, end), over, 1.6)
        return self.section("evict", say("{} needs room: eviction", name))

    def takes(self, needed: Measure) -> str | None:
        """The sentence for the free pages that the newcomer gets before it needs those of others."""
        holds, rows = self.pages.holds, self.pages.took(self.at, self.evicted.seq, task=self.newcomer)
        got = self.ask.pages(holds.page[rows[holds.taken[rows] == 0]].tolist())
        missing = self.ask.less(needed, many(self.ask.pages(holds.page[rows].tolist())))
        return say("It takes the free {}; {} {} missing.", pages_text(got), missing, are(missing)) if got else None

    def miss(self, missed: Missed) -> Section:
        ask, task, seq, start = self.ask, missed.task, missed.seq, self.at
        name, n, once, found = ask.name(task), ask.tokens(task, seq), ask.once_cached(missed), ask.still_cached(missed)
        self.begin()
        self.advance(self.before_arrival(task, seq, start), seconds=1.5)
        begins = say("Request {} begins as {} did", name, ask.name(missed.like))
        self.arrive(task, say("{}: {} of its {} tokens were cached once.", begins, once, n))
        gone = "But they were evicted: a miss."
        self.advance(seq, say("{} still are; the rest was evicted: a miss.", found) if found.value else gone, 0.8)
        end = sure(self.requests[task].admission(seq)).seq
        self.advance(end, seconds=1.2)
        done = self.requests[task].prefilled(end)
        computed = ask.less(n, found) if done is None else ask.computed(task, done.seq)
        told = "{} tokens are computed; with a hit it would have been {}."
        self.advance(self.prefill_end(task, end), say(told, computed, ask.less(n, once)), 1.6)
        return self.section("miss", say("{} comes too late", name), MORE)

    def summary(self) -> Section:
        ask = self.ask
        facts = [
            requests_finished(ask),
            fact("pages cached at the peak", ask.most_cached(), ask.pool_pages()),
            fact("times a page stayed cached", ask.kept()),
            fact("times a page was evicted", ask.evictions()),
            fact("tokens found in the cache at admission", ask.all_found(), ask.asked()),
        ]
        if (missed := self.missed) is not None:
            lost = ask.less(ask.once_cached(missed), ask.still_cached(missed))
            facts.append(fact(say("tokens that {} would have found", ask.name(missed.task)), lost))
        return self.figures(facts)

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, the first of its kind."""
        if event.event == "lines" and event.function == EVICT:
            return self.once("evict", "No bit of the mask is set: alloc turns to evict.")
        if event.event == "pages_cached":
            return self.once("cached", "The last page of a prefix first: it is of no use without those before.")
        return None


class Eviction(FilmScene):
    """The pool fills with cached pages; the least recently used are evicted."""

    default_trace = "eviction.jsonl.gz"
    summary = "The pool fills with cached pages; the least recently used make room."
    chapters = EvictionChapters
