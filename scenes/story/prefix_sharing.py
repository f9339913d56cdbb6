"""Storyboard of the film `PrefixSharing`: one prefix, computed once, held by many tables."""

from __future__ import annotations

from astrai_sim.trace import Event, State, Trace
from scenes.story.beats import Bar, Fact, PageKey, Reveal, Section, ShowBars, ShowKeys, ShowStates, Storyboard
from scenes.story.figures import RunFigures, ms_text
from scenes.story.first_token import FirstToken, comparable, first_tokens
from scenes.story.old_chapters import ASIDE, MORE, WORDS, Chapters, counted, listed, pages_text, subject

FILM = "PrefixSharing"
BUDGET = {"PagedCache.lookup": 1, "PagedCache.inc_ref": 1}
BARE = ("pool", "mask", "tables", "queue", "lru")
MOST_KEYS = 3
KEY_DIGITS = 8
MOST_JOINS = 2


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a pool too large to show page by page, and for a trace in
    which no request hit a page that another one held.
    """
    shared = subject(
        FILM,
        trace,
        "pages_ref",
        "a request that hits pages of another one: record a scenario with "
        "prefix_caching = true and a shared [[prefix]]",
    )
    return Storyboard(FILM, tuple(_Chapters(trace, shared).sections()))


class _Chapters(Chapters):
    def __init__(self, trace: Trace, shared: Event) -> None:
        super().__init__(trace, BUDGET)
        self.page: int = shared.page
        self.sharer: str = shared.task
        self.admitted = next(trace.find(event="task_admitted", task=self.sharer, after=shared.seq))
        self.hit = max(e.seq for e in trace.find(event="prefix_hit", before=shared.seq))
        self.shared: list[int] = list(self.trace[self.hit].pages)
        self.keys = [e for e in trace.find(event="pages_keyed", before=self.hit) if e.page in self.shared]
        self.owner: str = self.keys[0].task

    def sections(self):
        """All chapters; each starts where the one before ended."""
        yield self.first()
        yield self.second()
        peak = self.peak()
        if peak is not None:
            yield self.more(peak)
        if self.leaving() is not None:
            yield self.leave()
        if self.kept() is not None:
            yield self.stay()
            revived = next(self.trace.find(event="pages_revived", after=self.teller.last), None)
            if revived is not None:
                yield self.revive(revived)
        pair = comparable(first_tokens(self.trace))
        if pair is not None:
            yield self.compare(*pair)
        yield self.summary(pair)

    def holders(self, state: State, page: int | None = None) -> list[str]:
        """Tasks whose tables hold `page`, in order of submission."""
        held = {task for task, _ in state.owners(self.page if page is None else page)}
        return [task for task in self.submitted if task in held]

    def first(self) -> Section:
        until = self.before_arrival(self.sharer, self.hit, self.keys[-1].seq)
        self.teller.begin(-1)
        task, n = self.owner, self.prompt_len(self.owner)
        self.arrive(task, f"Request {task}: a prompt of {n} tokens, none of them cached.")
        admitted = next(self.trace.find(event="task_admitted", task=task)).seq
        self.advance(admitted, seconds=1.0)
        self.advance(self.keys[-1].seq, f"All {n} tokens are computed.", 2.5)
        self.panel(
            self.show_keys(
                "Each full page gets a key: a hash of its tokens and of the key before.", f"Keys of {task}'s full pages"
            ),
            seconds=3.0,
            detail=WORDS,
        )
        self.advance(until, seconds=1.0)
        return self.section("first", f"{task} computes the prefix", -1)

    def show_keys(self, caption: str, title: str, lit: bool = False) -> ShowKeys:
        """The first shared pages with their keys, each hashed after the one before."""
        keys = []
        for event in self.keys[:MOST_KEYS]:
            if keys and not event.parent.startswith(keys[-1].key):
                break
            low = event.logical * self.size
            keys.append(PageKey(event.page, event.key[:KEY_DIGITS], low, low + self.size - 1))
        return ShowKeys(self.teller.last, caption, task=self.owner, title=title, keys=tuple(keys), lit=lit)

    def second(self) -> Section:
        start = self.teller.last
        self.teller.begin(start, ("PagedCache.lookup", "PagedCache.inc_ref"))
        task, n = self.sharer, self.prompt_len(self.sharer)
        self.arrive(task, f"Request {task}: {n} tokens, and they begin as {self.owner}'s do.")
        self.teller.tell(self.hit, pace=0.55)
        self.teller.close_panel()
        self.panel(
            self.show_keys(
                f"The same tokens give the same keys: a hit on {pages_text(self.shared)}.",
                f"Keys of {task}'s first pages, and where they are found",
                lit=True,
            ),
            detail=WORDS,
        )
        self.teller.tell(self.admitted.seq, pace=0.55)
        self.teller.close_panel()
        others = [name for name in self.holders(self.state()) if name != task]
        whose = f"{others[0]}'s {pages_text(self.shared)}" if others else pages_text(self.shared)
        self.say(f"{task}'s table names {whose}; only the rest is its own.", 0.3)
        self.computed(task)
        return self.section("second", f"{task} starts with the same tokens", start)

    def computed(self, task: str, brief: bool = False) -> None:
        """Prefill of `task`, with how many of its tokens were computed."""
        end = self.prefill_end(task, self.teller.last)
        done = next(self.trace.find(event="task_prefilled", task=task, after=self.teller.last), None)
        caption = None
        if done is not None:
            first = next(
                (e.start for e in self.trace.find(event="chunk", task=task, after=self.teller.last, before=done.seq)),
                done.start,
            )
            caption = f"Only {done.end - first} of {task}'s {done.end} tokens are computed"
            caption += "." if brief else f"; {first} were there."
        self.advance(end, caption, 1.6)

    def peak(self) -> Event | None:
        """The hit that brings a shared page to its most owners, if there is one to come."""
        refs = [e for e in self.trace.find(event="pages_ref", after=self.admitted.seq) if e.page in self.shared]
        best = max((e.ref for e in refs), default=0)
        return next((e for e in refs if e.ref == best and best >= 3), None)

    def more(self, peak: Event) -> Section:
        start = self.teller.last
        self.teller.begin(start)
        joins = [
            e
            for e in self.trace.find(event="task_admitted", after=start)
            if e.cached_tokens and e.seq <= self.admission(peak)
        ]
        for event in joins[-MOST_JOINS:]:
            self.arrive(event.task, f"Request {event.task} begins with them, too.")
            self.advance(event.seq, seconds=1.5)
        state = self.state()
        pages = [page for page in self.shared if state.refs[page] == peak.ref]
        self.say(
            f"{counted(peak.ref, 'table')} name {pages_text(pages)}: "
            f"{'its ref' if len(pages) == 1 else 'the ref of each'} is {peak.ref}.",
            0.5,
        )
        entries = sum(len(pages) for pages in state.tables.values())
        self.say(f"{entries} table entries, but only {state.n_in_use} pages in use.", 0.3, detail=WORDS)
        self.computed(peak.task, brief=True)
        title = f"{peak.task} joins: {peak.ref} owners of {pages_text(pages)}"
        return self.section("more", title, start, detail=MORE)

    def admission(self, event: Event) -> int:
        """The end of the admission that `event` belongs to."""
        return next(self.trace.find(event="task_admitted", task=event.task, after=event.seq)).seq

    def leaving(self) -> Event | None:
        """The next time that a shared page loses one owner of several."""
        return next(
            (
                e
                for e in self.trace.find(event="pages_free", after=self.teller.last)
                if e.page in self.shared and e.ref >= 1
            ),
            None,
        )

    def leave(self) -> Section:
        start = self.teller.last
        drop = self.leaving()
        self.teller.begin(start)
        begin = self.phase_begin(drop.seq)
        names = self.holders(self.trace.state_at(begin), drop.page)
        own = sorted(set(self.trace.state_at(begin).tables[drop.task]) - set(self.shared))
        self.advance(begin - 1, f"{listed(names)} decode on; the shared pages are only read.", 2.5)
        self.advance(
            drop.seq, f"{drop.task} is done and lets go of its pages: ref {drop.ref + 1} becomes {drop.ref}.", 0.9
        )
        self.advance(self.phase_end("cleanup", drop.seq), seconds=1.5)
        rest = self.holders(self.state(), drop.page)
        self.say(f"Nothing is freed under {listed(rest)}: ref {self.state().refs[drop.page]}, not 0.", 0.5)
        if own and self.state().page_state(own[0]) == "free":
            self.say(
                f"Only {drop.task}'s own {pages_text(own)} {'is' if len(own) == 1 else 'are'} free again.",
                0.3,
                detail=WORDS,
            )
        return self.section("leave", f"{drop.task} leaves, the prefix stays", start, detail=MORE)

    def kept(self) -> Event | None:
        """The next time that the last owner of a shared page lets it go and it stays cached."""
        return next(
            (e for e in self.trace.find(event="pages_cached", after=self.teller.last) if e.page in self.shared), None
        )

    def stay(self) -> Section:
        start = self.teller.last
        kept = self.kept()
        self.teller.begin(start)
        begin = self.phase_begin(kept.seq)
        self.advance(begin, f"The others finish, {kept.task} last.", 2.5)
        self.teller.tell(self.phase_end("cleanup", kept.seq))
        self.panel(
            ShowStates(self.teller.last, "Cached: nobody holds the page, but its mask bit stays 0."), seconds=5.0
        )
        title = "The last one leaves, the pages stay cached"
        return self.section("stay", title, start, detail=ASIDE)

    def revive(self, revived: Event) -> Section:
        start = self.teller.last
        task = revived.task
        self.teller.begin(start)
        self.teller.add(Reveal(start, parts=("shelf",)))
        self.stage = (*BARE, "shelf")
        self.arrive(task, f"Request {task} begins with the same {self.hit_tokens(revived)} tokens.")
        table = next(self.trace.find(event="table", task=task, after=revived.seq)).seq
        self.advance(table, self.caption_of(revived), 0.9)
        end = next(self.trace.find(event="task_admitted", task=task, after=revived.seq)).seq
        self.advance(end, seconds=1.2)
        self.computed(task)
        title = f"{task} revives the cached pages"
        return self.section("revive", title, start, detail=ASIDE, stage=BARE)

    def hit_tokens(self, event: Event) -> int:
        """Tokens of the hit that `event` is a part of."""
        return max(self.trace.find(event="prefix_hit", task=event.task, before=event.seq), key=lambda e: e.seq).tokens

    def compare(self, hit: FirstToken, miss: FirstToken) -> Section:
        start = self.teller.last
        self.teller.begin(start)
        length = "as long" if miss.prompt == hit.prompt else "about as long"
        if miss.seq > start:
            self.arrive(miss.task, f"{miss.task}'s prompt is {length} as {hit.task}'s, but none of it is cached.")
            self.advance(miss.seq, seconds=2.5)
        if hit.seq > self.teller.last:
            self.advance(hit.seq, seconds=1.0)
        scale = round(1000 * max(hit.ms, miss.ms))
        bars = tuple(
            Bar(
                time.task,
                f"{time.task}, {kind}: {ms_text(time.ms)}, {time.computed} of {time.prompt} prompt tokens computed",
                *2 * (round(1000 * time.ms),),
            )
            for kind, time in (("miss", miss), ("hit", hit))
        )
        title = "Time to first token, line recording off"
        at = self.teller.last
        ratio = miss.ms / hit.ms
        told = f"In this run the hit brought the first token {ratio:.1f} times sooner."
        self.panel(
            ShowBars(at, "Counted from the start of the request's first step.", title, bars[:1], scale, 2),
            ShowBars(at, told if ratio >= 1.05 else f"{hit.task} found {hit.cached} tokens.", title, bars, scale, 2),
            seconds=4.5,
            close=False,
        )
        title = "Time to first token, with and without the hit"
        return self.section("compare", title, start, detail=MORE)

    def summary(self, pair: tuple[FirstToken, FirstToken] | None) -> Section:
        run = RunFigures.of(self.trace)
        asked = sum(e.tokens for e in self.trace.find(event="task_admitted"))
        found = sum(e.cached_tokens for e in self.trace.find(event="task_admitted"))
        peak = max(e.ref for e in self.trace.find(event="pages_ref"))
        facts = [
            Fact(str(run.requests), f"requests, {run.finished} finished"),
            Fact(f"{found}/{asked}", "tokens found in the cache at admission"),
            Fact(str(peak), "tables held one page at the peak"),
            Fact(f"{run.peak_pages}/{self.pool.n_pages}", "pages in use at the peak"),
        ]
        if pair is not None:
            hit, miss = pair
            facts.append(Fact(ms_text(hit.ms), f"to {hit.task}'s first token, with a hit"))
            facts.append(Fact(ms_text(miss.ms), f"to {miss.task}'s first token, with a miss"))
        return self.figures(facts)

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, the first of its kind."""
        kind = event.event
        if kind == "lines":
            texts = {
                "PagedCache.lookup": "lookup asks for each full page: is its prefix known?",
                "PagedCache.inc_ref": "inc_ref: one more table holds the page.",
            }
            text = texts.get(event.function)
            return self.once(event.function, text) if text else None
        if kind == "pages_revived":
            return self.once("revived", f"A hit: page {event.page} leaves the LRU, and its ref is {event.ref}.")
        if kind == "pages_cached" and event.page in self.shared:
            return self.once("cached", f"Page {event.page} has a key: it is not freed, it stays cached.")
        if kind == "pages_free" and event.ref:
            return self.once("drop", f"Page {event.page}: ref {event.ref + 1} becomes {event.ref}.")
        return None
