"""The film `Fragmentation`: the same requests in one piece each, and in pages."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.film.scene import FilmScene
from scenes.measures import joined, say
from scenes.story.beats import Chart, Contiguous, Curve, RunOn, Section, ShowLoads, ShowVersus, Versus
from scenes.story.chapters import Chapters
from scenes.story.curves import points, steps_done
from scenes.story.errors import DoesNotApply

LARGEST = 128
CHARTS = ((0.0, 0.32, 0.486, 1.0), (0.514, 0.32, 1.0, 1.0))
MOST_STOPS = 60
"""Most stops of one stretch: while they last, every step is one."""
STEP_S = 0.3


def stops(at: int, step: int) -> range:
    """Steps to stop at on the way from `at` to `step`, which is the last of them."""
    every = -(-(step - at) // MOST_STOPS)
    first = step - every * ((step - at - 1) // every)
    return range(first, step + 1, every)


class FragmentationChapters(Chapters):
    """Both runs step by step: the recorded one, and the same requests in a pool without pages.

    `told` is the last step whose end has been told, `done` how many steps the recorded run took until
    its last request had ended, `whole_done` the same without pages.
    """

    stage = ("memory", "chart")
    phases = False

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.loads = tuple(self.ask.loads)
        self.check()
        self.series, self.held = self.history.series, self.steps.held
        self.done, self.whole_done = self.ask.steps_done().value, self.ask.whole_steps().value
        self.first = int(np.flatnonzero(self.series.reserved_slots)[0])
        self.told = -1
        self.props = (Contiguous(tuple(self.ask.layouts)), *self.charts())

    def check(self) -> None:
        """Raise DoesNotApply where the other side cannot be computed, or there is nothing to compare."""
        scheduler, film = self.trace.header.scenario.scheduler, self.film
        if self.ask.n_pages > LARGEST:
            raise DoesNotApply(f"{film} draws every page and the trace has {self.ask.n_pages}: at most {LARGEST} fit")
        if scheduler.decode_policy != "all" or self.history.count("setting"):
            raise DoesNotApply(f"{film} can compute its other side only for decode policy 'all' throughout")
        if scheduler.max_tokens_per_step is not None:
            raise DoesNotApply(f"{film} can compute its other side only for prompts prefilled whole")
        if len(self.loads) < 2:
            raise DoesNotApply(f"{film} needs at least two requests")
        if self.history.count("task_finished") < len(self.loads):
            raise DoesNotApply(f"{film} needs a run in which every request ends")
        n_slots = self.ask.pool_slots().value
        for load in self.loads:
            if load.reserved > n_slots:
                raise DoesNotApply(
                    f"{film}: request {load.task} would need {load.reserved} adjacent slots and the pool has {n_slots}"
                )

    def sections(self) -> Iterator[Section]:
        yield self.load()
        yield self.first_step()
        blocked = self.blocked()
        if blocked is not None:
            yield self.waiting(blocked)
        yield self.rest()
        if self.whole_done > self.done:
            yield self.run_on()
        yield self.compared()

    def charts(self) -> tuple[Chart, Chart]:
        """Slots over steps on both sides, on the same axes."""
        s, n_slots = self.series, self.ask.pool_slots()
        steps = range(max(self.whole_done + 1, len(self.steps)))
        layouts = [self.ask.whole(step) for step in steps]
        used, reserved = (np.array([getattr(x, name) for x in layouts]) for name in ("used", "reserved"))
        whole = ("contiguous ", [self.ask.whole_at(step) for step in steps], np.arange(len(steps)) + 1.0)
        sides = (
            ("whole", *whole, used, reserved),
            ("paged", "", s.seq.tolist(), steps_done(s).astype(float), s.kv_slots, s.reserved_slots),
        )
        charts = []
        for area, (key, kind, seqs, x, used, reserved) in zip(CHARTS, sides, strict=True):
            curves = tuple(
                Curve(f"{kind}{name} slots", name, theme.SERIES[i], points(seqs, x, values), fill=i < 2, on=on)
                for i, (name, values, on) in enumerate(
                    (("used", used, ""), ("wasted", reserved - used, f"{kind}used slots"), ("reserved", reserved, ""))
                )
            )
            title = say("Slots at the end of each step, of {}", n_slots)
            charts.append(Chart(key, title, "steps", float(len(steps)), float(n_slots.value), curves, area))
        return tuple(charts)

    def load(self) -> Section:
        ask = self.ask
        used, reserved = ask.all_used(), ask.all_reserved()
        title = "KV cache slots: prompt + max_tokens"
        told = say("{} requests. Each may need its prompt + max_tokens slots.", ask.requests())
        filled = "In the end they had filled {} of those {} slots: {}."
        filled = say(filled, used, reserved, ask.ratio(used, reserved, "share"))
        self.begin(-1)
        self.teller.add(ShowLoads(-1, told, title, self.loads, used=False))
        self.teller.add(ShowLoads(-1, filled, title, self.loads))
        self.say(None, 0.5)
        return self.section("load", "What requests may need, and what they use", 2, (), ())

    def first_step(self) -> Section:
        ask, step = self.ask, self.first
        end = self.steps.seq(step)
        self.begin(-1)
        twice = "The same {} slots twice: one piece for each request, or pages of {}."
        self.say(say(twice, ask.pool_slots(), ask.page_size()), 0.5)
        left = say(
            "Left: the first step reserves {} slots for {} tokens.", ask.whole_reserved(step), ask.whole_used(step)
        )
        self.advance(end, left, 1.6)
        self.say(say("Right: {} slots. Only a request's last page has empty ones.", ask.reserved(end)), 0.5, detail=1)
        self.told = step
        return self.section("first", "One piece each, or pages")

    def blocked(self) -> int | None:
        """First step after the first at whose end somebody waits for a piece."""
        return next((step for step in range(self.first + 1, len(self.steps)) if self.ask.whole(step).waiting), None)

    def split(self, after: int) -> int | None:
        """First step whose holes together had room for the first who waits."""
        needs = {load.task: load.reserved for load in self.loads}
        for step in range(after, len(self.steps)):
            layout = self.ask.whole(step)
            if layout.waiting and len(layout.holes()) > 1:
                if self.ask.pool_slots().value - layout.reserved >= needs[layout.waiting[0]]:
                    return step
        return None

    def waiting(self, blocked: int) -> Section:
        ask, end = self.ask, self.steps.seq(blocked)
        task, pieces = ask.whole(blocked).waiting[0], ask.whole_in_memory(blocked)
        name = ask.name(task)
        self.begin()
        self.run_to(blocked - 1)
        needs = "Left: {} needs {} slots in one piece and the largest hole has {}. It waits."
        self.advance(end, say(needs, name, ask.piece("reserved", task), ask.whole_largest(blocked)), 1.2)
        self.told = blocked
        here = ask.in_memory(end)
        if here.value > pieces.value:
            room = say("Right: any free page will do. {} requests are in memory, not {}.", here, pieces)
            self.say(room, 0.5, detail=1)
        split = self.split(blocked)
        if split is None:
            return self.section("waiting", "No hole is large enough")
        still = say("The run goes on; left, {} still waits.", name)
        self.run_to(split - 1, still if task in ask.whole(split - 1).waiting else "The run goes on.")
        task, holes = ask.whole(split).waiting[0], ask.whole_holes(split)
        free = joined(" + ", holes)
        if len(holes) > 4:
            free = say(
                "{} in {} holes", ask.total(*holes), ask.count(holes, "contiguous.holes", at=ask.whole_at(split))
            )
        wait = "{} slots are free, yet {} waits: its {} must be in one piece."
        wait = say(wait, free, ask.name(task), ask.piece("reserved", task))
        if split > self.told:
            self.advance(self.steps.seq(split), say("Left: {}", wait), 1.2)
        else:
            self.say(wait)
        told = "That is external fragmentation. The rest of each piece is waste inside it."
        self.say(told, 0.5, detail=1)
        self.told = split
        return self.section("waiting", "Holes that nobody fits")

    def run_to(self, step: int, caption: str | None = None) -> None:
        """Say `caption`, then go on to the end of `step`, step by step while stops last."""
        if step <= self.told:
            return
        if caption is not None:
            self.say(caption)
        for stop in stops(self.told, step):
            self.advance(self.steps.seq(stop), seconds=STEP_S)
        self.told = step

    def rest(self) -> Section:
        ask, last = self.ask, len(self.steps) - 1
        peak = int(np.argmax(self.held))
        self.begin()
        if self.told < peak < self.done:
            self.run_to(peak, say("Right: up to {} requests are in memory at once.", ask.most_in_memory()))
            self.say(None, 0.5, detail=2)
        self.run_to(self.done - 1, "Used slots hold tokens. Wasted ones are reserved and empty.")
        self.run_to(last)
        if self.told == last and self.end > self.at:
            self.advance(self.end, seconds=0.4)
        ended = "Right: all {} requests have ended after {} steps. Left: {} have."
        self.say(say(ended, ask.requests(), ask.steps_done(), ask.whole_finished(last)), 0.5)
        return self.section("rest", "Used, reserved, wasted")

    def run_on(self) -> Section:
        ask, end, told = self.ask, self.whole_done, len(self.steps) - 1
        served = next(step for step in range(told, end + 1) if not ask.whole(step).waiting)
        self.begin(self.end)
        for goal, caption in (
            (served, "Left: the others still wait for a piece, one after another."),
            (end, "Left: the last requests go on."),
        ):
            if goal > told:
                self.say(caption)
                for stop in stops(told, goal):
                    self.teller.add(RunOn(self.end, None, stop, STEP_S))
                told = goal
        ended = say("Left: all have ended after {} steps, on the right after {}.", ask.whole_steps(), ask.steps_done())
        self.say(ended, 1.0)
        return self.section("run-on", "The rest, in one piece")

    def compared(self) -> Section:
        """Both sides' figures."""
        ask = self.ask
        rows = tuple(
            Versus(label, (say("{}", whole), say("{}", paged)), (whole.value, paged.value))
            for label, whole, paged in (
                ("Requests in memory at once, at most", ask.whole_most(), ask.most_in_memory()),
                ("Steps until every request has ended", ask.whole_steps(), ask.steps_done()),
                ("Reserved slots that hold a token, over all steps", ask.whole_share(), ask.filled_share()),
            )
        )
        told = "One piece: computed from the same requests. Pages: recorded."
        title, sides = "The same requests, the same number of slots", ("in one piece", "in pages")
        self.begin(self.end)
        self.teller.add(ShowVersus(self.end, told, title, sides, rows))
        self.say("These are steps, not seconds: a step with more requests in it takes longer.", 0.5, detail=1)
        return self.section("figures", "What paging gains", stage=(), props=(), stays=True)


class Fragmentation(FilmScene):
    """Reserved, used and wasted slots of a recorded run, beside the same without pages."""

    default_trace = "fragmentation.jsonl.gz"
    summary = "Reserved, used and wasted KV cache slots, with pages and without."
    chapters = FragmentationChapters
