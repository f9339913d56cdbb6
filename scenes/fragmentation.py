"""The film `Fragmentation`: one queue, two servers, one piece of memory for each request or pages."""

from collections.abc import Iterator, Sequence
from typing import Any

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, say
from scenes.parts.memory import Memory
from scenes.parts.part import Part
from scenes.parts.progress import Progress
from scenes.parts.servers import Score
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, Telling, lasting
from scenes.story.contiguous import RULES, first_fit
from scenes.story.errors import DoesNotApply
from scenes.story.history.sure import sure
from scenes.story.needs import Needs
from scenes.story.words import counted, listed, plural

LARGEST = 128
"""Most pages of the pool."""
STEP, RACE, MOST = 0.28, 0.14, 7.0
"""Seconds of a step of a time-lapse while the servers are watched, and in a race; and of all its steps."""
FEW, PACE = 3, 1.05
"""Steps that are shown one by one; how much slower than their sentence wants."""
REACH, BACK = 0.6, 0.4
ROWS = (*RULES, "pages")
MOST_TRIES = 2


class FragmentationTelling(Telling):
    """Both servers step by step, then what each fault of the first costs.

    `done` is how many steps the recorded run took until its last request had ended, `whole_done` the
    same with one piece each; `told` the last step whose end has been told.
    """

    phases = False
    needs = Needs({"task_finished": "a run in which every request ends"}, most=LARGEST)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.check()
        self.done, self.whole_done = self.ask.steps_of("pages").value, self.ask.steps_of("reserve").value
        self.reserved = {load.task: load.reserved for load in self.ask.loads}
        self.slots = self.ask.pool_slots().value
        self.step, self.clock = -1, Progress(name="race")
        self.title = say("{}", self.ask.header(trace.header.scenario.title))
        waits = [step for step in range(self.done) if self.refused(step)]
        self.worst = max(waits, key=self.ahead, default=None)
        held = (step for step in range(self.done) if self.state(self.ask.moment(step)).tables)
        self.first_held = next((step for step in held if self.ask.whole(step).pieces), None)
        if self.first_held is None:
            raise DoesNotApply(f"{film} needs a step at whose end requests hold memory on both sides")

    def check(self) -> None:
        """Raise DoesNotApply where the other side cannot be computed, or there is nothing to compare."""
        scheduler, loads, slots = self.trace.header.scenario.scheduler, self.ask.loads, self.ask.pool_slots()
        other, changed = " can compute its other side only for", self.history.count("setting")
        reasons = [
            (scheduler.decode_policy != "all" or changed, f"{other} decode policy 'all' throughout"),
            (scheduler.max_tokens_per_step is not None, f"{other} prompts prefilled whole"),
            (len(loads) < 2, " needs at least two requests"),
            (self.history.count("task_finished") < len(loads), " needs a run in which every request ends"),
            (any(one.arrival > len(self.trace) for one in loads), " needs steps that follow one another"),
        ]
        for one in loads:
            large = f": request {one.task} would need {one.reserved} adjacent slots and the pool has {slots.value}"
            reasons.append((one.reserved > slots.value, large))
        for reason in (why for holds, why in reasons if holds):
            raise DoesNotApply(f"{self.film}{reason}")

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.rule()
        if self.worst is not None:
            yield self.waiting()
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
        read = lasting(caption)
        if 0 < count <= FEW or 0.3 * count < read:
            seconds = None if count <= FEW and self.step < 0 else max(0.45, read / max(1, count))
            acts = [self.to(at, *parts, seconds=seconds) for at in range(self.step + 1, step + 1)]
            if acts:
                self.shot(caption, *acts, pace=PACE if count <= FEW else 1.0, **shot)
            return
        seconds = max(min(MOST, each * count), read)
        every = -(-count // int(24 * seconds))
        stops = tuple(self.ask.moment(stop) for stop in range(step, self.step, -every))[::-1]
        self.step, self.at = step, self.ask.moment(step)
        self.shot(caption, Act(self.at, parts, seconds, stops=stops), **shot)

    def tries(self, step: int, *above: Part, most: int = 1) -> list[Act]:
        """At the end of `step` the first who waits reaches for holes, the largest first, `most` of
        them, and fits into none; below something `above`, only his server stands."""
        below, shown = ([], 2) if above else ([self.clock], None)
        layout = self.ask.whole(step)
        holes = sorted(layout.holes(), key=lambda hole: -hole[1])[:most] or [(0, 0)]
        door: dict[str, Any] = {"trying": layout.waiting[0]}
        acts = [self.to(step, *above, *self.lanes(whole=door)[:shown], *below)]
        for place, (hole, _) in enumerate(holes):
            reach = door | {"hole": hole}
            refused = reach | {"refused": place + 1}
            for look, seconds in ((reach, REACH), (refused, BACK), (refused, BACK), (door, BACK)):
                acts.append(self.act(*above, *self.lanes(whole=look)[:shown], *below, seconds=seconds))
        acts.append(self.act(*above, *self.lanes()[:shown], *below))
        return acts

    def refused(self, step: int) -> bool:
        """Whether somebody waits because no hole is large enough."""
        layout = self.ask.whole(step)
        return bool(layout.waiting) and first_fit(layout, self.reserved[layout.waiting[0]]) is None

    def split(self, step: int) -> bool:
        """Whether the first who waits for a piece has room in all holes together, and in none of them."""
        layout = self.ask.whole(step)
        return self.refused(step) and self.slots - layout.reserved >= self.reserved[layout.waiting[0]]

    def ahead(self, step: int) -> int:
        """How many requests more are in with pages at the end of `step`, or have been."""
        state, layout = self.state(self.ask.moment(step)), self.ask.whole(step)
        return len(layout.waiting) - len(state.waiting)

    # sections

    def hook(self) -> Section:
        """The refusal at which pages are ahead most; where nobody waits, the fullest moment."""
        ask, worst = self.ask, self.worst
        if worst is None:
            fullest = max(range(self.done), key=lambda step: self.state(ask.moment(step)).n_in_use)
            question = self.question(say("What do pages save where there is room for all?"))
            self.start_at(max(-1, fullest - MOST_TRIES))
            self.go(None, fullest, question, *self.lanes(), subject=("pages",))
            return self.section("hook", self.title, cut=True)
        name, empty = ask.name(self.head(worst)), ask.whole_empty(worst)
        told = say("{} of {} slots are empty. Why does {} wait?", empty, ask.pool_slots(), name)
        if empty.value < self.reserved[self.head(worst)]:
            told = say("Who serves {} sooner: one piece each, or pages?", name)
        self.start_at(worst)
        question = self.question(told)
        self.shot(None, *self.tries(worst, question, most=MOST_TRIES), subject=("whole",), pace=1.2)
        return self.section("hook", self.title, cut=True)

    def measures(self) -> dict[str, Measure]:
        ask = self.ask
        whole, paged = ask.steps_of("reserve"), ask.steps_of("pages")
        found = {"slots": ask.pool_slots(), "steps": whole, "paged": paged, "times": ask.ratio(whole, paged)}
        if self.worst is None:
            return found
        free, empty = ask.whole_free(self.worst), ask.whole_empty(self.worst)
        return {**found, "task": ask.name(self.head(self.worst)), "free": free, "empty": empty}

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
        first = sure(self.first_held)
        piece = ask.whole(first).pieces[0]
        name, most = ask.name(piece.task), ask.piece("reserved", piece.task)
        fills = say("{} may fill {} slots and reserves them.", name, most)
        told = self.short(say("From the start: {}", fills), fills)
        lanes = *self.lanes("whole", {"acting": (piece.start,)}), self.clock
        self.go(told, first, *lanes, subject=("whole", piece.task))
        lanes = *self.lanes("pages", acting=self.pages_of(piece.task)), self.clock
        takes = counted(ask.table_pages(piece.task, self.at), "page")
        told = say("With pages {} takes {}, and more when those are full.", name, takes)
        told = self.short(told, say("{} takes {}, more when they are full.", name, takes))
        acts = self.act(*lanes, seconds=0.6), self.to(min(first + 1, self.done - 1), *lanes)
        self.shot(told, *acts, subject=("pages",), pace=PACE)
        return self.section("rule", "One queue, two servers", cut=True)

    def pages_of(self, task: str) -> list[int]:
        """First slots of a request's pages."""
        return [page * self.ask.size for page in self.state().tables.get(task, [])]

    def waiting(self) -> Section:
        """Who does not fit, what those inside never fill, and who waits behind."""
        ask = self.ask
        blocked = next(step for step in range(self.done) if self.refused(step))
        rule = "First come, first served, in the lowest hole that fits."
        self.go(rule, blocked - 1, *self.lanes(), self.clock, subject=("whole",))
        task = self.head(blocked)
        name, need, largest = ask.name(task), ask.piece("reserved", task), ask.whole_largest(blocked)
        told = say("{} needs {} in one piece; the largest hole has {}.", name, need, largest)
        told = self.short(told, say("{} needs {}; the largest hole has {}.", name, need, largest))
        self.shot(told, *self.tries(blocked), subject=("whole", task), pace=1.2 * PACE)
        if task in self.state().tables and blocked + 1 < self.done:
            lanes = *self.lanes("pages", acting=self.pages_of(task)), self.clock
            acts = self.act(*lanes, seconds=0.8), self.to(blocked + 1, *lanes)
            self.shot(say("Any page will do: {} is in.", name), *acts, subject=("pages",), detail=MORE, pace=PACE)
        self.unfilled()
        split = next((step for step in range(self.step, self.done) if self.split(step)), None)
        if split is not None:
            self.behind(split - 1)
            free, name = ask.whole_free(split), ask.name(self.head(split))
            told = say("{} slots are free, in {} holes: {} still waits.", free, ask.whole_holes(split), name)
            told = self.short(told, say("{} are free, in holes: {} waits.", free, name))
            self.shot(told, *self.tries(split), subject=("whole", self.head(split)), pace=PACE)
        return self.section("waiting", "No hole is large enough")

    def unfilled(self) -> None:
        """The first who is done with a piece: what of it was reserved and never filled."""
        ask = self.ask
        layouts = ((step, ask.whole(step)) for step in range(self.step + 1, self.done))
        found = [(step, piece) for step, now in layouts for piece in now.pieces if piece.task in now.served]
        if not found:
            return
        step, piece = found[0]
        reserved, used, name = ask.piece("reserved", piece.task), ask.piece("used", piece.task), ask.name(piece.task)
        self.behind(step - 1)
        lanes = (*self.lanes("whole", {"acting": (piece.start,)}), self.clock)
        told = say("{} is done: it never filled {} of its {} slots.", name, ask.less(reserved, used), reserved)
        told = self.short(told, say("{} never filled {} of its {} slots.", name, ask.less(reserved, used), reserved))
        acts = self.to(step, *lanes, seconds=1.0), self.act(*self.lanes(), self.clock), self.act(*lanes, seconds=1.2)
        self.shot(told, *acts, subject=("whole",))
        if step + 1 < self.done:
            told = say("What {} held is free with the next step.", name)
            acts = self.to(step + 1, *self.lanes(), self.clock, seconds=1.4), self.act(*self.lanes("whole"), self.clock)
            self.shot(told, *acts, subject=("whole",), pace=PACE)

    def behind(self, step: int) -> None:
        """On to the end of `step`, while the line grows."""
        waits = self.ask.whole(self.step).waiting and self.once("line")
        told = say("Nobody may overtake {}.", self.ask.name(self.head(self.step))) if waits else None
        self.go(told, step, *self.lanes(), self.clock, subject=("whole",))

    def price(self) -> Section:
        """What is held and empty on both sides, where it is most with pages."""
        ask = self.ask
        step = max(range(min(self.step + 1, self.done - 1), self.done), key=lambda step: ask.empty(step).value)
        told = "Neither server knows when a request will end."
        self.go(told, step, *self.lanes(), self.clock, subject=("pages",))
        state = self.state(ask.moment(step))
        fill, size = state.fill(), ask.size
        partly = [page * size for page, ref in enumerate(state.refs) if ref and fill[page] < size]
        empty, inside = ask.empty(step), counted(ask.in_memory(ask.moment(step)), "request")
        told = say("Pages cost too: rounding up leaves {} empty for {}.", empty, inside)
        told = self.short(told, say("Rounding up to pages leaves {} empty for {}.", empty, inside))
        acts = [self.to(step, *self.lanes("pages", acting=partly), self.clock, seconds=2.0)]
        self.shot(told, *acts, subject=("pages",), pace=PACE)
        if pieces := ask.whole(step).pieces:
            lanes = self.lanes("whole", {"acting": tuple(piece.start for piece in pieces)})
            inside = counted(ask.whole_inside(step), "request")
            told = say("One piece each keeps {} empty, in reserve, for {}.", ask.whole_idle(step), inside)
            self.shot(told, self.act(*lanes, self.clock, seconds=2.0), subject=("whole",), detail=ASIDE)
        return self.section("price", "Held and empty")

    def race(self) -> Section:
        """To the end of the recording, then of what is computed on."""
        ask, lanes = self.ask, (*self.lanes(), self.clock)
        self.at_last()
        told = "A step is one token for all inside; full ones take longer."
        self.go(told, self.done - 1, *lanes, each=RACE, subject=("race",), detail=MORE)
        if self.whole_done > self.done:
            ended = say("Pages have served all {} after {} steps.", ask.requests(), ask.steps_of("pages"))
            self.shot(ended, self.act(*self.lanes("pages"), self.clock, seconds=2.0), subject=("pages",), pace=PACE)
        alone = "One piece each goes on: computed, the recording is over."
        self.go(alone, self.whole_done - 1, *lanes, each=RACE, subject=("whole",), rest=1.0)
        return self.section("race", "One clock")

    def at_last(self) -> None:
        """The one whom the question is about gets its piece: how much later than pages let it in."""
        task = None if self.worst is None else self.head(self.worst)
        later = range(self.step + 1, self.done)
        step = next((at for at in later if task in {piece.task for piece in self.ask.whole(at).pieces}), None)
        paged = next((at for at in range(self.done) if task in self.state(self.ask.moment(at)).tables), None)
        if step is None or paged is None or paged >= step:
            return
        sooner = counted(self.ask.less(self.ask.step(step), self.ask.step(paged)), "step")
        texts = "At last {} has its piece: pages let it in {} sooner.", "At last {} is in: {} after pages."
        told = self.short(*(say(text, self.ask.name(sure(task)), sooner) for text in texts))
        self.go(None, step - 1, *self.lanes(), self.clock, subject=("whole",))
        acts = [self.to(at, *self.lanes(), self.clock, seconds=1.2) for at in (step, min(step + 1, self.done - 1))]
        self.shot(told, *acts, subject=("whole", task))

    def cause(self) -> Section:
        """The same queue under rules that lack one fault each: what it costs."""
        ask = self.ask
        ends = {rule: ask.steps_of(rule) for rule in ROWS}
        self.start_at(-1)
        told = {
            "known": say("Were lengths known, one piece each would take {} steps.", ends["known"]),
            "pages": say("Pages need not know them, and take {}.", ends["pages"]),
            "closed": say("Were all holes closed, it would take {}.", ends["closed"]),
        }
        on = "Holes or reserve? From the start, each row changes a rule."
        for rule in sorted(ROWS, key=lambda rule: ends[rule].value):
            self.go(on, ends[rule].value - 1, Progress(ROWS, name="race"), each=RACE, subject=("race",))
            if rule in told:
                self.row(told[rule], rule)
            on = None
        holes, reserve = (ask.less(ends["reserve"], ends[rule]) for rule in ("closed", "known"))
        if holes.value >= 0 and reserve.value >= 0:
            verdict = say("Closed holes save {} of {} steps, known lengths {}.", holes, ends["reserve"], reserve)
            self.row(verdict, "closed", "known", rest=0.8)
        return self.section("cause", "Holes, or reserve?", cut=True)

    def row(self, caption: Said, *rules: str, rest: float = 0.0) -> None:
        """Point to the rows of `rules`."""
        act = self.act(Progress(ROWS, rules, name="race"), seconds=2.0)
        self.shot(caption, act, subject=("race", rules[0]), rest=rest)

    def takeaway(self) -> Section:
        """What it comes to."""
        ask = self.ask
        whole, paged = ask.steps_of("reserve"), ask.steps_of("pages")
        number, unit = say("{}×", ask.ratio(whole, paged)), say("as many steps in one piece each")
        if self.worst is not None and (pieces := ask.whole(self.worst).pieces):
            names, keep = ask.names([piece.task for piece in pieces]), plural(pieces, "keeps", "keep")
            head = ask.name(self.head(self.worst))
            unit = say("{}: {} waits for what {} {} empty", unit, head, listed(names), keep)
        if whole.value <= paged.value:
            text = "Where there is room for all, pages change nothing."
            number, unit = say("{}", paged), say("steps on both sides")
        elif ask.steps_of("known").value > ask.steps_of("closed").value:
            text = "Memory in pieces serves nobody: any page will do."
        else:
            text = "Memory kept for what may come serves nobody: take pages as you go."
        return self.ending("", say(text), number, unit, self.clock)


class Fragmentation(FilmScene):
    """One queue, two servers: one piece of memory for each request, or pages."""

    default_trace = "fragmentation.jsonl.gz"
    chapters = FragmentationTelling
