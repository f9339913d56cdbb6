"""Storyboard of the film `PrefixCache`: a paged KV cache at work, from the first page on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from astrai_sim.trace import Event, Trace
from scenes.story.beats import (
    Advance,
    Bar,
    ClosePanel,
    Fact,
    Focus,
    Hold,
    Reveal,
    Run,
    Section,
    ShowBars,
    ShowFacts,
    ShowGather,
    Storyboard,
)
from scenes.story.errors import DoesNotApply
from scenes.story.figures import PoolFigures, RunFigures, bytes_text, ms_text
from scenes.story.limits import LARGEST, pool_rows
from scenes.story.milestones import Milestones
from scenes.story.moments import MOST_PAGES
from scenes.story.runs import prompt_len
from scenes.story.source import WIDE_COLUMNS, open_code
from scenes.story.teller import Teller

SMALL = ("pool", "mask", "tables", "meters")
LARGE = ("map", "census", "clock", "tables", "lens")
LISTED = 8
MOST_ARRIVALS = 6
"""Requests up to which each one's arrival is told."""

FRAME, WORDS, SECOND, WHY, CODE, SHAPE = 1, 2, 2, 3, 4, 5
"""How early things are left out of a short film: the higher, the earlier."""

CODE_DETAIL = {"pages_for": 6, "PagedCache.alloc": 3, "PagedCache.gather": 5}
BUDGET = {
    "pages_for": 1,
    "PagedCache.alloc": 1,
    "PagedCache.write": 1,
    "PagedCache.grow": 1,
    "PagedCache.free": 1,
    "PagedCache.gather": 1,
}


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a trace in which no request was ever admitted and prefilled.
    """
    marks = Milestones.of(trace)
    if marks.admitted is None or marks.prefill_end is None:
        raise DoesNotApply("PrefixCache needs a request that was admitted and prefilled")
    return Storyboard("PrefixCache", tuple(_Chapters(trace, marks).sections()))


def listed(pages: Sequence[int]) -> str:
    """A page table as captions write it, the middle of a long one left out."""
    if len(pages) <= LISTED:
        return str(list(pages))
    return f"[{', '.join(map(str, pages[: LISTED - 1]))}, …, {pages[-1]}]"


class _Chapters:
    def __init__(self, trace: Trace, marks: Milestones) -> None:
        self.trace = trace
        self.marks = marks
        self.pool = PoolFigures.of(trace)
        self.run = RunFigures.of(trace)
        self.said: set[str] = set()
        self.submitted = {e.task: e for e in trace.find(event="task_submitted")}
        self.all = SMALL if self.pool.n_pages <= LARGEST else LARGE
        self.teller = Teller(trace, BUDGET, self.caption_of, dict.fromkeys(BUDGET, CODE) | CODE_DETAIL)

    def sections(self):
        """All chapters; each starts where the one before ended."""
        marks = self.marks
        yield self.why()
        yield self.the_pool()
        yield self.admission()
        yield self.prefill()
        if marks.second_end is not None:
            yield self.second_request()
        if marks.finish_begin is not None:
            yield self.decode(marks.finish_begin - 1)
            yield self.finish()
            if marks.last > marks.finish_end:
                yield self.going_on()
        else:
            yield self.decode(marks.last)
        yield self.summary()

    def section(
        self,
        key: str,
        title: str,
        start: int,
        stage: tuple[str, ...] | None = None,
        detail: int = 0,
        task: str | None = None,
        pages: Sequence[int] = (),
    ) -> Section:
        """A section of the beats told since the last; in a large pool about `task`'s `pages`."""
        stage = self.all if stage is None else stage
        about = task is not None and self.all == LARGE
        props = (Focus((task,), tuple(pages[:MOST_PAGES])),) if about else ()
        return Section(key, title, start, tuple(self.teller.beats), stage, props, detail)

    def once(self, key: str, text: str) -> str | None:
        """`text` the first time that `key` comes up, else None."""
        if key in self.said:
            return None
        self.said.add(key)
        return text

    def prompt_len(self, task: str) -> int:
        return prompt_len(self.submitted[task])

    def table(self, task: str, seq: int) -> list[int]:
        """The pages of `task` after event `seq`."""
        return self.trace.state_at(seq).tables.get(task, [])

    def pages_for(self, tokens: int) -> int:
        return -(-tokens // self.pool.page_size)

    def why(self) -> Section:
        tasks = [t for t in (self.marks.first_task, self.marks.second_task) if t is not None]
        whole, paged = zip(*(self.reservations(task) for task in tasks), strict=True)
        scale = max(bar.reserved for bar in whole + paged)
        places = 2 * len(tasks)
        title = "KV cache slots that a request holds when it arrives"
        first = tasks[0]
        prompt = self.prompt_len(first)
        more = self.submitted[first].max_tokens
        idle = sum(bar.reserved - bar.used for bar in whole)
        paged_idle = sum(bar.reserved - bar.used for bar in paged)
        self.teller.begin(-1)
        self.teller.add(
            ShowBars(
                -1, f"Request {first}: {prompt} prompt tokens, up to {more} more.", title, whole[:1], scale, places
            )
        )
        self.teller.add(ShowBars(-1, f"Reserved in one piece, {idle} slots wait unused.", title, whole, scale, places))
        self.teller.add(
            ShowBars(
                -1,
                f"In pages of {self.pool.page_size} slots, {paged_idle} wait; more come when needed.",
                title,
                whole + paged,
                scale,
                places,
            )
        )
        self.teller.add(Hold(-1, seconds=1.0))
        return self.section("why", "Why paging", -1, (), WHY)

    def reservations(self, task: str) -> tuple[Bar, Bar]:
        """A request's bars in one piece and in pages, from its prompt and its limit."""
        prompt = self.prompt_len(task)
        longest = prompt + self.submitted[task].max_tokens
        paged = self.pages_for(prompt) * self.pool.page_size
        return (
            Bar(task, f"{task} in one piece: {longest} slots reserved, {prompt} used", longest, prompt),
            Bar(task, f"{task} in pages: {paged} slots reserved, {prompt} used", paged, prompt, self.pool.page_size),
        )

    def the_pool(self) -> Section:
        p = self.pool
        shape = f"[{p.n_layers}, {p.n_pages}, {p.page_size}, {p.n_kv_heads}, {p.head_dim}]"
        self.teller.begin(-1)
        if "PagedCache.__init__" in self.trace.header.sources:
            self.teller.add(
                open_code(
                    self.trace,
                    "PagedCache.__init__",
                    -1,
                    "This constructor reserves the whole pool once.",
                    WIDE_COLUMNS,
                    CODE,
                )
            )
            self.teller.add(Hold(-1, seconds=4.0, detail=CODE))
            self.teller.add(ClosePanel(-1, detail=CODE))
        self.teller.add(Reveal(-1, f"{p.n_pages:,} pages, every bit of the free mask is 1.", self.all))
        self.teller.add(
            ShowFacts(
                -1,
                None,
                f"shape {shape}",
                (
                    Fact(str(p.n_layers), "layers"),
                    Fact(f"{p.n_pages:,}", f"pages of {p.page_size} token slots"),
                    Fact(f"{p.n_kv_heads}×{p.head_dim}", "KV heads × head dim"),
                    Fact(bytes_text(p.slot_bytes), "for one token, K and V"),
                    Fact(bytes_text(p.page_bytes), "a page"),
                    Fact(bytes_text(p.pool_bytes), "the pool"),
                ),
                detail=SHAPE,
            )
        )
        self.teller.add(Hold(-1, f"K and V: one tensor each, {p.dtype}.", 3.0, detail=SHAPE))
        return self.section("pool", "The page pool", -1, (), FRAME)

    def admission(self) -> Section:
        task = self.marks.first_task
        self.teller.begin(-1, ("pages_for", "PagedCache.alloc"))
        submitted = self.submitted[task]
        prompt = self.prompt_len(task)
        longest = prompt + submitted.max_tokens
        bar = Bar(task, f"{prompt:,} prompt tokens, up to {submitted.max_tokens:,} more", longest, prompt, tokens=True)
        self.teller.add(
            ShowBars(
                submitted.seq,
                f"Request {task} arrives: a prompt of {prompt} tokens.",
                f"Request {task} waits",
                (bar,),
                longest,
            )
        )
        self.teller.panel = "request"
        self.teller.tell(self.marks.prefill_begin - 1)
        self.teller.close_panel()
        table = self.table(task, self.marks.prefill_begin - 1)
        self.teller.add(Hold(self.teller.last, f"The page table of {task} is {listed(table)}.", 1.5, detail=FRAME))
        return self.section("admit", f"Request {task} is admitted", -1, task=task, pages=table)

    def prefill(self) -> Section:
        start = self.marks.prefill_begin - 1
        task = self.marks.first_task
        self.teller.begin(start, ("PagedCache.write",))
        state = self.trace.state_at(self.marks.prefill_end)
        before = self.trace.state_at(start)
        new = state.tasks[task].kv_len - before.tasks[task].kv_len
        if new == self.prompt_len(task):
            self.teller.add(Hold(start, f"All {new:,} prompt tokens go through prefill at once.", detail=WORDS))
        else:
            self.teller.add(
                Hold(
                    start,
                    f"{new:,} of {self.prompt_len(task):,} prompt tokens go through prefill in this step.",
                    detail=WORDS,
                )
            )
        self.teller.tell(self.marks.prefill_end, seconds=3.5)
        self.teller.close_panel()
        page_size = self.pool.page_size
        pages = state.tables.get(task, [])
        filled = [n for i in range(len(pages)) if (n := min(page_size, state.tasks[task].kv_len - i * page_size)) > 0]
        terms = " + ".join(str(n) for n in filled) if len(filled) <= 4 else f"{sum(filled):,}"
        took = ms_text(self.trace[self.marks.prefill_end].duration_ns / 1e6)
        self.teller.add(Hold(self.teller.last, f"{terms} slots filled in {took}."))
        if next(self.trace.find(event="kv_write"), None) is not None:
            self.teller.add(
                Hold(
                    self.teller.last,
                    f"The brighter a slot, the larger the norm of K in layer {self.trace.header.kv_layer}.",
                    0.5,
                    detail=SHAPE,
                )
            )
        return self.section("prefill", "Prefill writes K and V", start, task=task, pages=pages)

    def second_request(self) -> Section:
        start = self.marks.prefill_end
        task = self.marks.second_task
        self.teller.begin(start)
        arrived = max(self.submitted[task].seq, start)
        self.teller.add(Advance(arrived, f"Request {task} arrives: a prompt of {self.prompt_len(task)} tokens.", 1.0))
        self.teller.tell(self.marks.second_end, seconds=2.0)
        self.teller.close_panel()
        table = self.table(task, self.marks.second_end)
        free = np.flatnonzero(self.trace.state_at(start).page_states() == 0)
        lowest = "the lowest free pages" if free[: len(table)].tolist() == table else "the pages"
        self.teller.add(Hold(self.teller.last, f"{task} has {lowest}: {listed(table)}.", 1.0))
        return self.section("second", f"Request {task} joins", start, detail=SECOND, task=task, pages=table)

    def decode(self, until: int) -> Section:
        start = self.marks.prefill_end if self.marks.second_end is None else self.marks.second_end
        grown = next(
            (
                event
                for event in self.trace.find(event="pages_alloc", after=start, before=until + 1)
                if event.phase == "decode"
            ),
            None,
        )
        self.teller.begin(start, ("PagedCache.grow",))
        self.teller.add(Hold(start, "Each decode step writes one slot per chosen request.", detail=WORDS))
        policy = self.trace.header.scenario.scheduler.decode_policy
        if policy == "same-position" and self.marks.second_end is not None:
            self.teller.add(
                Hold(start, "This policy decodes the requests at one position, oldest first.", detail=SHAPE)
            )
        self.teller.tell(until, seconds=1.6)
        self.teller.close_panel()
        if grown is None:
            return self.section("decode", "Decode", start)
        pages = self.table(grown.task, grown.seq + 1)
        near = pages[max(0, grown.logical - 3) : grown.logical + 1]
        return self.section("decode", "Decode, and growth on demand", start, task=grown.task, pages=near)

    def finish(self) -> Section:
        start = self.marks.finish_begin - 1
        task = self.marks.finished_task
        state = self.trace.state_at(start)
        self.teller.begin(start, ("PagedCache.free",))
        self.teller.add(
            Hold(start, f"{task} is done at {state.tasks[task].n_tokens} tokens; cleanup frees its pages.", 0.5)
        )
        self.teller.tell(self.marks.finish_end, pace=1.1)
        self.teller.close_panel()
        after = self.trace.state_at(self.marks.finish_end)
        free = "1 page is" if after.n_free == 1 else f"{after.n_free:,} pages are"
        self.teller.add(Hold(self.teller.last, f"{free} free for whoever comes next.", 1.0, detail=WORDS))
        return self.section(
            "finish", f"{task} finishes, its pages return", start, task=task, pages=state.tables.get(task, [])
        )

    def going_on(self) -> Section:
        start = self.marks.finish_end
        self.teller.begin(start, ("PagedCache.gather",))
        self.teller.add(
            Hold(
                start,
                "The others decode on, through the tables that they have."
                if len(self.run_on()) != 1
                else f"{self.run_on()[0]} decodes on, through the table that it has.",
            )
        )
        self.teller.tell(self.marks.last, seconds=2.0)
        self.gather()
        running = self.run_on()
        title = f"{' and '.join(running)} goes on" if len(running) == 1 else "The rest goes on"
        return self.section("goes-on", title, start, detail=WORDS)

    def run_on(self) -> list[str]:
        """Tasks that still run when the trace ends."""
        tasks = self.trace.state_at(self.marks.last).tasks.values()
        return [task.name for task in tasks if task.status == "running"]

    def gather(self) -> None:
        """Show the last recorded gather of a task that still has its table."""
        tables = self.trace.state_at(self.marks.last).tables
        latest = None
        for event in self.trace.find(event="gather"):
            rows = [row for row in event.rows if tables.get(row.task) == row.pages]
            if rows:
                latest = max(rows, key=lambda row: row.length)
        if latest is None:
            self.teller.close_panel()
            return
        page_size = self.pool.page_size
        runs = []
        for logical, page in enumerate(latest.pages):
            first = logical * page_size
            last = min(first + page_size, latest.length) - 1
            if last >= first:
                runs.append(Run(first, last, page, 0, last - first))
        self.teller.add(
            ShowGather(
                self.teller.last,
                f"Attention reads positions 0–{latest.length - 1} of {latest.task} through the table.",
                latest.task,
                tuple(runs),
            )
        )
        self.teller.add(Hold(self.teller.last, seconds=2.0))
        self.teller.panel = "gather"
        self.teller.close_panel()

    def summary(self) -> Section:
        r = self.run
        facts = [
            Fact(str(r.requests), f"requests, {r.finished} finished"),
            Fact(str(r.generated), f"tokens generated in {r.steps} steps"),
            Fact(f"{r.peak_pages}/{self.pool.n_pages}", "pages in use at the peak"),
            Fact(f"{r.allocs}", f"pages allocated, {r.frees} freed"),
        ]
        if r.prefill_ms is not None:
            facts.append(Fact(ms_text(r.prefill_ms), "median prefill phase"))
        if r.decode_ms is not None:
            facts.append(Fact(ms_text(r.decode_ms), "median decode phase"))
        self.teller.begin(self.marks.last)
        self.teller.add(
            ShowFacts(
                self.marks.last,
                "Every figure was counted from the recorded trace.",
                "This run in figures",
                tuple(facts),
            )
        )
        self.teller.add(Hold(self.marks.last, seconds=3.0))
        crowded = self.all == SMALL and pool_rows(self.pool.n_pages) > 2
        return self.section(
            "summary", "What the trace says", self.marks.last, () if crowded else self.all, detail=FRAME
        )

    def caption_of(self, event: Event) -> str | None:
        """The sentence for the first event of each kind."""
        if event.event == "lines":
            return self.caption_of_code(event)
        if (
            event.event == "task_submitted"
            and len(self.submitted) <= MOST_ARRIVALS
            and event.task not in (self.marks.first_task, self.marks.second_task)
        ):
            return self.once(
                f"submitted {event.task}", f"Request {event.task} arrives: a prompt of {prompt_len(event)} tokens."
            )
        if event.event == "task_preempted":
            return self.once("preempted", f"No page left: {event.task} is preempted, to be computed again.")
        if event.event == "pages_alloc" and event.phase == "decode":
            size = self.pool.page_size
            return self.once(
                "growth", f"Token {event.logical * size + 1} of {event.task} needs a slot: page {event.page} is added."
            )
        return None

    def caption_of_code(self, event: Event) -> str | None:
        texts = {
            "pages_for": "How many pages? Enough to cover every token.",
            "PagedCache.alloc": "alloc takes the lowest set bit of the free mask.",
            "PagedCache.write": "write finds each token's page in the table.",
            "PagedCache.grow": "grow checks whether the next token has a slot.",
            "PagedCache.free": "free lowers the refcount; at 0 the bit is set again.",
            "PagedCache.gather": "gather reads the pages back in logical order.",
        }
        return self.once(event.function, texts[event.function]) if event.function in texts else None
