"""The film `PrefixSharing`: one prefix, computed once, held by many tables."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from astrai_sim.trace import Event, State, Trace
from astrai_sim.trace.events import PagesCached, PagesFree, PagesKeyed, PagesRef, PagesRevived, PrefixHit, TaskAdmitted
from scenes.film.scene import FilmScene
from scenes.measures import Said, say
from scenes.story.beats import Bar, PageKey, Reveal, Section, ShowBars, ShowKeys, ShowStates
from scenes.story.chapters import ASIDE, MORE, WORDS, Chapters, fact, requests_finished
from scenes.story.history.first_tokens import FirstToken, comparable, first_tokens
from scenes.story.history.sure import sure
from scenes.story.words import are, counted, listed, pages_text, possessive

BARE = ("pool", "mask", "tables", "queue", "lru")
MOST_KEYS = 3
KEY_DIGITS = 8
MOST_JOINS = 2
E = TypeVar("E", PagesFree, PagesCached, PagesRef)


class PrefixSharingChapters(Chapters):
    """How `owner` computed the pages `shared`, and what became of them after `sharer` hit them."""

    budget = {"PagedCache.lookup": 1, "PagedCache.inc_ref": 1}

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        ref = self.need(
            PagesRef,
            "a request that hits pages of another one: record a scenario with "
            "prefix_caching = true and a shared [[prefix]]",
        )
        self.page, self.sharer = ref.page, sure(ref.task)
        self.admitted = sure(self.requests[self.sharer].admission(ref.seq))
        hit = sure(self.history.latest(PrefixHit, ref.seq))
        self.hit, self.shared = hit.seq, list(hit.pages)
        self.keys = [e for e in self.history.events(PagesKeyed, before=self.hit) if e.page in self.shared]
        self.owner = sure(self.keys[0].task)

    def sections(self) -> Iterator[Section]:
        yield self.first()
        yield self.second()
        peak = self.peak()
        if peak is not None:
            yield self.more(peak)
        leaving = next((e for e in self.to_come(PagesFree) if e.ref), None)
        if leaving is not None:
            yield self.leave(leaving)
        kept = next(self.to_come(PagesCached), None)
        if kept is not None:
            yield self.stay(kept)
            revived = self.history.first(PagesRevived, self.at)
            if revived is not None:
                yield self.revive(revived)
        pair = comparable(first_tokens(self.history))
        if pair is not None:
            yield self.compare(*pair)
        yield self.summary(pair)

    def to_come(self, kind: type[E]) -> Iterator[E]:
        """Events of a kind that are still to be told and about a shared page."""
        return (event for event in self.history.events(kind, self.at) if event.page in self.shared)

    def holders(self, state: State, page: int) -> list[str]:
        """Tasks whose tables hold `page`, in order of submission."""
        held = {task for task, _ in state.owners(page)}
        return [task for task in self.requests if task in held]

    def text(self, pages: list[int]) -> Said:
        """The pages' numbers as words."""
        return pages_text(self.ask.pages(pages))

    def first(self) -> Section:
        until = self.before_arrival(self.sharer, self.hit, self.keys[-1].seq)
        task, n, name = self.owner, self.ask.prompt(self.owner), self.ask.name(self.owner)
        self.begin(-1)
        self.arrive(task, say("Request {}: a prompt of {} tokens, none of them cached.", name, n))
        self.advance(self.requests[task].admitted[0].seq)
        self.advance(self.keys[-1].seq, say("All {} tokens are computed.", n), 2.5)
        told = "Each full page gets a key: a hash of its tokens and of the key before."
        self.panel(self.show_keys(told, say("Keys of {} full pages", possessive(name))), seconds=3.0, detail=WORDS)
        self.advance(until)
        return self.section("first", say("{} computes the prefix", name))

    def show_keys(self, caption: str, title: str, lit: bool = False) -> ShowKeys:
        """The first shared pages with their keys, each hashed after the one before."""
        keys: list[PageKey] = []
        for event in self.keys[:MOST_KEYS]:
            if keys and not event.parent.startswith(keys[-1].key):
                break
            low = sure(event.logical) * self.ask.size
            keys.append(PageKey(event.page, event.key[:KEY_DIGITS], low, low + self.ask.size - 1))
        return ShowKeys(self.at, caption, task=self.owner, title=title, keys=tuple(keys), lit=lit)

    def second(self) -> Section:
        ask, task = self.ask, self.sharer
        name, pages = ask.name(task), self.text(self.shared)
        self.begin(functions=tuple(self.budget))
        begins = "Request {}: {} tokens, and they begin as {} do."
        self.arrive(task, say(begins, name, ask.prompt(task), possessive(ask.name(self.owner))))
        self.teller.tell(self.hit, pace=0.55)
        self.teller.close_panel()
        told = say("The same tokens give the same keys: a hit on {}.", pages)
        title = say("Keys of {} first pages, and where they are found", possessive(name))
        self.panel(self.show_keys(told, title, lit=True), detail=WORDS)
        self.teller.tell(self.admitted.seq, pace=0.55)
        self.teller.close_panel()
        others = [other for other in self.holders(self.state(), self.page) if other != task]
        whose = say("{} {}", possessive(ask.name(others[0])), pages) if others else pages
        self.say(say("{} table names {}; only the rest is its own.", possessive(name), whose), 0.3)
        self.computed(task)
        return self.section("second", say("{} starts with the same tokens", name))

    def computed(self, task: str, brief: bool = False) -> None:
        """Prefill of `task`, with how many of its tokens were computed."""
        ask, caption = self.ask, None
        done = self.requests[task].prefilled(self.at)
        if done is not None:
            admitted = [event for event in self.requests[task].admitted if event.seq < done.seq][-1]
            whose, n = possessive(ask.name(task)), ask.tokens(task, done.seq)
            caption = say("Only {} of {} {} tokens are computed", ask.computed(task, done.seq), whose, n)
            caption = (
                say("{}.", caption) if brief else say("{}; {} were there.", caption, ask.found(task, admitted.seq))
            )
        self.advance(self.prefill_end(task, self.at), caption, 1.6)

    def peak(self) -> Event | None:
        """The hit that brings a shared page to its most owners, if there is one to come."""
        refs = list(self.to_come(PagesRef))
        best = max((event.ref for event in refs), default=0)
        return next((event for event in refs if event.ref == best and best >= 3), None)

    def more(self, peak: Event) -> Section:
        ask = self.ask
        self.begin()
        end = sure(self.requests[peak.task].admission(peak.seq)).seq
        joins = [event for event in self.history.events(TaskAdmitted, self.at, end + 1) if event.cached_tokens]
        for event in joins[-MOST_JOINS:]:
            self.arrive(event.task, say("Request {} begins with them, too.", ask.name(event.task)))
            self.advance(event.seq, seconds=1.5)
        ref = ask.ref(peak.page, peak.seq)
        pages = [page for page in self.shared if self.state().refs[page] == peak.ref]
        which = "its ref" if len(pages) == 1 else "the ref of each"
        self.say(say("{} name {}: {} is {}.", counted(ref, "table"), self.text(pages), which, ref), 0.5)
        entries, used = ask.entries(self.at), ask.pool_in_use(self.at)
        self.say(say("{} table entries, but only {} pages in use.", entries, used), 0.3, detail=WORDS)
        self.computed(peak.task, brief=True)
        title = say("{} joins: {} owners of {}", ask.name(peak.task), ref, self.text(pages))
        return self.section("more", title, MORE)

    def drop(self, event: Event) -> Said:
        """How a page's refcount falls."""
        before, after = (self.ask.ref(event.page, seq) for seq in (event.seq - 1, event.seq))
        return say("ref {} becomes {}", before, after)

    def leave(self, drop: PagesFree) -> Section:
        ask, task = self.ask, sure(drop.task)
        name = ask.name(task)
        self.begin()
        begin = self.steps.phase_begin(drop.seq)
        holding = ask.state(begin)
        own = sorted(set(holding.tables[task]) - set(self.shared))
        names = listed(ask.names(self.holders(holding, drop.page)))
        self.advance(begin - 1, say("{} decode on; the shared pages are only read.", names), 2.5)
        self.advance(drop.seq, say("{} is done and lets go of its pages: {}.", name, self.drop(drop)), 0.9)
        self.advance(self.steps.next_phase("cleanup", drop.seq), seconds=1.5)
        rest = listed(ask.names(self.holders(self.state(), drop.page)))
        self.say(
            say("Nothing is freed under {}: ref {}, not {}.", rest, ask.ref(drop.page, self.at), ask.free_ref()), 0.5
        )
        if own and self.state().page_state(own[0]) == "free":
            told = say("Only {} own {} {} free again.", possessive(name), self.text(own), are(own))
            self.say(told, 0.3, detail=WORDS)
        return self.section("leave", say("{} leaves, the prefix stays", name), MORE)

    def stay(self, kept: PagesCached) -> Section:
        self.begin()
        begin = self.steps.phase_begin(kept.seq)
        self.advance(begin, say("The others finish, {} last.", self.ask.name(sure(kept.task))), 2.5)
        self.teller.tell(self.steps.next_phase("cleanup", kept.seq))
        told = say("Cached: nobody holds the page, but its mask bit stays {}.", self.ask.held_bit())
        self.panel(ShowStates(self.at, told), seconds=5.0)
        return self.section("stay", "The last one leaves, the pages stay cached", ASIDE)

    def revive(self, revived: PagesRevived) -> Section:
        ask, task = self.ask, sure(revived.task)
        self.begin()
        self.teller.add(Reveal(self.at, parts=("shelf",)))
        self.stage = (*BARE, "shelf")
        hit = sure(self.history.latest(PrefixHit, revived.seq, task=task))
        begins = say("Request {} begins with the same {} tokens.", ask.name(task), ask.hit_tokens(hit.seq))
        self.arrive(task, begins)
        self.advance(revived.seq + 1, self.caption_of(revived), 0.9)
        self.advance(sure(self.requests[task].admission(revived.seq)).seq, seconds=1.2)
        self.computed(task)
        return self.section("revive", say("{} revives the cached pages", ask.name(task)), ASIDE, BARE)

    def compare(self, hit: FirstToken, miss: FirstToken) -> Section:
        ask = self.ask
        self.begin()
        if miss.seq > self.at:
            length = "as long" if miss.prompt == hit.prompt else "about as long"
            told = "{} prompt is {} as {}, but none of it is cached."
            whose = possessive(ask.name(miss.task)), length, possessive(ask.name(hit.task))
            self.arrive(miss.task, say(told, *whose))
            self.advance(miss.seq, seconds=2.5)
        if hit.seq > self.at:
            self.advance(hit.seq)
        bars = []
        for kind, time in (("miss", miss), ("hit", hit)):
            prompt, took = ask.prompt(time.task), ask.first_token(time.task)
            computed = ask.less(prompt, ask.found(time.task, 0))
            label = "{}, {}: {}, {} of {} prompt tokens computed"
            us = round(time.ns / 1000)
            bars.append(Bar(time.task, say(label, ask.name(time.task), kind, took, computed, prompt), us, us))
        title, scale = "Time to first token, line recording off", max(bar.reserved for bar in bars)
        told = say("{} found {} tokens.", ask.name(hit.task), ask.found(hit.task, 0))
        ratio = ask.ratio(ask.first_token(miss.task), ask.first_token(hit.task))
        if ratio.value >= 1.05:
            told = say("In this run the hit brought the first token {} times sooner.", ratio)
        counted_from = "Counted from the start of the request's first step."
        self.panel(
            ShowBars(self.at, counted_from, title, tuple(bars[:1]), scale, 2),
            ShowBars(self.at, told, title, tuple(bars), scale, 2),
            seconds=4.5,
            close=False,
        )
        return self.section("compare", "Time to first token, with and without the hit", MORE)

    def summary(self, pair: tuple[FirstToken, FirstToken] | None) -> Section:
        ask = self.ask
        facts = [
            requests_finished(ask),
            fact("tokens found in the cache at admission", ask.all_found(), ask.asked()),
            fact("tables held one page at the peak", ask.most_shared()),
            fact("pages in use at the peak", ask.most_in_use(), ask.pool_pages()),
        ]
        for kind, time in zip(("hit", "miss"), pair or (), strict=False):
            label = say("to {} first token, with a {}", possessive(ask.name(time.task)), kind)
            facts.append(fact(label, ask.first_token(time.task)))
        return self.figures(facts)

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, the first of its kind."""
        if event.event == "lines":
            texts = {
                "PagedCache.lookup": "lookup asks for each full page: is its prefix known?",
                "PagedCache.inc_ref": "inc_ref: one more table holds the page.",
            }
            text = texts.get(event.function)
            return self.once(event.function, text) if text else None
        if isinstance(event, PagesRevived):
            ref = self.ask.ref(event.page, event.seq)
            told = say("A hit: page {} leaves the LRU, and its ref is {}.", self.ask.page(event.page), ref)
            return self.once("revived", told)
        if isinstance(event, PagesCached) and event.page in self.shared:
            told = say("Page {} has a key: it is not freed, it stays cached.", self.ask.page(event.page))
            return self.once("cached", told)
        if isinstance(event, PagesFree) and event.ref:
            return self.once("drop", say("Page {}: {}.", self.ask.page(event.page), self.drop(event)))
        return None


class PrefixSharing(FilmScene):
    """One prefix, computed once: hits, refcounts, cached pages and time to first token."""

    default_trace = "prefix_sharing.jsonl.gz"
    summary = "Requests with one system prompt share its pages; hits, refcounts, cached pages."
    chapters = PrefixSharingChapters
