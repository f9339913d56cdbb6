"""Storyboard of the film `Fragmentation`: the same requests in one piece each, and in pages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astrai_sim.trace import Series, Trace
from scenes import theme
from scenes.story.beats import (
    Advance,
    Beat,
    Chart,
    Contiguous,
    Curve,
    Hold,
    RunOn,
    Section,
    ShowLoads,
    ShowVersus,
    Storyboard,
    Versus,
)
from scenes.story.contiguous import Layout, Load, at_step, loads, simulate
from scenes.story.curves import points, steps_done
from scenes.story.errors import DoesNotApply

LARGEST = 128
STAGE = ("memory", "chart")
CHARTS = ((0.0, 0.32, 0.486, 1.0), (0.514, 0.32, 1.0, 1.0))
MOST_STOPS = 60
"""Most stops of one stretch: while they last, every step is one."""
STEP_S = 0.3
FILM = "Fragmentation"


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply where the same requests cannot be followed in a pool without
    pages, or there is nothing to compare.
    """
    _check(trace)
    return Storyboard(FILM, tuple(_Chapters(trace).sections()))


def _check(trace: Trace) -> None:
    scenario = trace.header.scenario
    n_pages, scheduler = scenario.cache.n_pages, scenario.scheduler
    if n_pages > LARGEST:
        raise DoesNotApply(f"{FILM} draws every page and the trace has {n_pages}: at most {LARGEST} fit")
    if scheduler.decode_policy != "all" or any(trace.find(event="setting")):
        raise DoesNotApply(f"{FILM} can compute its other side only for decode policy 'all' throughout")
    if scheduler.max_tokens_per_step is not None:
        raise DoesNotApply(f"{FILM} can compute its other side only for prompts prefilled whole")
    requests = loads(trace)
    if len(requests) < 2:
        raise DoesNotApply(f"{FILM} needs at least two requests")
    if sum(1 for _ in trace.find(event="task_finished")) < len(requests):
        raise DoesNotApply(f"{FILM} needs a run in which every request ends")
    n_slots = n_pages * scenario.cache.page_size
    for load in requests:
        if load.reserved > n_slots:
            raise DoesNotApply(
                f"{FILM}: request {load.task} would need {load.reserved} adjacent slots and the pool has {n_slots}"
            )


@dataclass(frozen=True)
class _Sides:
    """Both runs step by step: `held` are requests in memory at the end of each step."""

    series: Series
    held: np.ndarray
    layouts: list[Layout]
    done: int
    """Steps until the last recorded request had ended."""

    @classmethod
    def of(cls, trace: Trace, requests: list[Load]) -> _Sides:
        scenario = trace.header.scenario
        n_slots = scenario.cache.n_pages * scenario.cache.page_size
        layouts = simulate(requests, n_slots, scenario.scheduler.max_batch)
        holding: set[str] = set()
        held: list[int] = []
        done = 0
        for event in trace:
            if event.event == "table":
                (holding.add if event.pages else holding.discard)(event.task)
            elif event.event == "step_end":
                held.append(len(holding))
            elif event.event == "task_finished":
                done = event.step + 1
        return cls(Series.of(trace), np.array(held), layouts, done)

    @property
    def whole_done(self) -> int:
        """Steps until the last request has ended in the pool without pages."""
        return len(self.layouts) - 1


def stops(at: int, step: int) -> range:
    """Steps to stop at on the way from `at` to `step`, which is the last of them."""
    every = -(-(step - at) // MOST_STOPS)
    first = step - every * ((step - at - 1) // every)
    return range(first, step + 1, every)


class _Chapters:
    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        cache = trace.header.scenario.cache
        self.page_size = cache.page_size
        self.n_slots = cache.n_pages * self.page_size
        self.requests = loads(trace)
        self.reserved = {load.task: load.reserved for load in self.requests}
        self.sides = _Sides.of(trace, self.requests)
        self.series = self.sides.series
        self.last = len(trace) - 1
        self.steps = len(self.series)
        self.first = int(np.flatnonzero(self.series.reserved_slots)[0])
        self.at = -1
        """The last step whose end has been told."""
        self.props = (Contiguous(tuple(self.sides.layouts)), *self.charts())

    def sections(self):
        """All chapters; each starts where the one before ended."""
        yield self.load()
        yield self.first_step()
        blocked = self.blocked()
        if blocked is not None:
            yield self.waiting(blocked)
        yield self.rest()
        if self.sides.whole_done > self.sides.done:
            yield self.run_on()
        yield self.figures()

    def whole(self, step: int) -> Layout:
        """The pool without pages at the end of `step`."""
        return at_step(self.sides.layouts, step, self.n_slots)

    def seq(self, step: int) -> int:
        """The event that ends a step; -1 before the first."""
        return int(self.series.seq[step]) if step >= 0 else -1

    def charts(self) -> tuple[Chart, Chart]:
        """Slots over steps on both sides, on the same axes."""
        s = self.series
        x_max = float(max(self.sides.whole_done + 1, self.steps))
        layouts = [self.whole(step) for step in range(int(x_max))]
        whole_seq = [self.seq(i) if i < self.steps else self.last + i - self.steps + 1 for i in range(int(x_max))]
        sides = (
            (
                "whole",
                "contiguous ",
                whole_seq,
                np.arange(int(x_max)) + 1.0,
                np.array([x.used for x in layouts]),
                np.array([x.reserved for x in layouts]),
            ),
            ("paged", "", s.seq.tolist(), steps_done(s).astype(float), s.kv_slots, s.reserved_slots),
        )
        charts = []
        for area, (key, kind, seqs, x, used, reserved) in zip(CHARTS, sides, strict=True):

            def curve(name, color, values, kind=kind, seqs=seqs, x=x, **how):
                return Curve(f"{kind}{name} slots", name, color, points(seqs, x, values), **how)

            curves = (
                curve("used", theme.SERIES[0], used, fill=True),
                curve("wasted", theme.SERIES[1], reserved - used, fill=True, on=f"{kind}used slots"),
                curve("reserved", theme.SERIES[2], reserved),
            )
            title = f"Slots at the end of each step, of {self.n_slots}"
            charts.append(Chart(key, title, "steps", x_max, float(self.n_slots), curves, area))
        return tuple(charts)

    def section(self, key: str, title: str, start: int, beats: list[Beat]) -> Section:
        return Section(key, title, start, tuple(beats), STAGE, self.props, phases=False)

    def load(self) -> Section:
        n = len(self.requests)
        reserved = sum(load.reserved for load in self.requests)
        used = sum(load.used for load in self.requests)
        title = "KV cache slots: prompt + max_tokens"
        beats = (
            ShowLoads(
                -1,
                f"{n} requests. Each may need its prompt + max_tokens slots.",
                title,
                tuple(self.requests),
                used=False,
            ),
            ShowLoads(
                -1,
                f"In the end they had filled {used} of those {reserved} slots: {used / reserved:.0%}.",
                title,
                tuple(self.requests),
            ),
            Hold(-1, seconds=0.5),
        )
        return Section("load", "What requests may need, and what they use", -1, beats, (), detail=2, phases=False)

    def first_step(self) -> Section:
        layout, i = self.whole(self.first), self.first
        beats: list[Beat] = [
            Hold(
                -1,
                f"The same {self.n_slots} slots twice: one piece for each request, or pages of {self.page_size}.",
                0.5,
            ),
            Advance(
                self.seq(i), f"Left: the first step reserves {layout.reserved} slots for {layout.used} tokens.", 1.6
            ),
            Hold(
                self.seq(i),
                f"Right: {self.series.reserved_slots[i]} slots. Only a request's last page has empty ones.",
                0.5,
                detail=1,
            ),
        ]
        self.at = i
        return self.section("first", "One piece each, or pages", -1, beats)

    def blocked(self) -> int | None:
        """First step after the first at whose end somebody waits for a piece."""
        return next((step for step in range(self.first + 1, self.steps) if self.whole(step).waiting), None)

    def split(self, after: int) -> int | None:
        """First step whose holes together had room for the first who waits."""
        for step in range(after, self.steps):
            layout = self.whole(step)
            free = self.n_slots - layout.reserved
            if layout.waiting and len(layout.holes()) > 1:
                if free >= self.reserved[layout.waiting[0]]:
                    return step
        return None

    def waiting(self, blocked: int) -> Section:
        start = self.seq(self.at)
        layout = self.whole(blocked)
        task = layout.waiting[0]
        hole = max((size for _, size in layout.holes()), default=0)
        beats: list[Beat] = list(self.run_to(blocked - 1))
        beats.append(
            Advance(
                self.seq(blocked),
                f"Left: {task} needs {self.reserved[task]} slots in one "
                f"piece and the largest hole has {hole}. It waits.",
                1.2,
            )
        )
        self.at = blocked
        here = self.sides.held[blocked]
        if here > len(layout.pieces):
            beats.append(
                Hold(
                    self.seq(blocked),
                    f"Right: any free page will do. {here} requests are in memory, not {len(layout.pieces)}.",
                    0.5,
                    detail=1,
                )
            )
        split = self.split(blocked)
        if split is not None:
            still = task in self.whole(split - 1).waiting
            beats += self.run_to(
                split - 1, f"The run goes on; left, {task} still waits." if still else "The run goes on."
            )
            layout = self.whole(split)
            task = layout.waiting[0]
            sizes = [size for _, size in layout.holes()]
            total = " + ".join(map(str, sizes)) if len(sizes) <= 4 else f"{sum(sizes)} in {len(sizes)} holes"
            beats.append(
                Advance(
                    self.seq(split),
                    f"Left: {total} slots are free, yet {task} waits: its {self.reserved[task]} must be in one piece.",
                    1.2,
                )
                if split > self.at
                else Hold(
                    self.seq(split),
                    f"{total} slots are free, yet {task} waits: its {self.reserved[task]} must be in one piece.",
                )
            )
            beats.append(
                Hold(
                    self.seq(split),
                    "That is external fragmentation. The rest of each piece is waste inside it.",
                    0.5,
                    detail=1,
                )
            )
            self.at = split
        title = "Holes that nobody fits" if split is not None else "No hole is large enough"
        return self.section("waiting", title, start, beats)

    def run_to(self, step: int, caption: str | None = None) -> list[Beat]:
        """Say `caption`, then go on to the end of `step`, step by step while stops last."""
        if step <= self.at:
            return []
        beats: list[Beat] = [] if caption is None else [Hold(self.seq(self.at), caption)]
        beats += [Advance(self.seq(stop), None, STEP_S) for stop in stops(self.at, step)]
        self.at = step
        return beats

    def rest(self) -> Section:
        start = self.seq(self.at)
        peak = int(np.argmax(self.sides.held))
        beats: list[Beat] = []
        if self.at < peak < self.sides.done:
            most = int(self.sides.held[peak])
            beats += self.run_to(peak, f"Right: up to {most} requests are in memory at once.")
            beats.append(Hold(self.seq(peak), seconds=0.5, detail=2))
        beats += self.run_to(self.sides.done - 1, "Used slots hold tokens. Wasted ones are reserved and empty.")
        beats += self.run_to(self.steps - 1)
        if self.at == self.steps - 1 and self.last > self.seq(self.at):
            beats.append(Advance(self.last, None, 0.4))
        beats.append(
            Hold(
                self.last,
                f"Right: all {len(self.requests)} requests have ended after "
                f"{self.sides.done} steps. Left: {self.whole(self.steps - 1).finished} have.",
                0.5,
            )
        )
        return self.section("rest", "Used, reserved, wasted", start, beats)

    def run_on(self) -> Section:
        whole, end = self.sides.layouts, self.sides.whole_done
        at = self.steps - 1
        served = next(step for step in range(at, end + 1) if not whole[step].waiting)
        beats: list[Beat] = []
        for goal, caption in (
            (served, "Left: the others still wait for a piece, one after another."),
            (end, "Left: the last requests go on."),
        ):
            if goal > at:
                beats.append(Hold(self.last, caption))
                beats += [RunOn(self.last, None, stop, STEP_S) for stop in stops(at, goal)]
                at = goal
        beats.append(
            Hold(self.last, f"Left: all have ended after {end} steps, on the right after {self.sides.done}.", 1.0)
        )
        return self.section("run-on", "The rest, in one piece", self.last, beats)

    def figures(self) -> Section:
        sides = self.sides
        most = max(len(layout.pieces) for layout in sides.layouts), int(sides.held.max())
        done = sides.whole_done, sides.done
        used = (
            sum(x.used for x in sides.layouts) / sum(x.reserved for x in sides.layouts),
            float(self.series.kv_slots.sum() / self.series.reserved_slots.sum()),
        )
        rows = (
            Versus("Requests in memory at once, at most", tuple(map(str, most)), most),
            Versus("Steps until every request has ended", tuple(map(str, done)), done),
            Versus("Reserved slots that hold a token, over all steps", tuple(f"{share:.0%}" for share in used), used),
        )
        beats = (
            ShowVersus(
                self.last,
                "One piece: computed from the same requests. Pages: recorded.",
                "The same requests, the same number of slots",
                ("in one piece", "in pages"),
                rows,
            ),
            Hold(
                self.last, "These are steps, not seconds: a step with more requests in it takes longer.", 0.5, detail=1
            ),
        )
        return Section("figures", "What paging gains", self.last, beats, (), phases=False, stays=True)
