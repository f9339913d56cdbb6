"""The film `ChunkedPrefill`: a long prompt whole, and in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

from astrai_sim.trace import Trace
from astrai_sim.trace.events import SettingChanged
from scenes import theme
from scenes.film.scene import FilmScene
from scenes.measures import joined, say
from scenes.story.beats import Chart, Curve, Lane, Lanes, Peak, Section, ShowSteps, ShowVersus, StepTokens, Versus
from scenes.story.chapters import Chapters
from scenes.story.curves import points
from scenes.story.errors import DoesNotApply
from scenes.story.history.prompts import Prompt, long_decode, prompts
from scenes.story.history.sure import sure
from scenes.story.words import listed, many, plural

LANES_AREA = (0.0, 0.0, 1.0, 0.42)
CHART_AREA = (0.0, 0.445, 1.0, 1.0)
MOST_BESIDE = 4
COLUMNS = 64
MOST_CELLS = 1400
"""Most tokens of a step that are shown one by one."""
NAME_PX = 17.0
GAP = "longest gap"
MOST_NAMED = 3
"""Most steps that are named one by one."""
APART = 0.12
"""Least distance of two marked peaks, as a part of the time axis."""


def chosen(film: str, found: Sequence[Prompt]) -> tuple[Prompt, Prompt]:
    """The pair with the longest prompts, one computed whole and one in chunks.

    One must be done before the other begins. Raises DoesNotApply where there is no pair.
    """
    kinds = [p for p in found if p.whole], [p for p in found if not p.whole]
    for kind, how in zip(kinds, ("in one step", "in chunks"), strict=True):
        if not kind:
            raise DoesNotApply(f"{film} needs a prompt that was computed {how} while others were decoding")
    pairs = [(a, b) for a, b in product(*kinds) if a.steps[-1] < b.steps[0] or b.steps[-1] < a.steps[0]]
    if not pairs:
        raise DoesNotApply(
            f"{film} needs its two prompts one after the other, and here one was computed while the other was"
        )
    return max(pairs, key=lambda pair: min(prompt.tokens for prompt in pair))


class ChunkedPrefillChapters(Chapters):
    """Two long prompts beside decoding requests, in the order in which they came.

    `told` is the last step whose end has been told, `last` the last of the run.
    """

    stage = ("chart", "lanes")
    phases = False

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        if trace.header.detail != "full" or not self.history.count("tokens"):
            raise DoesNotApply(f"{film} needs an event for every token: record in full detail")
        self.whole, self.chunked = chosen(film, prompts(self.history))
        self.both = sorted((self.whole, self.chunked), key=lambda prompt: prompt.steps[0])
        together = [name for name in self.whole.beside if name in self.chunked.beside]
        self.shown = tuple((together or [*self.whole.beside, *self.chunked.beside])[:MOST_BESIDE])
        self.names = listed(self.ask.names(self.shown))
        self.usual = self.ask.usual_wait(self.both[0].steps[0])
        self.last, self.told = len(self.steps) - 1, -1
        self.props = (self.chart(), self.lanes())

    def sections(self) -> Iterator[Section]:
        yield self.decode()
        plain = self.plain_step(self.both[0].steps[0])
        shown = [] if plain is None else [self.step_tokens(plain)]
        for prompt in self.both:
            yield self.stall(prompt)
            shown.append(self.step_tokens(prompt.steps[0]))
            if max(sum(count for _, count, _ in step.runs) for step in shown) <= MOST_CELLS:
                yield self.inside(prompt, tuple(shown))
        yield self.compare()

    def chart(self) -> Chart:
        """Time between tokens over the run."""
        s, gaps = self.history.series, self.history.gaps / 1e6
        known, seconds = gaps >= 0, s.end_ns / 1e9
        curve_points = points(s.seq[known], seconds[known], gaps[known], None)
        curve = Curve(GAP, "longest wait in the step", theme.SERIES[1], curve_points, rate=1000.0)
        peaks: list[Peak] = []
        for prompt in self.both:
            first, last = prompt.steps[0], prompt.steps[-1]
            top = max(prompt.steps, key=lambda step: gaps[step])
            begin, end = int(self.steps.begin[first]), self.steps.seq(last)
            if all(abs(seconds[top] - other.x) > APART * seconds[-1] for other in peaks):
                peaks.append(Peak(GAP, begin, end, float(seconds[top]), float(gaps[top]), "ms"))
        longest = max(len(name) for name in (*self.shown, self.whole.task, self.chunked.task))
        return Chart(
            "gaps",
            "Time since a request's last token, ms",
            "seconds",
            float(seconds[-1]),
            float(gaps.max()) * 1.04,
            (curve,),
            CHART_AREA,
            tuple(peaks),
            margin=60 + NAME_PX * longest,
        )

    def lanes(self) -> Lanes:
        """Tokens and prompts of the requests that are shown."""
        phases, lanes = self.steps.phases, []
        for task in sorted({*self.shown, self.whole.task, self.chunked.task}, key=self.requests.index.__getitem__):
            life = self.requests[task]
            known = life.tokens.step <= self.last
            tokens = zip(life.tokens.seq[known].tolist(), (life.tokens.ns[known] / 1e9).tolist(), strict=True)
            spans = []
            for event in life.computed:
                if event.step <= self.last:
                    row = self.steps.row("prefill", event.step)
                    times = float(phases.began[row] / 1e9), float(phases.ended[row] / 1e9)
                    spans.append((int(phases.end[row]), *times, event.end - event.start))
            lanes.append(Lane(task, tuple(tokens), tuple(spans)))
        ends = self.history.series.end_ns / 1e9
        steps = tuple(zip(self.steps.begin[: len(ends)].tolist(), ends.tolist(), strict=True))
        return Lanes("A mark is a token, a dim bar a prompt being computed", "gaps", tuple(lanes), LANES_AREA, steps)

    def to(self, step: int, caption: str | None = None, seconds: float = 1.0, detail: int = 0) -> None:
        """Go on to the end of `step`, if that is still to come."""
        if step > self.told:
            self.told = step
            self.advance(self.steps.seq(step), caption, seconds, detail)
        elif caption is not None:
            self.say(caption, detail=detail)

    def decode(self) -> Section:
        ask, before, many_shown = self.ask, self.both[0].steps[0] - 1, len(self.shown) > 1
        started = next(i for i in range(len(self.steps)) if self.history.prefilled(i))
        first = {task for task, _ in self.history.prefilled(started)}
        together, plain = first >= set(self.shown), range(started + 1, before + 1)
        text = say("Step {} computes the {} of {}.", ask.step(started), plural(self.shown, "prompt"), self.names)
        self.begin(-1)
        self.say(text if together else None, 0.5)
        if started < before:
            self.to(started, seconds=1.5)
        text = None
        if together and plain and all({*self.shown} <= {*self.history.decoded(step)} for step in plain):
            text = say("After it, every step decodes one token{}", " each" if many_shown else "")
            if self.usual is not None:
                text = say("{}, {} after the last (median)", text, self.usual)
            text = say("{}.", text)
        elif self.usual is not None:
            text = say("Once their prompts are computed, tokens are {} apart (median).", self.usual)
        self.to(before, text, 3.5)
        title = say("{} requests decode", many(ask.names(self.shown)))
        return self.section("decode", title if many_shown else say("{} decodes", self.names))

    def since(self, step: int) -> int | None:
        """The step from which the token budget of `step` holds; None: from the start."""
        begin = int(self.steps.begin[step])
        changed = self.history.latest(SettingChanged, before=begin, name="max_tokens_per_step")
        return None if changed is None else changed.step + 1

    def stall(self, prompt: Prompt) -> Section:
        ask, first, last = self.ask, prompt.steps[0], prompt.steps[-1]
        name, tokens = ask.name(prompt.task), ask.prompt_tokens(prompt.task)
        budget, since = ask.budget(first), self.since(first)
        wait = ask.longest_wait(first, last)
        waits = plural(self.shown, "waits", "wait")
        limit = None
        self.begin(self.steps.seq(self.told))
        if not prompt.whole and budget.value is not None:
            limit = say("A step computes at most {} tokens.", budget)
            if since is not None and self.told < since <= first:
                self.to(since - 1)
                limit = say("From step {} on, a step computes at most {} tokens.", ask.step(since), budget)
        self.to(first - 1, limit, 1.0 if limit is None else 1.2)
        arrives = say("{} arrives with {} prompt tokens.", name, tokens)
        if prompt.whole:
            self.to(first, say("{} Step {} computes them all.", arrives, ask.step(first)), 3.0)
            text = say("{} {} {} for the next token", self.names, waits, wait)
            if self.usual is not None:
                text = say("{}, {} times the usual", text, ask.ratio(wait, self.usual))
            self.say(say("{}.", text))
        else:
            steps = ask.prompt_steps(prompt.task)
            self.to(
                first, say("{} The first step takes {} of them.", arrives, ask.prefilled_of(prompt.task, first)), 1.2
            )
            middle = prompt.steps[len(prompt.steps) // 2]
            self.to(middle, say("{} steps share the prompt. Each also gives {} a token.", steps, self.names), 2.0)
            self.to(last, seconds=2.0)
            self.say(say("{} never {} longer than {} for a token.", self.names, waits, wait))
            self.why(prompt)
        own = say("{} has its own first token {} after it arrived.", name, ask.ttft(prompt.task))
        self.to(self.end_of(prompt), own, 2.0)
        key, how = ("whole", "in one step") if prompt.whole else ("chunked", "in chunks")
        return self.section(f"stall-{key}", say("{} prompt tokens {}", tokens, how))

    def why(self, prompt: Prompt) -> None:
        """What made the longest wait beside chunks so long, where the trace shows it."""
        found, ask, task = long_decode(self.history, self.trace, prompt), self.ask, prompt.task
        if found is None:
            return
        name, here = ask.name(task), ask.step(found.step)
        chunk = ask.prefilled_of(task, found.step)
        smallest = "That was step {}, with the smallest chunk: {} tokens. But {} decodes in it too."
        self.say(say(smallest, here, chunk, name), detail=1)
        took = ask.phase_time("decode", found.step)
        others = ask.largest(*(ask.phase_time("decode", step) for step in found.before))
        positions = ask.stored(task, self.steps.seq(found.step))
        padded = say("K and V of every request are padded to {}'s {} positions", name, positions)
        self.say(say("{}: {} of decoding, at most {} in the chunks before.", padded, took, others), detail=1)
        after = [step for step in found.after if step <= self.end_of(prompt)][:MOST_NAMED]
        if after:
            steps = listed([ask.step(step) for step in after])
            times = listed([ask.phase_time("decode", step) for step in after])
            who = say("{} {} {}", plural(after, "Step"), steps, plural(after, "decodes", "decode"))
            text = say("{} for {} without a prompt: {} is in the batch.", who, times, name)
            self.to(after[-1], text, 2.0, detail=1)

    def end_of(self, prompt: Prompt) -> int:
        """Where the chapter of a prompt ends: shortly before the next, or with the run."""
        later = [p for p in self.both if p.steps[0] > prompt.steps[-1]]
        if not later:
            return max(self.last, prompt.steps[-1])
        since = self.since(later[0].steps[0])
        limit = later[0].steps[0] - 1
        if since is not None and prompt.steps[-1] < since - 1 < limit:
            limit = since - 1
        return max(limit, prompt.steps[-1])

    def plain_step(self, before: int) -> int | None:
        """The last step before `before` that only decoded."""
        steps = range(before - 1, -1, -1)
        return next((i for i in steps if self.history.decoded(i) and not self.history.prefilled(i)), None)

    def step_tokens(self, step: int) -> StepTokens:
        """What a step computed, and how long it took."""
        ask, decoded, prefilled = self.ask, self.history.decoded(step), self.history.prefilled(step)
        parts = say("{} decoded", ask.decoded(step))
        if prefilled:
            parts = say("{} + {} of a prompt", parts, ask.prefilled(step))
        facts = (say("Step {}: {}", ask.step(step), ask.step_took(step)), parts)
        budget = ask.budget(step)
        if budget.value is not None:
            facts += (say("budget: {} tokens", budget),)
        return StepTokens((*((t, 1, False) for t in decoded), *((t, n, True) for t, n in prefilled)), facts)

    def inside(self, prompt: Prompt, shown: tuple[StepTokens, ...]) -> Section:
        """What the prompt's step computed, below the steps shown before it."""
        ask, step, budget = self.ask, prompt.steps[0], self.ask.budget(prompt.steps[0])
        columns = min(COLUMNS, max(8, self.computed(self.chunked.steps[0])))
        title = "What a step computes: bright cells are decoded tokens, dim ones a prompt's"

        def show(n: int, caption: str | None) -> None:
            self.teller.add(ShowSteps(self.at, caption, title, shown, columns, n))

        self.begin(self.steps.seq(self.told))
        if prompt is self.both[1]:
            show(len(shown) - 1, None)
        elif len(shown) > 1:
            plain = sure(self.plain_step(step))
            n = ask.decoded(plain)
            show(1, say("Step {} only decodes: {} {}.", ask.step(plain), n, plural(n, "token")))
        name = ask.name(prompt.task)
        text = say("A chunk of {}'s prompt takes less time than all of it.", name)
        if prompt.whole:
            all_of = ask.total(ask.prefilled(step), ask.decoded(step))
            text = say("Step {} computes {} tokens, and everyone waits for all of them.", ask.step(step), all_of)
        elif budget.value:
            text = "With a budget of {} tokens, decoding goes first and a chunk of {}'s prompt fills the rest."
            text = say(text, budget, name)
        show(len(shown), text)
        self.say(None, 0.5)
        key = "whole" if prompt.whole else "chunked"
        return self.section(f"steps-{key}", "Inside a step", 1, (), ())

    def computed(self, step: int) -> int:
        """Tokens that a step computed."""
        return len(self.history.decoded(step)) + sum(count for _, count in self.history.prefilled(step))

    def compare(self) -> Section:
        ask, sides = self.ask, (self.whole, self.chunked)
        waits = [ask.longest_wait(side.steps[0], side.steps[-1]) for side in sides]
        first = [ask.ttft(side.task) for side in sides]
        rows = tuple(
            Versus(label, (say("{}", a), say("{}", b)), (a.value, b.value))
            for label, (a, b) in (
                ("Longest wait of a decoding request for its next token", waits),
                ("Time from arrival to the long prompt's own first token", first),
                ("Steps that computed the prompt", [ask.prompt_steps(side.task) for side in sides]),
            )
        )
        text = "In chunks, the others' longest wait was not shorter in this run."
        if waits[0].value > waits[1].value:
            text = say("In chunks, the others' longest wait is {} times shorter.", ask.ratio(waits[0], waits[1]))
        whole, chunked = ask.names([side.task for side in sides])
        more = first[1].value > first[0].value
        change = ask.ratio(ask.less(*(reversed(first) if more else first)), first[0], "share")
        own = say("{}'s own first token comes {} sooner than {}'s.", chunked, change, whole)
        if more:
            own = say("The price: {}'s own first token takes {} longer than {}'s.", chunked, change, whole)
        title = "Measured in this run" if self.trace.header.clock == "real" else "By the run's cost model"
        left, right = (
            joined(": ", (ask.name(side.task), say("{} {}", ask.prompt_tokens(side.task), how)))
            for side, how in zip(sides, ("whole", "in chunks"), strict=True)
        )
        self.begin(self.end)
        self.teller.add(ShowVersus(self.end, text, title, (left, right), rows, (self.whole.task, self.chunked.task)))
        self.say(own, 0.5)
        return self.section("compare", "Whole, and in chunks", stage=(), props=(), stays=True)


class ChunkedPrefill(FilmScene):
    """Recorded times between tokens while a long prompt is computed, whole and in chunks."""

    default_trace = "chunked_prefill.jsonl.gz"
    summary = "Times between tokens while a long prompt is prefilled, whole and in chunks."
    chapters = ChunkedPrefillChapters
