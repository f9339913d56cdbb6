"""The film `PoolAtScale`: a load of hundreds of requests on a pool of thousands of pages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, say
from scenes.story import curves
from scenes.story.beats import Chart, Curve, Focus, Limit, Reveal, Section, ShowFacts, Spotlight
from scenes.story.chapters import Chapters, fact
from scenes.story.errors import DoesNotApply
from scenes.story.history import First, firsts
from scenes.story.lapse import lapse
from scenes.story.limits import LARGEST, round_step
from scenes.story.words import are, counted, plural

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

CLOSE_UPS = {
    "first": ("The first pages", 1),
    "growth": ("Growth on demand", 2),
    "share": ("A shared page", 2),
    "eviction": ("An eviction", 2),
    "preemption": ("A preemption", 1),
    "release": ("A request ends", 2),
}
"""Title of each close-up, and how early it is left out."""

LEAVING = ("preemption", "release")
FIGURES, LOAD, WORDS, COST = 1, 2, 3, 4
SOURCES = {"azure": "Azure", "burstgpt": "BurstGPT", "mooncake": "Mooncake"}
COSTS = {
    "prefill_step_s": "for each prefill pass",
    "prefill_token_s": "for each token prefilled",
    "decode_step_s": "for each decode pass",
    "decode_token_s": "for each request that it decodes",
    "decode_kv_s": "for each token in their caches",
}


def height(seqs: np.ndarray, counts: np.ndarray) -> int | None:
    """The end of the step at which a count was highest for the first time; None where it stays 0."""
    return int(seqs[counts.argmax()]) if counts.any() else None


class PoolAtScaleChapters(Chapters):
    """The load, then what happens for the first time in close-up, and the time between in time-lapse.

    `peak` and `crowd` are the ends of the steps with the most pages in use and the longest queue, the latter
    None where that is the last step; `last` is the end of the last.
    """

    stage = FRAME
    phases = False

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        n_pages, series = self.ask.n_pages, self.history.series
        if n_pages <= LARGEST:
            raise DoesNotApply(f"{film} shows a pool as a map, from {LARGEST + 1} pages on; the trace has {n_pages}")
        self.firsts, peak = firsts(self.history), height(series.seq, series.in_use)
        if peak is None or all(first.kind != "first" for first in self.firsts):
            raise DoesNotApply(f"{film} needs a request that got pages, and a step that ended")
        self.series, self.peak = series, peak
        self.last = int(series.seq[-1])
        crowd = height(series.seq, series.waiting)
        self.crowd = None if crowd == self.last else crowd
        self.charts = self._charts()

    def sections(self) -> Iterator[Section]:
        yield self.load()
        stretches = self.stretches()
        roots = [math.sqrt(max(1, self.span(start, until))) for start, until, _ in stretches]
        worth = WORTH * self.span(-1, self.last)
        for (start, until, first), root in zip(stretches, roots, strict=True):
            if until > start and (until == self.last or self.span(start, until) >= worth):
                yield self.stretch(start, until, LAPSES * (root / sum(roots)))
            if first is not None:
                yield self.close_up(first)
        yield self.summary()

    def stretches(self) -> list[tuple[int, int, First | None]]:
        """(start, end, what comes then) of the time up to each close-up and the longest queue, between
        ends of steps."""
        marks: list[tuple[int, First | None]] = [(first.begin, first) for first in self.firsts]
        if self.crowd is not None:
            marks.append((self.crowd, None))
        found, at = [], -1
        for seq, first in sorted(marks, key=lambda mark: mark[0]):
            found.append((at, max(at, self.steps.done_by(seq)), first))
            at = max(at, self.steps.done_from(seq if first is None else first.end))
        return [*found, (at, self.last, None)]

    def span(self, start: int, until: int) -> int:
        """Nanoseconds of the run between the ends of two steps."""
        return self.ask.time_between(start, until).value

    # the load

    def load(self) -> Section:
        """What is coming, and what it meets."""
        ask, header = self.ask, self.trace.header
        of = ""
        if header.workload is not None:
            kind = header.workload.kind
            of = say(" of the {} trace", SOURCES.get(kind, ask.header(kind)))
        facts = (
            fact(say("requests{}", of), ask.requests()),
            fact("tokens in the median prompt", ask.median_prompt()),
            fact(say("pages of {} token slots", ask.page_size()), ask.pool_pages()),
            fact("of K and V, if every slot is filled", ask.bytes_of("pool")),
            fact("requests at most run at a time", ask.max_batch()),
        )
        cell, group = "Every cell below is {}: dark while {} free, brighter for later requests.", ask.cell_pages()
        one = group.value == 1
        cell = say(cell, "a page" if one else say("{} pages", group), "it is" if one else "they are")
        self.begin(-1)
        self.teller.add(ShowFacts(-1, cell, "", facts, large=True))
        self.say(None, 2.0)
        if header.clock == "cost-model" and header.cost is not None:
            told = "No model runs: cache and scheduler alone, timed by a cost model."
            facts = tuple(fact(label, ask.cost(name)) for name, label in COSTS.items())
            self.teller.add(ShowFacts(-1, told, "The cost model: a step takes", facts, large=True, detail=COST))
            self.say(None, 2.0, COST)
        return self.section("load", "A load and a pool", LOAD)

    # time-lapse

    def stretch(self, start: int, until: int, seconds: float) -> Section:
        """The run between two ends of steps, with its curves."""
        ask, took, calm = self.ask, self.span(start, until), self.queue_gone(start, until)
        caption = self.lapse_caption(start, until)
        self.begin(start)
        if calm is None:
            self.teller.add(lapse(self.series, start, until, seconds, caption))
        else:
            part, empty = seconds * self.span(start, calm) / took, "the queue is empty at the end of every step."
            self.teller.add(lapse(self.series, start, calm, part, caption))
            self.teller.add(lapse(self.series, calm, until, seconds - part, f"From here on {empty}"))
        if until == self.crowd:
            self.say(say("The longest queue: {} requests wait.", ask.waiting(until)), 1.0, FIGURES)
            held = ask.reserved(until)
            if held.value:
                empty = ask.less(held, ask.filled(until))
                told = "{} of the {} slots in pages in use are not filled: {}."
                self.say(say(told, empty, held, ask.ratio(empty, held, "percent")), 1.0, FIGURES)
        share = (ask.pool_in_use(until).value - ask.pool_in_use(start).value) / ask.n_pages
        title = "The pool fills" if share > 0.1 else "The pages return" if share < -0.1 else "Under load"
        return self.section(f"lapse-{start + 1}", title, stage=CURVES, props=self.charts)

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

    def lapse_caption(self, start: int, until: int) -> Said:
        """How much of the run the stretch is, and what happens often in it."""
        told = say("{} of the run in time-lapse", self.ask.time_between(start, until))
        for kind, often in (("task_preempted", "preemptions"), ("task_finished", "requests finish")):
            count = self.ask.between(kind, start, until)
            if count.value > 1:
                return say("{}: {} {}.", told, count, often)
        return say("{}.", told)

    def _charts(self) -> tuple[Chart, Chart]:
        series, slots = self.series, self.ask.pool_slots().value
        x = curves.seconds(series)
        x_max = float(max(x[-1], 1e-9))
        waiting, running = series.waiting, series.running
        x_step = round_step(x_max, TIME_STEPS)
        x_max = x_step * math.ceil(x_max / x_step - 1e-9)
        colors = theme.TASK_COLORS

        def curve(measure: str, label: str, color: str, values: np.ndarray, fill: bool = False, on: str = "") -> Curve:
            return Curve(measure, label, color, curves.points(series.seq, x, values), fill=fill, on=on)

        requests = (
            curve("running requests", "running", colors[0], running),
            curve("waiting requests", "waiting", colors[1], waiting),
        )
        waste = series.reserved_slots - series.kv_slots
        use = (
            curve("used slots", "filled", colors[3], series.kv_slots, True),
            curve("wasted slots", "not filled", colors[2], waste, True, "used slots"),
        )
        most, room, limit = float(max(1, waiting.max(), running.max())), float(slots), Limit(slots, "the pool")
        left, right = (0.0, 0.0, 0.49, 1.0), (0.51, 0.0, 1.0, 1.0)
        return (
            Chart("queue", "Requests", "s", x_max, most * 1.05, requests, left),
            Chart("use", "KV slots in pages in use", "s", x_max, room * HEADROOM, use, right, limit=limit),
        )

    # close-ups

    def close_up(self, first: First) -> Section:
        """Slowly, with the pages that it is about in the lens."""
        kind, task, pages = first.kind, first.task, first.pages
        title, detail = CLOSE_UPS[kind]
        start, stage = (-1, ARRIVAL) if kind == "first" else (first.begin, CLOSE_UP)
        self.begin(start)
        self.teller.add(Spotlight(start, tasks=(task,)))
        if kind == "first":
            self.arrival(first)
        else:
            before, after = getattr(self, f"_{kind}")(first)
            self.say(before, 0.5, 0 if kind == "preemption" else WORDS)
            self.advance(first.end, after, 1.2 if kind in LEAVING else 1.0)
        if kind == "growth":
            pages = tuple(self.state().tables[task][-4:])
        self.say(None, 1.0)
        self.teller.add(Spotlight(self.at))
        return replace(self.section(kind, title, detail, stage, (Focus((task,), pages),)), phases=True)

    def arrival(self, first: First) -> None:
        """The first request that gets pages, from its submission to its prefill."""
        ask, task, size = self.ask, first.task, self.ask.page_size()
        submitted, filled = self.requests[task].submitted.seq, self.requests[task].prefilled(first.end)
        came = "Request {} arrives: a prompt of {} tokens."
        self.advance(submitted, say(came, ask.name(task), ask.prompt(task)), 0.6)
        self.advance(first.end, say("It gets {} of {} slots.", counted(self.gained(first), "page"), size))
        self.teller.add(Reveal(first.end, parts=("tables",)))
        if filled is not None:
            self.advance(filled.seq, "Prefill fills their slots.", 1.6)

    def _growth(self, first: First) -> tuple[str, str]:
        ask, name, page = self.ask, self.ask.name(first.task), first.pages[0]
        token = ask.first_token_of(ask.state(first.end).tables[first.task].index(page))
        added = say(
            "Token {} of {} needs a slot: page {} is added.", token, name, replace(ask.page(page), form="count")
        )
        return say("{} has filled its pages.", name), added

    def _share(self, first: First) -> tuple[str, str]:
        again = self.gained(first)
        begins = say("{} begins like a prompt that is in the cache.", self.ask.name(first.task))
        return begins, say("{} of it {} used again.", counted(again, "page"), are(again))

    def _eviction(self, first: First) -> tuple[str, str]:
        emptied = "The page that was not used for longest is emptied for {}."
        return say("{}.", self.left(first)), say(emptied, self.ask.name(first.task))

    def _preemption(self, first: First) -> tuple[str, str]:
        stored = self.ask.stored(first.task, first.begin).value
        grow = say("{}, and a request must grow: {} is preempted.", self.left(first), self.ask.name(first.task))
        again = "it waits to be computed again" if stored else "none of them had been filled"
        return grow, say("{}; {}.", self.back(first), again)

    def _release(self, first: First) -> tuple[str, str]:
        return say("{} has its last token.", self.ask.name(first.task)), say("{}.", self.back(first))

    def gained(self, first: First) -> Measure:
        """Pages by which the request's table grows."""
        had, has = (self.ask.table_pages(first.task, at) for at in (first.begin, first.end))
        return self.ask.less(has, had)

    def left(self, first: First) -> str:
        """How many pages are free before it, in words."""
        free = self.ask.pool_free(first.begin)
        return say("Only {} {} free", counted(free, "page"), are(free)) if free.value else "No page is free"

    def back(self, first: First) -> Said:
        """What becomes of the pages that a request gives back."""
        ask, name, begin, end = self.ask, self.ask.name(first.task), first.begin, first.end
        freed = ask.less(ask.pool_free(end), ask.pool_free(begin))
        kept = ask.less(ask.pool_cached(end), ask.pool_cached(begin))
        stay = plural(kept, "stays", "stay")
        free = say("{} of {} {} free again", counted(freed, "page"), name, are(freed))
        if freed.value and kept.value:
            return say("{}, {} {} cached", free, kept, stay)
        if kept.value:
            return say("{} of {} {} cached", counted(kept, "page"), name, stay)
        return free if freed.value else say("Others still hold the pages of {}", name)

    # figures

    def summary(self) -> Section:
        """What came of it, counted from the trace."""
        ask = self.ask
        waited, preempted = ask.median_ttft(), ask.preemptions()
        facts = [
            fact(say("of {} requests finished", ask.requests()), ask.finished()),
            fact(say("tokens generated in {} steps", ask.steps()), ask.all_generated()),
            fact(say("of {} pages at the peak", ask.pool_pages()), ask.pool_in_use(self.peak)),
            fact("empty slots in used pages, mean", ask.empty_share()),
        ]
        if waited is not None:
            facts.append(fact("median wait for the first token", waited))
        if preempted.value:
            facts.append(fact("preemptions", preempted))
        told = "Counted from the recorded trace; below, the pool at its peak."
        self.begin(self.peak)
        self.teller.add(ShowFacts(self.peak, told, "", tuple(facts), large=True))
        self.say(None, 3.0)
        return self.section("summary", "What the trace says", FIGURES, stays=True)


class PoolAtScale(FilmScene):
    """A big pool under a production load: a map of its pages, the queue, the batch, the waste."""

    default_trace = "pool_at_scale.jsonl.gz"
    summary = "A production load on a big pool: occupancy map, queue, batch, KV use and waste."
    chapters = PoolAtScaleChapters
