"""Storyboard of the film `PoolAtScale`: many requests, many pages, from the first to the last."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from astrai_sim.trace import Series, Trace
from astrai_sim.trace.header import Cost
from scenes import theme
from scenes.story import curves
from scenes.story.beats import (
    Advance,
    Beat,
    Chart,
    Curve,
    Fact,
    Focus,
    Hold,
    Limit,
    Reveal,
    Section,
    ShowFacts,
    Spotlight,
    Storyboard,
)
from scenes.story.errors import DoesNotApply
from scenes.story.figures import PoolFigures, bytes_text, ms_text
from scenes.story.lapse import lapse, step_after, step_before
from scenes.story.limits import LARGEST, MAP_ROOM, map_grid, round_step
from scenes.story.moments import Height, Moment, Moments
from scenes.story.runs import requests_of, series_of

FRAME = ("map", "census", "clock")
CLOSE_UP = (*FRAME, "tables", "lens")
ARRIVAL = (*FRAME, "queue", "lens")
CURVES = (*FRAME, "chart")
LAPSES = 30.0
"""Seconds of all time-lapses together, unless another length is asked for."""

WORTH = 0.03
"""Share of the run's time from which on a stretch between two moments is shown."""

TIME_STEPS = 4
"""Most steps of the time axis."""

HEADROOM = 1.3
"""Height of the chart of slots, by that of the pool: its name stands above it."""

LEAST_SIDE = 0.2
"""Share of a time-lapse from which on what follows the last of the queue has its own words."""

DETAIL = {"first": 1, "growth": 2, "share": 2, "eviction": 2, "preemption": 1, "release": 2}
WORDS, COST, LOAD, FIGURES = 3, 4, 2, 1


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a pool small enough to be shown page by page, and for a
    trace in which no request got pages in a step that ended.
    """
    n_pages = trace.header.scenario.cache.n_pages
    if n_pages <= LARGEST:
        raise DoesNotApply(f"PoolAtScale shows a pool as a map, from {LARGEST + 1} pages on; the trace has {n_pages}")
    series = series_of(trace)
    moments = Moments.of(trace, series)
    if moments["first"] is None or moments.peak is None:
        raise DoesNotApply("PoolAtScale needs a request that got pages, and a step that ended")
    return Storyboard("PoolAtScale", tuple(_Chapters(trace, series, moments).sections()))


class _Chapters:
    def __init__(self, trace: Trace, series: Series, moments: Moments) -> None:
        self.trace = trace
        self.series = series
        self.moments = moments
        self.requests = requests_of(trace)
        self.pool = PoolFigures.of(trace)
        self.charts = self._charts()
        self.last = int(series.seq[-1])
        self.end_ns = int(series.end_ns[-1])

    def sections(self) -> Iterator[Section]:
        """All chapters: moments in close-up, the time between them in time-lapse."""
        yield self.load()
        at = -1
        stretches = self.stretches()
        total = sum(math.sqrt(max(1, self.span(a, b))) for a, b, _ in stretches)
        for start, until, mark in stretches:
            share = math.sqrt(max(1, self.span(start, until))) / total
            worth = self.span(start, until) >= WORTH * self.end_ns or mark is None
            if worth and until > start:
                yield self.stretch(at, start, until, mark, LAPSES * share)
                at = until
            if isinstance(mark, Moment):
                yield self.close_up(mark)
                at = mark.end
        yield self.summary()

    def stretches(self) -> list[tuple[int, int, Moment | Height | None]]:
        """(start, end, what comes then) of the time up to each mark, between ends of steps."""
        marks: list[tuple[int, Moment | Height | None]] = [(moment.begin, moment) for moment in self.moments.found]
        queue = self.moments.queue
        if queue is not None and queue.seq < self.last:
            marks.append((queue.seq, queue))
        marks.sort(key=lambda mark: mark[0])
        found, at = [], -1
        for seq, mark in marks:
            found.append((at, max(at, step_before(self.series, seq)), mark))
            after = mark.end if isinstance(mark, Moment) else seq
            at = max(at, step_after(self.series, after))
        return [*found, (at, self.last, None)]

    def span(self, start: int, until: int) -> int:
        """Nanoseconds of the run between the ends of two steps."""
        return self.time(until) - self.time(start)

    def time(self, seq: int) -> int:
        """The run's time at the end of the step at event `seq`; 0 before the first."""
        if seq < 0:
            return 0
        return int(self.series.end_ns[np.searchsorted(self.series.seq, seq)])

    # the load

    def load(self) -> Section:
        """What is coming, and what it meets."""
        requests, pool = self.requests, self.pool
        facts = (
            Fact(f"{len(requests.names):,}", f"requests{self.source()}"),
            Fact(f"{int(np.median(requests.prompt_len)):,}", "tokens in the median prompt"),
            Fact(f"{pool.n_pages:,}", f"pages of {pool.page_size} token slots"),
            Fact(bytes_text(pool.pool_bytes), "of K and V, if every slot is filled"),
            Fact(str(self.trace.header.scenario.scheduler.max_batch), "requests at most run at a time"),
        )
        beats: list[Beat] = [ShowFacts(-1, self.cell_caption(), "", facts, large=True), Hold(-1, seconds=2.0)]
        cost = self.trace.header.cost
        if self.trace.header.clock == "cost-model" and cost is not None:
            beats += [
                ShowFacts(
                    -1,
                    "No model runs: cache and scheduler alone, timed by a cost model.",
                    "The cost model: a step takes",
                    cost_facts(cost),
                    large=True,
                    detail=COST,
                ),
                Hold(-1, seconds=2.0, detail=COST),
            ]
        return Section("load", "A load and a pool", -1, tuple(beats), FRAME, detail=LOAD, phases=False)

    def source(self) -> str:
        """Where the requests are from, as words after "requests"."""
        kinds = {"azure": "Azure", "burstgpt": "BurstGPT", "mooncake": "Mooncake"}
        workload = self.trace.header.workload
        if workload is None:
            return ""
        return f" of the {kinds.get(workload.kind, workload.kind)} trace"

    def cell_caption(self) -> str:
        """What a cell of the map is."""
        group, *_ = map_grid(self.pool.n_pages, *MAP_ROOM)
        if group == 1:
            return "Every cell below is a page: dark while it is free, brighter for later requests."
        return f"Every cell below is {group} pages: dark while they are free, brighter for later requests."

    # time-lapse

    def stretch(self, at: int, start: int, until: int, mark: Moment | Height | None, seconds: float) -> Section:
        """The run between two marks, with its curves."""
        took = self.span(start, until) / 1e9
        caption = self.lapse_caption(start, until, mark, took)
        calm = self.queue_gone(start, until)
        if calm is None:
            beats: list[Beat] = [lapse(self.series, start, until, seconds, caption)]
        else:
            part = seconds * self.span(start, calm) / self.span(start, until)
            beats = [
                lapse(self.series, start, calm, part, caption),
                lapse(
                    self.series,
                    calm,
                    until,
                    seconds - part,
                    "From here on the queue is empty at the end of every step.",
                ),
            ]
        if isinstance(mark, Height):
            beats.append(Hold(until, f"The longest queue: {mark.count:,} requests wait.", 1.0, detail=FIGURES))
            beats += self.empties(until)
        return Section(
            f"lapse-{start + 1}",
            self.lapse_title(start, until),
            start,
            tuple(beats),
            CURVES,
            props=self.charts,
            phases=False,
        )

    def empties(self, seq: int) -> list[Beat]:
        """How little of the pages in use is empty after the step at event `seq`."""
        at = int(np.searchsorted(self.series.seq, seq))
        held = int(self.series.reserved_slots[at])
        empty = held - int(self.series.kv_slots[at])
        if not held:
            return []
        return [
            Hold(
                seq,
                f"{empty:,} of the {held:,} slots in pages in use are not filled: {100 * empty / held:.2g}%.",
                1.0,
                detail=FIGURES,
            )
        ]

    def queue_gone(self, start: int, until: int) -> int | None:
        """The end of the step after which no request waits up to `until`.

        None where that leaves too little of the stretch on one of its sides.
        """
        first, last = np.searchsorted(self.series.seq, [start, until])
        busy = np.flatnonzero(self.series.waiting[first : last + 1])
        if not len(busy) or busy[-1] == last - first:
            return None
        calm = int(self.series.seq[first + busy[-1] + 1])
        least = LEAST_SIDE * self.span(start, until)
        worth = min(self.span(start, calm), self.span(calm, until)) >= least
        return calm if worth and calm > start else None

    def lapse_title(self, start: int, until: int) -> str:
        """What the stretch shows of the pool."""
        used = [
            0 if seq < 0 else int(self.series.in_use[np.searchsorted(self.series.seq, seq)]) for seq in (start, until)
        ]
        share = (used[1] - used[0]) / self.pool.n_pages
        if share > 0.1:
            return "The pool fills"
        if share < -0.1:
            return "The pages return"
        return "Under load"

    def lapse_caption(self, start: int, until: int, mark: Moment | Height | None, took: float) -> str:
        """What the stretch shows."""
        first, last = (int(np.searchsorted(self.series.seq, seq)) for seq in (start + 1, until))
        first = min(first, last)
        took_text = f"{took:,.0f} s" if took >= 10 else f"{took:.1f} s"
        preempted = int(self.series.preemptions[first : last + 1].sum())
        if preempted > 1:
            return f"{took_text} of the run in time-lapse: {preempted:,} preemptions."
        finished = int(
            np.count_nonzero(
                (self.requests.finished_step >= self.series.step[first])
                & (self.requests.finished_step <= self.series.step[last])
            )
        )
        if finished > 1:
            return f"{took_text} of the run in time-lapse: {finished:,} requests finish."
        return f"{took_text} of the run in time-lapse."

    def _charts(self) -> tuple[Chart, ...]:
        series = self.series
        x = curves.seconds(series)
        x_max = float(max(x[-1], 1e-9))
        waiting, running = series.waiting, series.running
        x_step = round_step(x_max, TIME_STEPS)
        x_max = x_step * math.ceil(x_max / x_step - 1e-9)
        slots = self.pool.n_pages * self.pool.page_size
        waste = series.reserved_slots - series.kv_slots
        colors = theme.TASK_COLORS

        def curve(measure, label, color, values, **kwargs) -> Curve:
            return Curve(measure, label, color, curves.points(series.seq, x, values), **kwargs)

        return (
            Chart(
                "queue",
                "Requests",
                "s",
                x_max,
                float(max(1, waiting.max(), running.max())) * 1.05,
                (
                    curve("running requests", "running", colors[0], running),
                    curve("waiting requests", "waiting", colors[1], waiting),
                ),
                (0.0, 0.0, 0.49, 1.0),
            ),
            Chart(
                "use",
                "KV slots in pages in use",
                "s",
                x_max,
                float(slots) * HEADROOM,
                (
                    curve("used slots", "filled", colors[3], series.kv_slots, fill=True),
                    curve("wasted slots", "not filled", colors[2], waste, fill=True, on="used slots"),
                ),
                (0.51, 0.0, 1.0, 1.0),
                limit=Limit(slots, "the pool"),
            ),
        )

    # close-ups

    def close_up(self, moment: Moment) -> Section:
        """One moment, slowly, with the pages that it is about in the lens."""
        build = getattr(self, f"_{moment.kind}")
        title, pages, beats = build(moment)
        start, stage = moment.begin, CLOSE_UP
        if moment.kind == "first":
            start, stage = -1, ARRIVAL
        lit = Spotlight(start, tasks=(moment.task,))
        return Section(
            moment.kind,
            title,
            start,
            (lit, *beats, Spotlight(beats[-1].until)),
            stage,
            props=(Focus((moment.task,), tuple(pages)),),
            detail=DETAIL[moment.kind],
        )

    def _first(self, m: Moment):
        size = self.pool.page_size
        prompt = int(self.requests.prompt_len[self.requests.names.index(m.task)])
        beats: list[Beat] = [
            Advance(max(m.arrived, -1), f"Request {m.task} arrives: a prompt of {prompt:,} tokens.", 0.6),
            Advance(m.end, f"It gets {self.count(m.n_pages, 'page')} of {size} slots.", 1.0),
            Reveal(m.end, parts=("tables",)),
        ]
        if m.filled >= 0:
            beats.append(Advance(m.filled, "Prefill fills their slots.", 1.6))
        return "The first pages", m.pages, [*beats, Hold(max(m.end, m.filled), seconds=1.0)]

    def _growth(self, m: Moment):
        table = self.trace.state_at(m.end).tables[m.task]
        page = m.pages[0]
        size = self.pool.page_size
        place = table.index(page) * size + 1
        return (
            "Growth on demand",
            table[-4:],
            [
                Hold(m.begin, f"{m.task} has filled its pages.", 0.5, detail=WORDS),
                Advance(m.end, f"Token {place:,} of {m.task} needs a slot: page {page:,} is added.", 1.0),
                Hold(m.end, seconds=1.0),
            ],
        )

    def _share(self, m: Moment):
        return (
            "A shared page",
            m.pages,
            [
                Hold(m.begin, f"{m.task} begins like a prompt that is in the cache.", 0.5, detail=WORDS),
                Advance(m.end, f"{self.count(m.n_pages, 'page')} of it {self.are(m.n_pages)} used again.", 1.0),
                Hold(m.end, seconds=1.0),
            ],
        )

    def _eviction(self, m: Moment):
        return (
            "An eviction",
            m.pages,
            [
                Hold(m.begin, f"{self.left(m)}.", 0.5, detail=WORDS),
                Advance(m.end, f"The page that was not used for longest is emptied for {m.task}.", 1.0),
                Hold(m.end, seconds=1.0),
            ],
        )

    def _preemption(self, m: Moment):
        return (
            "A preemption",
            self.trace.state_at(m.begin).tables.get(m.task, []),
            [
                Hold(m.begin, f"{self.left(m)}, and a request must grow: {m.task} is preempted.", 0.5),
                Advance(m.end, f"{self.back(m)}; {self.again(m)}.", 1.2),
                Hold(m.end, seconds=1.0),
            ],
        )

    def _release(self, m: Moment):
        return (
            "A request ends",
            self.trace.state_at(m.begin).tables.get(m.task, []),
            [
                Hold(m.begin, f"{m.task} has its last token.", 0.5, detail=WORDS),
                Advance(m.end, f"{self.back(m)}.", 1.2),
                Hold(m.end, seconds=1.0),
            ],
        )

    def again(self, m: Moment) -> str:
        """What a preempted request has to wait for."""
        stored = self.trace.state_at(m.begin).tasks[m.task].kv_len
        return "it waits to be computed again" if stored else "none of them had been filled"

    def left(self, m: Moment) -> str:
        """How many pages are free before the moment, in words."""
        free = self.trace.state_at(m.begin).n_free
        if not free:
            return "No page is free"
        return f"Only {self.count(free, 'page')} {self.are(free)} free"

    def back(self, m: Moment) -> str:
        """What becomes of the pages that a request gives back."""
        before, after = self.trace.state_at(m.begin), self.trace.state_at(m.end)
        freed, kept = after.n_free - before.n_free, after.n_cached - before.n_cached
        free = f"{self.count(freed, 'page')} of {m.task} {self.are(freed)} free again"
        cached = f"{self.count(kept, 'page')} of {m.task} {self.stay(kept)} cached"
        if freed and kept:
            return f"{free}, {kept:,} {self.stay(kept)} cached"
        if kept:
            return cached
        return free if freed else f"Others still hold the pages of {m.task}"

    @staticmethod
    def stay(n: int) -> str:
        return "stays" if n == 1 else "stay"

    @staticmethod
    def count(n: int, noun: str) -> str:
        return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"

    @staticmethod
    def are(n: int) -> str:
        return "is" if n == 1 else "are"

    # figures

    def summary(self) -> Section:
        """What came of it, counted from the trace."""
        series, requests = self.series, self.requests
        done = requests.finished_ns >= 0
        waited = (requests.first_token_ns - requests.arrived_ns)[requests.first_token_ns >= 0]
        reserved = int(series.reserved_slots.sum())
        facts = [
            Fact(f"{int(done.sum()):,}", f"of {len(requests.names):,} requests finished"),
            Fact(f"{int(requests.generated.sum()):,}", f"tokens generated in {len(series):,} steps"),
            Fact(f"{self.moments.peak.count:,}", f"of {self.pool.n_pages:,} pages at the peak"),
        ]
        if reserved:
            waste = 100 * (1 - int(series.kv_slots.sum()) / reserved)
            facts.append(Fact(f"{waste:.2g}%", "empty slots in used pages, mean"))
        if len(waited):
            facts.append(Fact(ms_text(float(np.median(waited)) / 1e6), "median wait for the first token"))
        if requests.preemptions.sum():
            facts.append(Fact(f"{int(requests.preemptions.sum()):,}", "preemptions"))
        peak = self.moments.peak.seq
        beats = (
            ShowFacts(
                peak, "Counted from the recorded trace; below, the pool at its peak.", "", tuple(facts), large=True
            ),
            Hold(peak, seconds=3.0),
        )
        return Section("summary", "What the trace says", peak, beats, FRAME, detail=FIGURES, phases=False, stays=True)


def cost_facts(cost: Cost) -> tuple[Fact, ...]:
    """The constants of the cost model with what each is counted for."""
    words = {
        "prefill_step_s": "for each prefill pass",
        "prefill_token_s": "for each token prefilled",
        "decode_step_s": "for each decode pass",
        "decode_token_s": "for each request that it decodes",
        "decode_kv_s": "for each token in their caches",
    }
    return tuple(Fact(seconds_text(getattr(cost, name)), label) for name, label in words.items())


def seconds_text(seconds: float) -> str:
    """Seconds in the largest unit that leaves at least 1, to three figures."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
