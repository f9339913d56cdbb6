"""Storyboard of the film `Eviction`: cached pages make room, least recently used first."""

from __future__ import annotations

from astrai_sim.trace import Event, Trace
from scenes.story.beats import Advance, Fact, Reveal, Section, ShowStates, Storyboard
from scenes.story.figures import RunFigures
from scenes.story.old_chapters import (
    ASIDE,
    FRAME,
    MORE,
    WORDS,
    Chapters,
    counted,
    listed,
    pages_text,
    sentence,
    subject,
)
from scenes.story.prefixes import Missed, first_missed, held_by

FILM = "Eviction"
BARE = ("pool", "mask", "tables", "queue", "lru")
STAGE, METERED = (*BARE, "shelf"), (*BARE, "meters")
BUDGET = {"PagedCache.evict": 1}
MOST_STOPS = 6


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a pool too large to show page by page, and for a trace in
    which no page was evicted.
    """
    evicted = subject(
        FILM,
        trace,
        "pages_evicted",
        "a page that was evicted: record a scenario with prefix_caching = true "
        "and fewer pages than its requests leave cached",
    )
    return Storyboard(FILM, tuple(_Chapters(trace, evicted).sections()))


class _Chapters(Chapters):
    def __init__(self, trace: Trace, evicted: Event) -> None:
        super().__init__(trace, BUDGET)
        self.evicted = evicted
        self.admitted = next(trace.find(event="task_admitted", after=evicted.seq), None)
        taken = next(trace.find(event="pages_alloc", after=evicted.seq))
        self.newcomer: str = taken.task
        self.grows = evicted.phase != "refill"
        start = self.step_start(evicted.seq)
        self.until = start if self.grows else self.before_arrival(self.newcomer, evicted.seq, 0)

    def sections(self):
        """All chapters; each starts where the one before ended."""
        used = self.used_again()
        yield self.one()
        yield self.fill(self.until if used is None else self.before_use(used))
        if used is not None:
            yield self.order(used)
        yield self.evict()
        missed = first_missed(self.trace)
        if missed is not None:
            yield self.miss(missed)
        yield self.summary(missed)

    def used_again(self) -> Event | None:
        """The first hit on a cached page before the eviction, by another step's request."""
        revived = next(self.trace.find(event="pages_revived", before=self.until), None)
        if revived is None or self.before_use(revived) <= 0:
            return None
        return revived

    def before_use(self, revived: Event) -> int:
        """The event before the request of `revived` comes into view."""
        return self.before_arrival(revived.task, revived.seq, self.first_cached())

    def first_cached(self) -> int:
        """The end of the cleanup that leaves the first cached page."""
        cached = next(self.trace.find(event="pages_cached")).seq
        return self.phase_end("cleanup", cached)

    def stops(self, until: int) -> list[Event]:
        """Ends of the prefill and cleanup phases that had tasks, up to event `until`."""
        ends = [
            e
            for e in self.trace.find(event="phase_end", after=self.teller.last, before=until + 1)
            if e.tasks and e.phase in ("prefill", "cleanup")
        ]
        return ends[:2] + ends[2:][-(MOST_STOPS - 2) :]

    def one(self) -> Section:
        """The first requests, up to the first page that stays cached."""
        until = self.phase_begin(next(self.trace.find(event="pages_cached")).seq)
        self.teller.begin(-1)
        for stop in self.stops(until):
            self.advance(stop.seq, self.filled(stop), 1.6)
        tasks = list(self.trace.state_at(until).tables)
        self.advance(until - 1, f"{listed(tasks)} {'decodes' if len(tasks) == 1 else 'decode'}.", 2.0)
        title = "A request comes and goes"
        return self.section("one", title, -1, detail=FRAME, stage=METERED)

    def fill(self, until: int) -> Section:
        start = self.teller.last
        self.teller.begin(start)
        first = next(self.trace.find(event="pages_cached", after=start))
        self.teller.add(Reveal(start, f"{first.task} is done. Its full pages have keys: they stay cached.", ("shelf",)))
        self.stage = STAGE
        self.teller.tell(self.phase_end("cleanup", first.seq))
        for stop in self.stops(until):
            self.advance(stop.seq, self.filled(stop), 1.6)
        self.advance(until, seconds=1.0)
        state = self.state()
        free = f"{counted(state.n_free, 'page')} free" if state.n_free else "no page is free"
        self.say(sentence(f"{free}, {state.n_cached} cached, {state.n_in_use} in use."))
        if not state.n_in_use:
            self.panel(
                ShowStates(self.teller.last, "A cached page keeps its content until its room is needed."),
                seconds=1.0,
                detail=WORDS,
            )
        return self.section("fill", "The pool fills", start, stage=BARE)

    def filled(self, stop: Event) -> str | None:
        state = self.trace.state_at(stop.seq)
        task = stop.tasks[0]
        if len(stop.tasks) > 1 or task not in state.tables:
            return None
        n, pages = self.prompt_len(task), len(state.tables[task])
        if "request" not in self.said:
            return self.once("request", f"Request {task}: {n} tokens in {counted(pages, 'page')}.")
        return self.once(f"next {task}", f"Request {task} follows.")

    def order(self, used: Event) -> Section:
        start = self.teller.last
        task = used.task
        self.teller.begin(start)
        pages = next(e.pages for e in self.trace.find(event="prefix_hit", task=task, after=start))
        like = self.holder_of(pages[0], used.seq)
        self.arrive(task, f"Request {task} begins as {like} did: a hit.")
        end = next(self.trace.find(event="task_admitted", task=task, after=used.seq)).seq
        self.advance(used.seq + 1, seconds=0.9)
        self.advance(end, f"{pages_text(pages).capitalize()} leave the LRU and are in use again.", 1.2)
        self.advance(self.prefill_end(task, end), seconds=1.0)
        back = next(
            (e for e in self.trace.find(event="pages_cached", task=task, after=end, before=self.until + 1)), None
        )
        if back is not None:
            self.advance(back.seq - 1, seconds=1.0)
            self.advance(self.phase_end("cleanup", back.seq), f"{task} is done: they go to the end of the order.", 1.5)
        self.advance(self.until, seconds=1.0)
        front = self.state().lru[:1]
        if front:
            self.say(f"Page {front[0]} is at the front: unused for longest.", 0.5)
        return self.section("order", "Used again, last to go", start, detail=ASIDE)

    def holder_of(self, page: int, seq: int) -> str:
        """Who had the key of `page` recorded, before event `seq`."""
        return [e.task for e in self.trace.find(event="pages_keyed", before=seq) if e.page == page][-1]

    def evict(self) -> Section:
        start = self.teller.last
        task = self.newcomer
        self.teller.begin(start, ("PagedCache.evict",))
        free = self.trace.state_at(start).n_free
        found = None
        if self.grows:
            self.advance(self.evicted.seq - 1, f"{task} needs a page to grow, and none is free.")
        else:
            needed = -(-self.prompt_len(task) // self.size)
            self.arrive(
                task,
                f"Request {task} is new: it needs {counted(needed, 'page')}, "
                f"{free or 'none'} {'are' if free > 1 else 'is'} free.",
            )
            got = [
                e.page
                for e in self.trace.find(event="pages_alloc", after=self.teller.last, before=self.evicted.seq)
                if e.task == task
            ]
            found = (
                f"It takes the free {pages_text(got)}; {needed - len(got)} "
                f"{'is' if needed - len(got) == 1 else 'are'} missing."
                if got
                else None
            )
        lines = max(
            (
                e.seq
                for e in self.trace.find(event="lines", before=self.evicted.seq)
                if e.function == "PagedCache.evict"
            ),
            default=None,
        )
        before = self.evicted.seq if lines is None else lines
        self.teller.add(Advance(before - 1, found, 1.0, detail=WORDS))
        taken = next(self.trace.find(event="table", after=self.evicted.seq)).seq
        self.teller.tell(taken, pace=0.85)
        self.teller.close_panel()
        held = held_by(self.trace, self.evicted)
        self.say(f"Page {held.page} held tokens {held.first}–{held.last} of {held.task}. Nothing finds them now.", 0.3)
        if not self.grows:
            end = next(self.trace.find(event="task_admitted", task=task, after=taken)).seq
            more = [e.page for e in self.trace.find(event="pages_evicted", after=taken, before=end)]
            self.advance(
                end,
                f"{pages_text(more).capitalize()} "
                f"{'follows' if len(more) == 1 else 'follow'}, from the front of the "
                "LRU."
                if more
                else None,
                1.5,
            )
            self.advance(
                self.prefill_end(task, end),
                f"{task} computes its {self.prompt_len(task)} tokens over the old content.",
                1.6,
            )
        return self.section("evict", f"{task} needs room: eviction", start)

    def miss(self, missed: Missed) -> Section:
        start = self.teller.last
        task, n = missed.task, self.prompt_len(missed.task)
        self.teller.begin(start)
        before = self.before_arrival(task, missed.seq, start)
        self.advance(before, seconds=1.5)
        self.arrive(
            task, f"Request {task} begins as {missed.like} did: {missed.cached} of its {n} tokens were cached once."
        )
        self.advance(
            missed.seq,
            "But they were evicted: a miss."
            if not missed.found
            else f"{missed.found} still are; the rest was evicted: a miss.",
            0.8,
        )
        end = next(self.trace.find(event="task_admitted", task=task, after=missed.seq)).seq
        self.advance(end, seconds=1.2)
        done = next(self.trace.find(event="task_prefilled", task=task, after=end), None)
        start_at = missed.found if done is None else done.start
        self.advance(
            self.prefill_end(task, end),
            f"{n - start_at} tokens are computed; with a hit it would have been {n - missed.cached}.",
            1.6,
        )
        return self.section("miss", f"{task} comes too late", start, detail=MORE)

    def summary(self, missed: Missed | None) -> Section:
        run = RunFigures.of(self.trace)
        asked = sum(e.tokens for e in self.trace.find(event="task_admitted"))
        found = sum(e.cached_tokens for e in self.trace.find(event="task_admitted"))
        evictions = sum(1 for _ in self.trace.find(event="pages_evicted"))
        kept = sum(1 for _ in self.trace.find(event="pages_cached"))
        most = max((len(e.lru) for e in self.trace.find(event="pages_cached")), default=0)
        facts = [
            Fact(str(run.requests), f"requests, {run.finished} finished"),
            Fact(f"{most}/{self.pool.n_pages}", "pages cached at the peak"),
            Fact(str(kept), "times a page stayed cached"),
            Fact(str(evictions), "times a page was evicted"),
            Fact(f"{found}/{asked}", "tokens found in the cache at admission"),
        ]
        if missed is not None:
            facts.append(Fact(str(missed.cached - missed.found), f"tokens that {missed.task} would have found"))
        return self.figures(facts)

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, the first of its kind."""
        if event.event == "lines" and event.function == "PagedCache.evict":
            return self.once("evict", "No bit of the mask is set: alloc turns to evict.")
        if event.event == "pages_cached":
            return self.once("cached", "The last page of a prefix first: it is of no use without those before.")
        return None
