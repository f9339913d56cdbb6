"""The film `Fragmentation`: one queue, two servers, one piece of memory for each request or pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import Said, say
from scenes.parts.memory import Memory
from scenes.parts.part import Part
from scenes.parts.progress import Progress
from scenes.parts.question import Question, Takeaway
from scenes.parts.score import Score
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.contiguous import RULES, first_fit
from scenes.story.errors import DoesNotApply
from scenes.story.limits import reading_time

LARGEST, LONGEST = 128, 60
"""Most pages of the pool, and most characters of a caption."""
STEP, RACE, MOST = 0.28, 0.14, 7.0
"""Seconds of a step of a time-lapse while the servers are watched, and in a race; and of all its steps."""
FEW, PACE, MARGIN = 3, 1.15, 0.6
"""Steps that are shown one by one; how much slower than their sentence wants; seconds for it to come and go."""
REACH, BACK = 0.6, 0.4
ROWS = (*RULES, "pages")
MOST_TRIES = 2


class FragmentationTelling(Telling):
    """Both servers step by step, then what each fault of the first costs.

    `done` is how many steps the recorded run took until its last request had ended, `whole_done` the
    same with one piece each; `told` the last step whose end has been told.
    """

    phases = False

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.check()
        self.done, self.whole_done = self.ask.steps_of("pages").value, self.ask.steps_of("reserve").value
        self.needs = {load.task: load.reserved for load in self.ask.loads}
        self.slots = self.ask.pool_slots().value
        self.step = -1

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
        blocked = next((step for step in range(self.step, self.done) if self.refused(step)), None)
        if blocked is not None:
            yield self.waiting(blocked)
        yield self.price()
        yield self.race()
        yield self.cause()
        yield self.takeaway()

    # what stands, and how it goes on

    def lanes(self, look: str = "", whole: dict[str, Any] | None = None, acting: Sequence[int] = ()) -> list[Part]:
        """Both servers, the one at which the sentence does not `look` stepped back."""
        lit = {side: look in ("", side) for side in ("whole", "pages")}
        return [
            Memory("reserve", door="whole-score", name="whole", lit=lit["whole"], **(whole or {})),
            Score("reserve", memory="whole", name="whole-score", lit=lit["whole"]),
            Memory("pages", door="pages-score", name="pages", lit=lit["pages"], acting=tuple(acting)),
            Score("pages", memory="pages", name="pages-score", lit=lit["pages"]),
        ]

    def to(self, step: int, *parts: Part, seconds: float | None = None) -> Act:
        """The end of `step`, on both sides."""
        self.step = max(self.step, step)
        return self.act(*parts, until=self.ask.moment(step), seconds=seconds)

    def go(self, caption: str | None, step: int, *parts: Part, each: float = STEP, **shot: Any) -> None:
        """A sentence, and the steps up to the end of `step`: a few one by one, many as a time-lapse in
        which the sentence can be read."""
        count = step - self.step
        read = reading_time(caption or "") + MARGIN
        if 0 < count <= FEW or 0.3 * count < read:
            seconds = None if count <= FEW else max(0.45, read / count)
            acts = [self.to(at, *parts, seconds=seconds) for at in range(self.step + 1, step + 1)]
            if acts:
                self.shot(caption, *acts, pace=PACE if count <= FEW else 1.0, **shot)
            return
        seconds = max(min(MOST, each * count), read)
        every = -(-count // int(24 * seconds))
        stops = tuple(self.ask.moment(stop) for stop in range(step, self.step, -every))[::-1]
        self.step, self.at = step, self.ask.moment(step)
        self.shot(caption, Act(self.at, parts, seconds, stops=stops), **shot)

    def tries(self, steps: Sequence[int], *above: Part, clock: bool = True) -> list[Act]:
        """At the end of each of `steps` the first who waits reaches for a hole and does not fit."""
        acts, below = [], [self.clock()] if clock else []
        for place, step in enumerate(steps):
            layout = self.ask.whole(step)
            holes = [start for start, _ in layout.holes()] or [0]
            door: dict[str, Any] = {"trying": layout.waiting[0]}
            reach = door | {"hole": holes[place % len(holes)]}
            acts.append(self.to(step, *above, *self.lanes(whole=door), *below))
            for look, seconds in ((reach, REACH), (reach | {"refused": place + 1}, BACK), (reach, 0.2), (door, BACK)):
                acts.append(self.act(*above, *self.lanes(whole=look), *below, seconds=seconds))
        acts.append(self.act(*above, *self.lanes(), *below))
        return acts

    def refused(self, step: int) -> bool:
        """Whether somebody waits because no hole is large enough."""
        layout = self.ask.whole(step)
        return bool(layout.waiting) and first_fit(layout, self.needs[layout.waiting[0]]) is None

    def split(self, step: int) -> bool:
        """Whether the first who waits for a piece has room in all holes together, and in none of them."""
        layout = self.ask.whole(step)
        return self.refused(step) and self.slots - layout.reserved >= self.needs[layout.waiting[0]]

    def ahead(self, step: int) -> int:
        """How many requests more are in with pages at the end of `step`, or have been."""
        state, layout = self.state(self.ask.moment(step)), self.ask.whole(step)
        return len(layout.waiting) - len(state.waiting)

    # sections

    def hook(self) -> Section:
        """The refusal at which pages are ahead most; where nobody waits, the fullest moment."""
        waiting = [step for step in range(self.done) if self.refused(step)]
        shown = [step for step in waiting if self.split(step)] or waiting
        if not shown:
            fullest = max(range(self.done), key=lambda step: self.state(self.ask.moment(step)).n_in_use)
            ask = Question("What do pages save where there is room for all?")
            self.start_at(max(-1, fullest - MOST_TRIES))
            self.go(None, fullest, ask, *self.lanes(), subject=("pages",))
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
        acts = self.tries(range(first, most + 1), Question(question), clock=False)
        self.shot(None, *acts, subject=("whole",))
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
        self.step = step
        self.begin(self.ask.moment(step) if step >= 0 else -1)

    def rule(self) -> Section:
        """The first requests, and the rule of each server."""
        ask = self.ask
        self.start_at(-1)
        first = next(step for step in range(self.done) if self.state(ask.moment(step)).tables)
        piece = ask.whole(first).pieces[0]
        name = ask.name(piece.task)
        self.go(
            brief(
                say("{} may need {} slots: one piece of them is reserved.", name, ask.piece("reserved", piece.task)),
                say("{} may fill {} slots: all are reserved.", name, ask.piece("reserved", piece.task)),
            ),
            first,
            *self.lanes("whole", {"acting": (piece.start,)}),
            self.clock(),
            subject=("whole", piece.task),
        )
        held = self.pages_of(piece.task)
        takes = ask.table_pages(piece.task, self.at)
        self.shot(
            brief(
                say("With pages {} takes {}, and more when those are full.", name, pages(takes)),
                say("{} takes {}, more when they are full.", name, pages(takes)),
            ),
            self.act(*self.lanes("pages", acting=held), self.clock(), seconds=0.6),
            self.to(min(first + 1, self.done - 1), *self.lanes("pages", acting=held), self.clock()),
            subject=("pages",),
            pace=PACE,
        )
        return self.section("rule", "One queue, two servers", cut=True)

    def clock(self) -> Progress:
        """The clock of both."""
        return Progress(name="race")

    def pages_of(self, task: str) -> list[int]:
        """First slots of a request's pages."""
        return [page * self.ask.size for page in self.state().tables.get(task, [])]

    def waiting(self, blocked: int) -> Section:
        """Who does not fit, and who waits behind."""
        ask = self.ask
        self.begin()
        rule = "First come, first served, in the lowest hole that fits."
        self.go(rule, blocked - 1, *self.lanes(), self.clock(), subject=("whole",))
        task = self.head(blocked)
        name, need = ask.name(task), ask.piece("reserved", task)
        self.shot(
            brief(
                say("{} needs {} in one piece; the largest hole has {}.", name, need, ask.whole_largest(blocked)),
                say("{} needs {}; the largest hole has {}.", name, need, ask.whole_largest(blocked)),
            ),
            *self.tries([blocked]),
            subject=("whole", task),
            pace=PACE,
        )
        if task in self.state().tables and blocked + 1 < self.done:
            held = self.pages_of(task)
            self.shot(
                say("With pages any free one will do: {} is in.", name),
                self.act(*self.lanes("pages", acting=held), self.clock(), seconds=0.8),
                self.to(blocked + 1, *self.lanes("pages", acting=held), self.clock()),
                subject=("pages",),
                detail=MORE,
                pace=PACE,
            )
        split = next((step for step in range(self.step + 1, self.done) if self.split(step)), None)
        if split is not None:
            self.go("Nobody overtakes.", split - 1, *self.lanes(), self.clock(), subject=("whole-score",))
            name = ask.name(self.head(split))
            free, holes = ask.whole_free(split), ask.whole_holes(split)
            after = split + 1
            again = after < self.done and self.split(after) and self.head(after) == self.head(split)
            self.shot(
                brief(
                    say("{} slots are free, in {} holes: {} still waits.", free, holes, name),
                    say("{} are free, in {} holes: {} waits.", free, holes, name),
                ),
                *self.tries([split, after] if again else [split]),
                subject=("whole", self.head(split)),
                pace=PACE,
            )
        return self.section("waiting", "No hole is large enough")

    def price(self) -> Section:
        """What is held and empty on both sides, where it is most with pages."""
        ask = self.ask
        self.begin()
        step = max(range(min(self.step + 1, self.done - 1), self.done), key=lambda step: ask.empty(step).value)
        self.go("A step is one token for all inside.", step - 1, *self.lanes("pages"), self.clock(), subject=("pages",))
        state = self.state(ask.moment(step))
        fill, size = state.fill(), ask.size
        partly = [page * size for page, ref in enumerate(state.refs) if ref and fill[page] < size]
        self.shot(
            say("Pages cost too: rounding up keeps {} slots empty.", ask.empty(step)),
            self.to(step, *self.lanes(), self.clock()),
            self.act(*self.lanes("pages", acting=partly), self.clock(), seconds=0.6),
            subject=("pages",),
            pace=PACE,
        )
        pieces = ask.whole(step).pieces
        if pieces:
            lanes = self.lanes("whole", {"acting": tuple(piece.start for piece in pieces)})
            stays = "One piece each keeps room for answers that stay short."
            self.go(stays, min(step + 3, self.done - 1), *lanes, self.clock(), subject=("whole",), detail=ASIDE)
        return self.section("price", "Held and empty")

    def race(self) -> Section:
        """To the end of the recording, then of what is computed on."""
        ask, lanes, last = self.ask, (*self.lanes(), self.clock()), self.done - 1
        self.begin()
        half = (self.step + last + 1) // 2
        for step, told in (
            (half, "No server knows where an answer ends: the scenario does."),
            (last, "Steps, not seconds: full ones take longer."),
        ):
            self.go(told, step, *lanes, subject=("race",), detail=MORE)
        over = max(self.done, len(self.steps))
        if self.whole_done > over:
            ended = say("Pages have served all {} after {} steps.", ask.requests(), ask.steps_of("pages"))
            self.shot(ended, self.to(over, *lanes, seconds=2.0), subject=("pages-score",), pace=PACE)
        alone = "One piece each goes on: computed, the recording is over."
        self.go(alone, self.whole_done - 1, *lanes, each=RACE, subject=("whole",))
        return self.section("race", "One clock")

    def cause(self) -> Section:
        """The same queue under rules that lack one fault each: what it costs."""
        ask = self.ask
        ends = {rule: ask.steps_of(rule) for rule in ROWS}
        last = max(end.value for end in ends.values()) - 1
        self.start_at(-1)
        told = {
            "known": say("With lengths known, one piece each takes {} steps.", ends["known"]),
            "pages": say("Pages need not know them, and take {}.", ends["pages"]),
            "closed": say("With all holes closed it still takes {}.", ends["closed"]),
        }
        order = sorted(told, key=lambda rule: ends[rule].value)
        goals, goal, apart = {}, last, max(2, last // 8)
        for rule in reversed(order):
            goal = goals[rule] = min(ends[rule].value - 1, goal - apart)
        same = "The same queue under four rules: what was the loss?"
        start = max(0, min(goals[order[0]] - apart, goals[order[0]] // 2))
        self.go(same, start, Progress(ROWS, name="race"), each=RACE, subject=("race",))
        for rule in order:
            self.row(told[rule], goals[rule], rule)
        holes, reserve = (ask.less(ends["reserve"], ends[rule]) for rule in ("closed", "known"))
        verdict = say("One piece: {} steps. No holes: {}. Known: {}.", *(ends[rule] for rule in RULES))
        if holes.value >= 0 and reserve.value >= 0:
            verdict = say("So the holes cost {} of {} steps, the reserve {}.", holes, ends["reserve"], reserve)
        self.row(verdict, last, "reserve", rest=1.6)
        return self.section("cause", "What was the loss", cut=True)

    def row(self, caption: Said, step: int, rule: str, rest: float = 0.0) -> None:
        """Run on to `step`, and point to the row of a rule."""
        race, subject = Progress(ROWS, (rule,), name="race"), ("race", rule)
        if step > self.step:
            self.go(caption, step, race, each=RACE, subject=subject, rest=rest)
        else:
            self.shot(caption, self.act(race, seconds=2.0), subject=subject, rest=rest)

    def takeaway(self) -> Section:
        """What it comes to."""
        ask = self.ask
        whole, paged = ask.steps_of("reserve"), ask.steps_of("pages")
        self.begin()
        if whole.value > paged.value:
            exact, compact = ask.steps_of("known").value, ask.steps_of("closed").value
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


def brief(*said: Said) -> Said:
    """The first that is short enough for a caption, else the last."""
    return next((text for text in said if len(text) <= LONGEST), said[-1])


class Fragmentation(FilmScene):
    """One queue, two servers, one clock: one piece of memory for each request, or pages."""

    default_trace = "fragmentation.jsonl.gz"
    summary = "One queue, two servers: one piece of memory for each request, or pages."
    chapters = FragmentationTelling
