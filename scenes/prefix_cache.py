"""The film `PrefixCache`: a paged KV cache at work, from the first page on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from astrai_sim.trace import Event, Trace
from astrai_sim.trace.events import Gather, PagesAlloc, PagesFree, TaskAdmitted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, joined, say
from scenes.story.beats import Bar, ClosePanel, Fact, Focus, Reveal, Section, ShowBars, ShowFacts, ShowGather, SlotRun
from scenes.story.chapters import Chapters, fact, requests_finished
from scenes.story.history.sure import sure
from scenes.story.limits import LARGEST, pool_rows
from scenes.story.source import WIDE_COLUMNS, open_code
from scenes.story.words import are, counted, plural

SMALL = ("pool", "mask", "tables", "meters")
LARGE = ("map", "census", "clock", "tables", "lens")
MOST_ARRIVALS = 6
"""Requests up to which each one's arrival is told."""

MOST_PAGES = 64
"""Pages of a request that the lens of a large pool is put over."""

MOST_TERMS = 4
"""Pages up to which the filled slots of each stand in a sum."""

FRAME, WORDS, SECOND, WHY, CODE, SHAPE = 1, 2, 2, 3, 4, 5
"""How early things are left out of a short film: the higher, the earlier."""


class PrefixCacheChapters(Chapters):
    """The first request that is admitted, the second, decode, and the first that finishes.

    Raises DoesNotApply for a trace in which no request was ever admitted and prefilled.
    """

    code_detail = {
        "pages_for": 6,
        "PagedCache.alloc": 3,
        "PagedCache.write": CODE,
        "PagedCache.grow": CODE,
        "PagedCache.free": CODE,
        "PagedCache.gather": 5,
    }
    budget = dict.fromkeys(code_detail, 1)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        admitted = self.need(TaskAdmitted, "a request that was admitted and prefilled")
        self.first: str = admitted.task
        self.filled = self.steps.next_phase("prefill", admitted.seq, worked=False)
        self.freed = self.history.first(PagesFree, phase="cleanup")
        later = self.history.events(TaskAdmitted, self.filled, self.freed and self.freed.seq)
        second = next((event for event in later if event.task != self.first), None)
        self.second: str | None = None if second is None else second.task
        self.joined = -1 if second is None else self.steps.next_phase("prefill", second.seq, worked=False)
        self.large = self.ask.n_pages > LARGEST
        self.stage = LARGE if self.large else SMALL

    def sections(self) -> Iterator[Section]:
        yield self.why()
        yield self.the_pool()
        yield self.admission()
        yield self.prefill()
        if self.second is not None:
            yield self.second_request()
        if self.freed is not None:
            yield self.decode(self.steps.phase_begin(self.freed.seq) - 1)
            yield self.finish()
            if self.end > self.at:
                yield self.going_on()
        else:
            yield self.decode(self.end)
        yield self.summary()

    def about(self, task: str, pages: Sequence[int]) -> tuple[Focus, ...]:
        """The props of a section about a request's `pages`: a large pool shows them through a lens."""
        return (Focus((task,), tuple(pages[:MOST_PAGES])),) if self.large else ()

    def table(self, task: str, seq: int) -> list[int]:
        """The pages of `task` after event `seq`."""
        return self.ask.state(seq).tables.get(task, [])

    def arrives(self, task: str) -> str:
        """The sentence for a request's arrival."""
        return say("Request {} arrives: a prompt of {} tokens.", self.ask.name(task), self.ask.prompt(task))

    def why(self) -> Section:
        ask, first = self.ask, self.first
        tasks = [task for task in (first, self.second) if task is not None]
        whole, paged = zip(*map(self.reservations, tasks), strict=True)
        scale, places = max(bar.reserved for bar in whole + paged), 2 * len(tasks)
        idle = ask.total(*map(ask.max_tokens, tasks))
        waits = ask.total(*(ask.less(ask.prompt_slots(task), ask.prompt(task)) for task in tasks))
        self.begin(-1)
        for caption, bars in (
            (say("Request {}: {} prompt tokens, up to {} more.", *self.asks(first)), whole[:1]),
            (say("Reserved in one piece, {} {} unused.", counted(idle, "slot"), plural(idle, "waits", "wait")), whole),
            (say("In pages of {} slots, {} wait; more come when needed.", ask.page_size(), waits), whole + paged),
        ):
            title = "KV cache slots that a request holds when it arrives"
            self.teller.add(ShowBars(-1, caption, title, bars, scale, places))
        self.say(None, 1.0)
        return self.section("why", "Why paging", WHY, ())

    def asks(self, task: str) -> tuple[Measure, Measure, Measure]:
        """Name, prompt tokens and tokens that may be generated."""
        return self.ask.name(task), self.ask.prompt(task), self.ask.max_tokens(task)

    def reservations(self, task: str) -> tuple[Bar, Bar]:
        """A request's bars in one piece and in pages, from its prompt and its limit."""
        ask = self.ask
        prompt, whole, paged = ask.prompt(task), ask.longest(task), ask.prompt_slots(task)
        in_one, in_pages = (
            say(f"{{}} in {how}: {{}} slots reserved, {{}} used", ask.name(task), slots, prompt)
            for how, slots in (("one piece", whole), ("pages", paged))
        )
        return (Bar(task, in_one, whole.value, prompt.value), Bar(task, in_pages, paged.value, prompt.value, ask.size))

    def the_pool(self) -> Section:
        ask = self.ask
        self.begin(-1)
        if "PagedCache.__init__" in self.trace.header.sources:
            told = "This constructor reserves the whole pool once."
            self.teller.add(open_code(self.trace, "PagedCache.__init__", -1, told, WIDE_COLUMNS, CODE))
            self.say(None, 4.0, CODE)
            self.teller.add(ClosePanel(-1, detail=CODE))
        pages, size = ask.pool_pages(), ask.page_size()
        free = say("{} pages, every bit of the free mask is {}.", pages, ask.free_bit())
        self.teller.add(Reveal(-1, free, self.stage))
        layers, heads, dim = map(ask.model, ("n_layers", "n_kv_heads", "head_dim"))
        shape = say("shape [{}]", joined(", ", (layers, ask.pool_pages("plain"), size, heads, dim)))
        facts = (
            fact("layers", layers),
            fact(say("pages of {} token slots", size), pages),
            Fact(joined("×", (heads, dim)), "KV heads × head dim"),
            fact("for one token, K and V", ask.bytes_of("slot")),
            fact("a page", ask.bytes_of("page")),
            fact("the pool", ask.bytes_of("pool")),
        )
        self.teller.add(ShowFacts(-1, None, shape, facts, detail=SHAPE))
        self.say(say("K and V: one tensor each, {}.", ask.header(self.trace.header.dtype)), 3.0, SHAPE)
        return self.section("pool", "The page pool", FRAME, ())

    def admission(self) -> Section:
        task = self.first
        name, prompt, more = self.asks(task)
        longest = prompt.value + more.value
        label = say("{} prompt tokens, up to {} more", prompt, more)
        bar = Bar(task, label, longest, prompt.value, tokens=True)
        submitted, title = self.requests[task].submitted.seq, say("Request {} waits", name)
        self.begin(functions=("pages_for", "PagedCache.alloc"))
        self.teller.add(ShowBars(submitted, self.arrives(task), title, (bar,), longest))
        self.teller.panel = "request"
        self.teller.tell(self.steps.phase_begin(self.filled) - 1)
        self.teller.close_panel()
        told = say("The page table of {} is {}.", name, self.ask.table(task, self.at))
        self.say(told, 1.5, FRAME)
        pages = self.table(task, self.at)
        return self.section("admit", say("Request {} is admitted", name), props=self.about(task, pages))

    def prefill(self) -> Section:
        ask, task, end = self.ask, self.first, self.filled
        self.begin(functions=("PagedCache.write",))
        new, prompt = ask.less(ask.stored(task, end), ask.stored(task, self.at)), ask.prompt(task)
        told = say("{} of {} prompt tokens go through prefill in this step.", new, prompt)
        if new.value == prompt.value:
            told = say("All {} prompt tokens go through prefill at once.", new)
        self.say(told, detail=WORDS)
        self.teller.tell(end, seconds=3.5)
        self.teller.close_panel()
        pages, stored = self.table(task, end), ask.stored(task, end)
        terms = [ask.filled_of(page, end) for page in pages[: -(-stored.value // ask.size)]]
        slots = joined(" + ", terms) if len(terms) <= MOST_TERMS else say("{}", stored)
        self.say(say("{} slots filled in {}.", slots, ask.duration(end)))
        if self.history.count("kv_write"):
            bright = say("The brighter a slot, the larger the norm of K in layer {}.", ask.kv_layer())
            self.say(bright, 0.5, SHAPE)
        return self.section("prefill", "Prefill writes K and V", props=self.about(task, pages))

    def second_request(self) -> Section:
        task, end = sure(self.second), self.joined
        free = np.flatnonzero(self.ask.state(self.at).page_states() == 0)
        self.begin()
        self.advance(self.requests[task].submitted.seq, self.arrives(task))
        self.teller.tell(end, seconds=2.0)
        self.teller.close_panel()
        pages, name = self.table(task, end), self.ask.name(task)
        lowest = "the lowest free pages" if free[: len(pages)].tolist() == pages else "the pages"
        self.say(say("{} has {}: {}.", name, lowest, self.ask.table(task, end)), 1.0)
        return self.section("second", say("Request {} joins", name), SECOND, props=self.about(task, pages))

    def decode(self, until: int) -> Section:
        start = self.at
        grown = self.history.first(PagesAlloc, start, until + 1, phase="decode")
        self.begin(functions=("PagedCache.grow",))
        self.say("Each decode step writes one slot per chosen request.", detail=WORDS)
        if self.ask.scenario.scheduler.decode_policy == "same-position" and self.second is not None:
            self.say("This policy decodes the requests at one position, oldest first.", detail=SHAPE)
        self.teller.tell(until, seconds=1.6)
        if grown is None:
            return self.section("decode", "Decode")
        task, logical = sure(grown.task), sure(grown.logical)
        near = self.table(task, grown.seq + 1)[max(0, logical - 3) : logical + 1]
        return self.section("decode", "Decode, and growth on demand", props=self.about(task, near))

    def finish(self) -> Section:
        ask, freed, start = self.ask, sure(self.freed), self.at
        task = sure(freed.task)
        name, pages = ask.name(task), self.table(task, start)
        self.begin(functions=("PagedCache.free",))
        self.say(say("{} is done at {} tokens; cleanup frees its pages.", name, ask.tokens(task, start)), 0.5)
        self.teller.tell(self.steps.phase_end(freed.seq), pace=1.1)
        self.teller.close_panel()
        free = ask.pool_free(self.at)
        self.say(say("{} {} free for whoever comes next.", counted(free, "page"), are(free)), 1.0, WORDS)
        title = say("{} finishes, its pages return", name)
        return self.section("finish", title, props=self.about(task, pages))

    def going_on(self) -> Section:
        tasks = self.ask.state(self.end).tasks.values()
        running = self.ask.names([task.name for task in tasks if task.status == "running"])
        told, title = "The others decode on, through the tables that they have.", "The rest goes on"
        if len(running) == 1:
            told = say("{} decodes on, through the table that it has.", *running)
            title = say("{} goes on", *running)
        self.begin(functions=("PagedCache.gather",))
        self.say(told)
        self.teller.tell(self.end, seconds=2.0)
        self.gather()
        return self.section("goes-on", title, WORDS)

    def gather(self) -> None:
        """Show the last recorded gather of a task that still has its table."""
        tables, size = self.ask.state(self.end).tables, self.ask.size
        gathers = reversed([*self.history.events(Gather)])
        kept = ([row for row in event.rows if tables.get(row.task) == row.pages] for event in gathers)
        rows = next(filter(None, kept), None)
        if rows is None:
            return
        latest = max(rows, key=lambda row: row.length)
        runs = []
        for first, page in zip(range(0, latest.length, size), latest.pages, strict=False):
            last = min(first + size, latest.length) - 1
            runs.append(SlotRun(first, last, page, 0, last - first))
        ends = map(self.ask.position, (0, latest.length - 1))
        reads = "Attention reads positions {}–{} of {} through the table."
        told = say(reads, *ends, self.ask.name(latest.task))
        self.teller.add(ShowGather(self.at, told, latest.task, tuple(runs)))
        self.say(None, 2.0)
        self.teller.panel = "gather"

    def summary(self) -> Section:
        ask = self.ask
        facts = [
            requests_finished(ask),
            fact(say("tokens generated in {} steps", ask.steps()), ask.all_generated()),
            fact("pages in use at the peak", ask.most_in_use(), ask.pool_pages()),
            fact(say("pages allocated, {} freed", ask.frees()), ask.allocs()),
        ]
        for phase in ("prefill", "decode"):
            if (took := ask.median_phase(phase)) is not None:
                facts.append(fact(f"median {phase} phase", took))
        told = "Every figure was counted from the recorded trace."
        self.begin()
        self.teller.add(ShowFacts(self.end, told, "This run in figures", tuple(facts)))
        self.say(None, 3.0)
        crowded = not self.large and pool_rows(self.ask.n_pages) > 2
        return self.section("summary", "What the trace says", FRAME, () if crowded else self.stage)

    def caption_of(self, event: Event) -> str | None:
        """The sentence for the first event of each kind."""
        ask, kind = self.ask, event.event
        if kind == "lines":
            return self.caption_of_code(event)
        if kind == "task_preempted":
            lost = say("No page left: {} is preempted, to be computed again.", ask.name(event.task))
            return self.once("preempted", lost)
        if kind == "pages_alloc" and event.phase == "decode":
            token, page = ask.first_token_of(event.logical), ask.page(event.page)
            grows = say("Token {} of {} needs a slot: page {} is added.", token, ask.name(event.task), page)
            return self.once("growth", grows)
        few = len(self.requests) <= MOST_ARRIVALS
        if kind == "task_submitted" and few and event.task not in (self.first, self.second):
            return self.once(f"submitted {event.task}", self.arrives(event.task))
        return None

    def caption_of_code(self, event: Event) -> str | None:
        texts = {
            "pages_for": "How many pages? Enough to cover every token.",
            "PagedCache.alloc": "alloc takes the lowest set bit of the free mask.",
            "PagedCache.write": "write finds each token's page in the table.",
            "PagedCache.grow": "grow checks whether the next token has a slot.",
            "PagedCache.free": say("free lowers the refcount; at {} the bit is set again.", self.ask.free_ref()),
            "PagedCache.gather": "gather reads the pages back in logical order.",
        }
        return self.once(event.function, texts[event.function]) if event.function in texts else None


class PrefixCache(FilmScene):
    """A paged KV cache at work: pages, bitmask, refcounts and tables of a recorded run."""

    default_trace = "promo.jsonl.gz"
    summary = "Pages, free mask, refcounts and page tables of a paged KV cache at work."
    chapters = PrefixCacheChapters
