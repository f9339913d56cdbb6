"""The film `Fragmentation`: one queue, two servers, one piece of memory for each request or pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import Said, say
from scenes.parts.part import Part
from scenes.parts.question import Question, Takeaway
from scenes.parts.race import Race
from scenes.parts.score import Score
from scenes.parts.strip import Strip
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.contiguous import RULES
from scenes.story.errors import DoesNotApply

LARGEST = 128
STEP, RACE = 0.3, 0.14
"""Seconds of a step of a time-lapse while the servers are watched, and in a race."""
MOST = 8.0
"""Seconds of a time-lapse at most."""
REACH, BACK = 0.7, 0.4
ROWS = (*RULES, "paged")
MOST_TRIES = 3


class FragmentationTelling(Telling):
    """Both servers step by step, then what each fault of the first costs.

    `done` is how many steps the recorded run took until its last request had ended, `whole_done` the
    same with one piece each; `told` the last step whose end has been told.
    """

    phases = False

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.check()
        self.done, self.whole_done = self.ask.steps_of("paged").value, self.ask.steps_of("reserve").value
        self.needs = {load.task: load.reserved for load in self.ask.loads}
        self.slots = self.ask.pool_slots().value
        self.told = -1

    def check(self) -> None:
        """Raise DoesNotApply where the other side cannot be computed, or there is nothing to compare."""
        scheduler, film, loads = self.trace.header.scenario.scheduler, self.film, self.ask.loads
        if self.ask.n_pages > LARGEST:
            raise DoesNotApply(f"{film} draws every page and the trace has {self.ask.n_pages}: at most {LARGEST} fit")
        if scheduler.decode_policy != "all" or self.history.count("setting"):
            raise DoesNotApply(f"{film} can compute its other side only for decode policy 'all' throughout")
        if scheduler.max_tokens_per_step is not None:
            raise DoesNotApply(f"{film} can compute its other side only for prompts prefilled whole")
        if len(loads) < 2:
            raise DoesNotApply(f"{film} needs at least two requests")
        if self.history.count("task_finished") < len(loads):
            raise DoesNotApply(f"{film} needs a run in which every request ends")
        n_slots = self.ask.pool_slots().value
        for load in loads:
            if load.reserved > n_slots:
                raise DoesNotApply(
                    f"{film}: request {load.task} would need {load.reserved} adjacent slots and the pool has {n_slots}"
                )

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.rule()
        blocked = next((step for step in range(self.told, self.done) if self.ask.whole(step).waiting), None)
        if blocked is not None:
            yield self.waiting(blocked)
        yield self.price()
        yield self.race()
        yield self.cause()
        yield self.takeaway()

    # what stands, and how it goes on

    def lanes(self, look: str = "", whole: dict[str, Any] | None = None, acting: Sequence[int] = ()) -> list[Part]:
        """Both servers, the one at which the sentence does not `look` stepped back."""
        lit = {side: look in ("", side) for side in ("whole", "paged")}
        return [
            Strip("reserve", door="whole-score", name="whole", lit=lit["whole"], **(whole or {})),
            Score("reserve", memory="whole", name="whole-score", lit=lit["whole"]),
            Strip("paged", door="paged-score", name="paged", lit=lit["paged"], acting=tuple(acting)),
            Score("paged", memory="paged", name="paged-score", lit=lit["paged"]),
        ]

    def to(self, step: int, *parts: Part, seconds: float | None = None) -> Act:
        """The end of `step`, on both sides."""
        self.told = max(self.told, step)
        return self.act(*parts, until=self.ask.moment(step), seconds=seconds)

    def run_to(self, step: int, *parts: Part, each: float = STEP) -> Act:
        """A time-lapse to the end of `step`: every step where there are not too many, else every few."""
        seconds = min(MOST, each * (step - self.told))
        every = max(1, -(-(step - self.told) // max(1, int(24 * seconds))))
        stops = tuple(self.ask.moment(stop) for stop in range(step, self.told, -every))[::-1]
        self.told, self.at = step, self.ask.moment(step)
        return Act(self.at, parts, seconds, stops=stops)

    def tries(self, steps: Sequence[int], *above: Part) -> list[Act]:
        """At the end of each of `steps` the first who waits reaches for a hole and does not fit."""
        acts = []
        for place, step in enumerate(steps):
            layout = self.ask.whole(step)
            task, holes = layout.waiting[0], [start for start, _ in layout.holes()] or [0]
            trying = {"trying": task, "hole": None}
            acts.append(self.to(step, *above, *self.lanes(whole=trying)))
            reach = trying | {"hole": holes[place % len(holes)]}
            acts.append(self.act(*above, *self.lanes(whole=reach), seconds=REACH))
            acts.append(self.act(*above, *self.lanes(whole=trying), seconds=BACK))
        acts.append(self.act(*above, *self.lanes()))
        return acts

    def split(self, step: int) -> bool:
        """Whether the first who waits for a piece has room in all holes together, and in none of them."""
        layout = self.ask.whole(step)
        return bool(layout.waiting) and self.slots - layout.reserved >= self.needs[layout.waiting[0]]

    def ahead(self, step: int) -> int:
        """How many requests more are in with pages at the end of `step`, or have been."""
        state, layout = self.state(self.ask.moment(step)), self.ask.whole(step)
        return len(layout.waiting) - len(state.waiting)

    # sections

    def hook(self) -> Section:
        """The refusal at which pages are ahead most; where nobody waits, the fullest moment."""
        waiting = [step for step in range(self.done) if self.ask.whole(step).waiting]
        shown = [step for step in waiting if self.split(step)] or waiting
        if not shown:
            fullest = max(range(self.done), key=lambda step: self.state(self.ask.moment(step)).n_in_use)
            ask = Question("What do pages save where there is room for all?")
            self.start_at(max(-1, fullest - MOST_TRIES))
            self.shot(None, self.run_to(fullest, ask, *self.lanes(), each=1.0), subject=("paged",))
            return self.section("hook", self.title, cut=True)
        most = max(shown, key=self.ahead)
        first = most
        while first - 1 in shown and most - first < MOST_TRIES - 1 and self.head(first - 1) == self.head(most):
            first -= 1
        free, name = self.ask.whole_free(most), self.ask.name(self.head(most))
        question = say("{} slots are free. Why does {} wait?", free, name)
        if not self.split(most):
            question = say("Pages serve {}. Why does one piece each not?", name)
        self.start_at(first - 1)
        self.shot(None, *self.tries(range(first, most + 1), Question(question)), subject=("whole",))
        return self.section("hook", self.title, cut=True)

    @property
    def title(self) -> Said:
        """What the scenario is called."""
        return say("{}", self.ask.header(self.trace.header.scenario.title))

    def head(self, step: int) -> str:
        """Who waits first for a piece."""
        return self.ask.whole(step).waiting[0]

    def start_at(self, step: int) -> None:
        """Begin a section at the end of `step`."""
        self.told = step
        self.begin(self.ask.moment(step) if step >= 0 else -1)

    def rule(self) -> Section:
        """The first requests, and the rule of each server."""
        ask = self.ask
        self.start_at(-1)
        first = next(step for step in range(self.done) if self.state(ask.moment(step)).tables)
        piece = ask.whole(first).pieces[0]
        name = ask.name(piece.task)
        self.shot(
            say("{} may need {} slots, so one piece of them is reserved.", name, ask.piece("reserved", piece.task)),
            self.act(*self.lanes("whole"), self.clock()),
            self.to(first, *self.lanes("whole", {"acting": (piece.start,)}), self.clock()),
            subject=("whole", piece.task),
        )
        held = ask.table_pages(piece.task, self.at)
        self.shot(
            say("With pages, {} takes {} now, more when those are full.", name, pages(held)),
            self.act(*self.lanes("paged", acting=self.pages_of(piece.task)), self.clock(), seconds=0.6),
            self.to(min(first + 1, self.done - 1), *self.lanes("paged"), self.clock()),
            subject=("paged", piece.task),
        )
        return self.section("rule", "One queue, two servers", cut=True)

    def clock(self) -> Race:
        """The clock of both."""
        return Race(name="race")

    def pages_of(self, task: str) -> list[int]:
        """First slots of a request's pages."""
        return [page * self.ask.size for page in self.state().tables.get(task, [])]

    def waiting(self, blocked: int) -> Section:
        """Who does not fit, and who waits behind."""
        ask = self.ask
        self.begin()
        if self.told < blocked - 1:
            rule = "First come, first served, in the lowest hole that fits."
            self.shot(rule, self.run_to(blocked - 1, *self.lanes(), self.clock()), subject=("whole",))
        task = self.head(blocked)
        name, need = ask.name(task), ask.piece("reserved", task)
        self.shot(
            say("{} needs {} in one piece; the largest hole has {}.", name, need, ask.whole_largest(blocked)),
            *self.tried([blocked]),
            subject=("whole", task),
        )
        if task in self.state().tables:
            held = self.pages_of(task)
            self.shot(
                say("With pages, any free one will do: {} is in.", name),
                self.act(*self.lanes("paged", acting=held), self.clock(), seconds=0.8),
                self.to(blocked + 1, *self.lanes("paged", acting=held), self.clock()),
                subject=("paged", task),
                detail=MORE,
            )
        split = next((step for step in range(self.told + 1, self.done) if self.split(step)), None)
        if split is not None:
            line = "Nobody overtakes, so all wait behind the first."
            if self.told < split - 1:
                self.shot(line, self.run_to(split - 1, *self.lanes(), self.clock()), subject=("whole-score",))
            name = ask.name(self.head(split))
            free, holes = ask.whole_free(split), ask.whole_holes(split)
            last = next((step for step in range(split, self.done) if not self.split(step)), self.done) - 1
            self.shot(
                say("{} slots are free, in {} holes: {} still waits.", free, holes, name),
                *self.tried(range(split, min(last, split + MOST_TRIES - 2) + 1)),
                subject=("whole", self.head(split)),
            )
        return self.section("waiting", "No hole is large enough")

    def tried(self, steps: Sequence[int]) -> list[Act]:
        """`tries` over the clock."""
        return [Act(a.until, (*a.parts, self.clock()), a.seconds) for a in self.tries(steps)]

    def price(self) -> Section:
        """What is held and empty on both sides, where it is most with pages."""
        ask = self.ask
        self.begin()
        step = max(range(min(self.told + 1, self.done - 1), self.done), key=lambda step: ask.empty(step).value)
        if self.told < step - 1:
            run = self.run_to(step - 1, *self.lanes(), self.clock())
            self.shot("Each step gives everyone inside one token.", run, subject=("paged",))
        act = self.to(step, *self.lanes(), self.clock())
        fill, size = self.state().fill(), ask.size
        partly = [page * size for page, ref in enumerate(self.state().refs) if ref and fill[page] < size]
        look = self.act(*self.lanes("paged", acting=partly), self.clock(), seconds=0.6)
        empty = say("Pages cost as well: rounding up keeps {} slots empty.", ask.empty(step))
        self.shot(empty, act, look, subject=("paged",), rest=1.0)
        layout = ask.whole(step)
        if layout.pieces and self.told < self.done - 1:
            starts = tuple(piece.start for piece in layout.pieces)
            lanes = self.lanes("whole", {"acting": starts})
            self.shot(
                "One piece each keeps room for answers that stay short.",
                self.act(*lanes, self.clock(), seconds=0.6),
                self.run_to(min(self.told + 3, self.done - 1), *lanes, self.clock(), each=0.8),
                subject=("whole",),
                detail=ASIDE,
            )
        return self.section("price", "Held and empty")

    def race(self) -> Section:
        """To the end of the recording, then of what is computed on."""
        ask, lanes, last = self.ask, (*self.lanes(), self.clock()), self.done - 1
        self.begin()
        half = (self.told + last + 1) // 2
        for step, told in (
            (half, "No server knows where an answer ends: the scenario does."),
            (last, "These are steps, not seconds: full ones take longer."),
        ):
            if self.told < step:
                self.shot(told, self.run_to(step, *lanes, each=2 * RACE), subject=("race",), detail=MORE)
        after = max(self.done, len(self.steps))
        over = self.end if self.whole_done <= self.done else ask.moment(after)
        ended = say("Pages have served all {} after {} steps.", ask.requests(), ask.steps_of("paged"))
        self.shot(ended, self.act(*lanes, until=max(over, self.at), seconds=1.0), subject=("paged-score",))
        self.told = max(self.told, len(self.steps) - 1 if over == self.end else after)
        if self.whole_done - 1 > self.told:
            alone = "One piece each goes on: computed, the recording is over."
            self.shot(alone, self.run_to(self.whole_done - 1, *lanes, each=RACE), subject=("whole",), rest=0.8)
        return self.section("race", "One clock")

    def cause(self) -> Section:
        """The same queue under rules that lack one fault each: what it costs."""
        ask = self.ask
        ends = {rule: ask.steps_of(rule) for rule in ROWS}
        last = max(end.value for end in ends.values()) - 1
        self.start_at(-1)
        half = max(0, min(end.value for end in ends.values()) // 2 - 1)
        run = self.run_to(half, Race(ROWS, name="race"), each=1.4 * RACE)
        self.shot("The same queue under four rules: what was the loss?", run, subject=("race",))
        told = {
            "exact": say("With lengths known, one piece each takes {} steps.", ends["exact"]),
            "paged": say("Pages need not know them, and take {}.", ends["paged"]),
            "compact": say("With all holes closed it still takes {}.", ends["compact"]),
        }
        steps = {rule: ends[rule].value - 1 for rule in told}
        if steps["paged"] == steps["exact"]:
            steps["paged"] += max(0, steps["compact"] - steps["exact"]) // 3
        for rule in sorted(told, key=lambda rule: steps[rule]):
            self.row(told[rule], steps[rule], rule)
        holes, reserve = (ask.less(ends["reserve"], ends[rule]) for rule in ("compact", "exact"))
        verdict = say("One piece: {} steps. No holes: {}. Known: {}.", *(ends[rule] for rule in RULES))
        if holes.value >= 0 and reserve.value >= 0:
            verdict = say("So the holes cost {} of {} steps, the reserve {}.", holes, ends["reserve"], reserve)
        self.row(verdict, last, "reserve", rest=1.6)
        return self.section("cause", "What was the loss", cut=True)

    def row(self, caption: Said, step: int, rule: str, rest: float = 0.0) -> None:
        """Run on to `step`, and point to the row of a rule."""
        race = Race(ROWS, (rule,), name="race")
        act = self.run_to(step, race, each=1.4 * RACE) if step > self.told else self.act(race, seconds=0.6)
        self.shot(caption, act, subject=("race", rule), rest=rest)

    def takeaway(self) -> Section:
        """What it comes to."""
        ask = self.ask
        whole, paged = ask.steps_of("reserve"), ask.steps_of("paged")
        self.begin()
        if whole.value > paged.value:
            exact, compact = ask.steps_of("exact").value, ask.steps_of("compact").value
            text = "Memory kept for what may come serves nobody: take pages as you go."
            if exact > compact:
                text = "Memory in pieces serves nobody: any page will do."
            number, unit = say("{}×", ask.ratio(whole, paged)), "as many steps with one piece for each request"
        else:
            text = "Where there is room for all, pages change nothing."
            number, unit = say("{}", paged), "steps on both sides"
        self.shot("", self.act(Takeaway(text, number, unit), self.clock()), subject=("takeaway",), rest=2.0)
        return self.section("takeaway", "")


def pages(count: Any) -> Said:
    """So many pages, in words."""
    return say("{} page" if count.value == 1 else "{} pages", count)


class Fragmentation(FilmScene):
    """One queue, two servers, one clock: one piece of memory for each request, or pages."""

    default_trace = "fragmentation.jsonl.gz"
    summary = "One queue, two servers: one piece of memory for each request, or pages."
    chapters = FragmentationTelling
