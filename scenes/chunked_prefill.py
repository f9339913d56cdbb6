"""The film `ChunkedPrefill`: a long prompt whole, and in chunks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, measure, say
from scenes.parts.batch import Batch
from scenes.parts.clock import Clock, Timeline
from scenes.parts.lanes import Lanes, Wait
from scenes.parts.part import Part
from scenes.stage.shot import Act, Section
from scenes.stage.stage import OVER_MOTION
from scenes.stage.telling import Telling
from scenes.story.history.prompts import BESIDE, chosen, prompts
from scenes.story.history.sure import sure
from scenes.story.limits import reading_time, round_factor
from scenes.story.needs import Needs
from scenes.story.words import counted, listed, plural, possessive

SHORT = 10
"""Characters of a name up to which sentences say it."""
READERS, COLUMNS, MOST_CELLS = 3, 64, 1400
"""Most readers with a lane of their own, tokens of a step side by side, and tokens that it is shown with."""
LONGEST = 14.0
"""Seconds that the clock takes at most from one end to the other."""
LEAD, TAIL, ENOUGH = 0.4, 0.5, 1.15
"""What is shown before and after a prompt as a part of what it takes; and how much of the clock shows its price."""
AHEAD, HAIR = 0.8, 1e-4
"""Seconds of film by which a sentence stands before its prompt comes; how long before the freeze ends its tokens are
counted, as a part of the clock."""
TURN = 0.45
"""Seconds that a sentence takes to come and to go."""
Made = Callable[[Timeline], Part]
"""A part for where the clock stands."""


@dataclass(frozen=True)
class Stretch:
    """A part of the run, laid on the clock so that `zero`, in ns of the run, is its 0.

    What is shown of it is from `since` to `until`, ns since that; `core` after it, what it is about is over.
    `steps` are the first and the last of it.
    """

    zero: int
    since: int
    until: int
    core: int = 0
    steps: tuple[int, int] = (0, 0)


class ChunkedPrefillTelling(Telling):
    """Two long prompts beside decoding requests, whole and in chunks, on one clock that runs at one speed."""

    phases = False

    needs = Needs({"tokens": "an event for every token", **BESIDE}, single="tells single tokens")

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.prompts = chosen(film, prompts(self.history))
        whole, chunked = self.prompts
        both = [name for name in whole.beside if name in chunked.beside]
        self.readers = tuple((both or whole.beside)[:READERS]), tuple((both or chunked.beside)[:READERS])
        self.waits = self.longest(0), self.longest(1)
        self.stretches = self.around(0), self.around(1)
        self.plain = self.without()
        core = max(stretch.core for stretch in self.stretches)
        start = -round(min(LEAD * core, max(-stretch.since for stretch in self.stretches)))
        end = round(core * (1 + TAIL))
        names = tuple(dict.fromkeys((*self.readers[0], *self.readers[1], whole.task, chunked.task)))
        self.time = Timeline(start, end, start, None, names)
        self.factor = round_factor(LONGEST * 1e9 / (end - start))
        self.ahead = max(start, -round(AHEAD * 1e9 / self.factor))
        self.stop = end
        self.works = [self.work(side, len(chunked.steps)) for side in (0, 1)]

    # what the run has

    def step_ns(self, step: int, end: bool = False) -> int:
        """When a step began, or ended, in ns of the run."""
        return int(self.trace[int((self.steps.end if end else self.steps.begin)[step])].ns)

    def longest(self, side: int) -> Measure:
        """The longest wait of one of the readers for a token that came in the prompt's steps."""
        _, begin, end, _ = self.waited(side)
        steps = self.prompts[side].steps
        args = {"tasks": self.readers[side], "first": steps[0], "last": steps[-1]}
        return measure("wait.among", end - begin, "time", **args)

    def waited(self, side: int) -> tuple[str, int, int, int]:
        """Who waited so long, from when and until when, in ns of the run, and for which step's token."""
        first, last = self.prompts[side].steps[0], self.prompts[side].steps[-1]
        found = []
        for task in self.readers[side]:
            tokens = self.requests[task].tokens
            ended = np.flatnonzero((tokens.step[1:] >= first) & (tokens.step[1:] <= last))
            found += [(task, int(tokens.ns[i]), int(tokens.ns[i + 1]), int(tokens.step[i + 1])) for i in ended]
        return max(found, key=lambda wait: wait[2] - wait[1])

    def span(self, side: int) -> tuple[int, int]:
        """When that was, in ns since the clock's 0."""
        _, begin, end, _ = self.waited(side)
        return begin - self.stretches[side].zero, end - self.stretches[side].zero

    def around(self, side: int) -> Stretch:
        """From the last prompt before this one, or the run's beginning, to the next, or the run's end."""
        prompt, phases = self.prompts[side], self.steps.phases
        zero, busy = self.step_ns(prompt.steps[0]), [i for i in range(len(self.steps)) if self.history.prefilled(i)]
        before = [self.steps.row("prefill", step) for step in busy if step < prompt.steps[0]]
        after = [self.step_ns(step) for step in busy if step > prompt.steps[-1]]
        since = int(phases.ended[sure(before[-1])]) if before else 0
        until = after[0] if after else self.step_ns(len(self.steps) - 1, True)
        core = max(int(self.requests[prompt.task].tokens.ns[0]), self.waited(side)[2])
        return Stretch(zero, since - zero, max(until, core) - zero, core - zero)

    def without(self) -> Stretch | None:
        """The most steps in a row without a prompt that all gave the first reader a token; None for fewer than two."""
        best, begin = range(0), 0
        for step in range(len(self.steps) + 1):
            quiet = step < len(self.steps) and not self.history.prefilled(step)
            if not quiet or self.readers[0][0] not in self.history.decoded(step):
                best, begin = max(best, range(begin, step), key=len), step + 1
        if len(best) < 2:
            return None
        return Stretch(zero := self.step_ns(best[0]), 0, self.step_ns(best[-1], True) - zero, steps=(best[0], best[-1]))

    @cached_property
    def usual(self) -> int | None:
        """The step before the whole prompt that is the median of those that only decoded; None where none did."""
        before = range(self.prompts[0].steps[0])
        quiet = [step for step in before if self.history.decoded(step) and not self.history.prefilled(step)]
        return sorted(quiet, key=self.steps.ns.__getitem__)[len(quiet) // 2] if quiet else None

    def work(self, side: int, n: int) -> Measure | None:
        """Time from a prompt's beginning until it has its first token and each reader `n` more; None
        where the run has no such moment before it ends or the next prompt begins."""
        task, zero, readers = self.prompts[side].task, self.stretches[side].zero, self.readers[side]
        ends = [int(self.requests[task].tokens.ns[0]) - zero]
        for reader in readers:
            got = self.requests[reader].tokens.ns - zero
            if len(got := got[got > 0]) < n:
                return None
            ends.append(int(got[n - 1]))
        took = measure("work.took", max(ends), "time", task=task, readers=readers, tokens=n)
        return took if max(ends) <= self.stretches[side].until else None

    def count(self, side: int, until: int) -> Measure:
        """Tokens that the first reader got from the clock's 0 to `until`."""
        task, zero = self.readers[side][0], self.stretches[side].zero
        got = self.requests[task].tokens.ns - zero
        n = int(np.count_nonzero((got > 0) & (got <= until)))
        return measure("lane.tokens", n, task=task, after=zero, until=zero + until)

    # what is shown

    def lanes(self, side: int, time: Timeline, readers: int = READERS, **options: Any) -> Lanes:
        """The stretch of the whole prompt (0), or of that in chunks (1), with so many readers."""
        stretch, task, names = self.stretches[side], self.prompts[side].task, self.readers[side][:readers]
        (whose, *_), (begin, end), ask = self.waited(side), self.span(side), self.ask
        title = say("{} prompt tokens, whole", ask.prompt_tokens(task))
        if side:
            title = say("{} prompt tokens, in {} chunks", ask.prompt_tokens(task), ask.prompt_passes(task))
        wait = Wait(begin, end, self.waits[side], round(0.25 * (end - begin)), "no token until the end")
        shown = Lanes(time, title, stretch.zero, stretch.since, stretch.until, names, task)
        return replace(shown, name=("whole", "chunks")[side], **{"wait": wait if whose in names else None, **options})

    def priced(self, side: int, time: Timeline, work: Measure | None = None, told: bool = True) -> Lanes:
        """The same with one reader, and the time to the prompt's own first token, or that of its `work`, if `told`."""
        if work is None:
            life, zero = self.requests[self.prompts[side].task], self.stretches[side].zero
            began, came, took = life.arrived_ns - zero, int(life.tokens.ns[0]) - zero, self.ask.ttft(life.name)
            first = Wait(began, came, took, words="own first token")
        else:
            each = counted(self.ask.prompt_passes(self.prompts[1].task), "token")
            first = Wait(0, int(work.value), work, words=say("prompt, and {} each,", each) if told else "")
        return self.lanes(side, time, 1, wait=None, first=first)

    def plain_lane(self, time: Timeline) -> Lanes:
        """The stretch without a prompt, for the first reader."""
        plain = sure(self.plain)
        title = say("no prompt: steps {}–{}", *map(self.ask.step, plain.steps))
        return Lanes(time, title, plain.zero, 0, plain.until, self.readers[0][:1], name="none")

    def clock(self, time: Timeline) -> Clock:
        """The axis, with the one speed at which it runs."""
        seconds, slower = (time.end - time.start) / 1e9 * self.factor, self.factor >= 1
        args = {"ns": time.end - time.start, "seconds": seconds, "slower": slower}
        value = measure("clock.factor", round(self.factor if slower else 1 / self.factor, 6), "tick", **args)
        speed = say("{}× slower than the recording" if slower else "{}× faster than the recording", value)
        return Clock(time, f"time since {'each stretch' if time.counted else 'the prompt'} began", speed)

    def go(self, time: Timeline, to: int, *parts: Made, seconds: float | None = None) -> Act:
        """The clock runs on from where `time` stands, with `parts` above it, at the film's one speed."""
        later = time.to(to)
        spent = abs(to - time.now) / 1e9 * self.factor if seconds is None else seconds
        return replace(self.act(*(part(later) for part in (*parts, self.clock)), seconds=spent), running=True)

    # the story

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.alone()
        steps = self.prompts[0].steps[0], self.dearest()
        if max(map(self.computed, steps)) <= MOST_CELLS:
            yield self.inside(*steps)
        yield self.chunks()
        yield self.race()
        yield self.price()
        yield self.takeaway()

    def stood(self, now: int) -> Timeline:
        """The clock standing at `now`."""
        return replace(self.time, now=now)

    def after(self, text: str, since: int) -> int:
        """The moment by which `text`, which comes at `since`, has been read."""
        return since + round((reading_time(text) + TURN) * 1e9 / self.factor)

    def read(self, text: str, since: int, wanted: int) -> int:
        """The same, or the moment `wanted` if that is later, but before the clock's tail."""
        tail = self.time.end - round((self.time.end - self.time.start) * TAIL / (1 + LEAD + TAIL))
        return max(since, min(tail, max(wanted, self.after(text, since))))

    def whose(self, side: int) -> tuple[Said, Said]:
        """Whom the prompt holds up: as a subject with its verb, and as an object."""
        reader = self.reader(side)
        many = len(self.prompts[side].beside) > 1
        return (say("all others wait"), say("every reader")) if many else (say("{} waits", reader), reader)

    def reader(self, side: int) -> Said:
        """The first reader."""
        name = self.readers[side][0]
        return say("{}", self.ask.name(name)) if len(name) <= SHORT else say("the reader")

    def owner(self, side: int) -> Said:
        """Whose prompt it is, where the name leaves room for what is said of it."""
        task = self.prompts[side].task
        return possessive(self.ask.name(task)) if len(task) <= SHORT else say("the")

    def hook(self) -> Section:
        ask, (first, last), names = self.ask, self.span(0), self.readers[0]
        self.begin(self.end)
        every = say("every") if len(self.prompts[0].beside) > 1 else possessive(ask.name(names[0]))
        asked = say("Why did {} answer freeze for {}?", every, self.waits[0])
        question = self.question(asked)
        title = say(plural(names, "Tokens that reader {} gets", "Tokens that readers {} get"), listed(ask.names(names)))
        title = self.short(title, say("Tokens that the readers get"))
        self.stop = min(self.time.end, last + round(0.15 * (last - first)))
        time = self.stood(max(self.time.start, first - round(0.3 * (last - first))))
        lanes = partial(self.lanes, 0, title=title, prompt="")
        self.shot(None, self.go(time, self.stop, lambda at: question, lanes), subject=("whole",))
        return self.section("question", "Question", cut=True)

    def alone(self) -> Section:
        ask, task, (wait, _) = self.ask, self.prompts[0].task, self.whose(0)
        time, lanes, n = self.stood(self.stop), partial(self.lanes, 0), ask.prompt_tokens(task)
        text = say("{} came with {} tokens: one step, and {}.", ask.name(task), n, wait)
        text = self.short(text, say("The prompt, {} tokens, took one step: {}.", n, wait))
        self.shot(text, self.act(lanes(time), self.clock(time)), subject=("whole",))
        text = say("{} without a token", self.waits[0])
        if self.usual is not None:
            of = text, ask.ratio(self.waits[0], usual := ask.step_took(self.usual)), usual
            told = say("{}: {} times the usual step of {}.", *of), say("{}: {} times {}.", *of)
            text = self.short(*(one for one in told if self.after(one, self.stop) <= self.time.end), text)
        end = min(self.time.end, max(self.after(text, self.stop), self.stretches[0].until))
        self.shot(text, self.go(time, end, lanes), subject=("whole", "wait"))
        return self.section("whole", "A long prompt, whole")

    def dearest(self) -> int:
        """The step with a chunk that the readers waited longest for, as the film tells; else that with the first."""
        step, steps = self.waited(1)[3], self.prompts[1].steps
        return step if step in steps else steps[0]

    def computed(self, step: int) -> int:
        """Tokens that a step computed."""
        return len(self.history.decoded(step)) + sum(count for _, count in self.history.prefilled(step))

    def inside(self, whole: int, chunk: int) -> Section:
        """What a usual step, that with the `whole` prompt and that with a `chunk` computed."""
        ask = self.ask
        columns = max(8, min(COLUMNS, self.computed(chunk)))
        steps = [whole, chunk] if self.usual is None else [self.usual, whole, chunk]
        rows = [[Batch(s, columns, done, name=f"step-{s}") for done in (False, True)] for s in steps]
        budget, n = ask.budget(chunk), ask.prompt_tokens(self.prompts[0].task)
        filled = [[row[k < i] for k, row in enumerate(rows[:-1])] for i in range(len(rows))]
        text = say("A step gives {} one token.", self.whose(0)[1])
        self.shot(text, *(self.act(*shown) for shown in filled[:-1]), subject=(f"step-{steps[0]}",))
        text = say("{} {} tokens are one step: {} for it.", self.owner(0), n, self.whose(0)[0]).capitalised()
        self.shot(text, self.act(*filled[-1]), subject=(f"step-{whole}",))
        text = say("A prompt can come in parts, a step for each.")
        text = text if budget.value is None else say("The server can limit a step: here to {} tokens.", budget)
        done = [row[1] for row in rows]
        self.shot(text, self.act(*done[:-1], rows[-1][0]), self.act(*done), subject=(f"step-{chunk}",), rest=1.6)
        return self.section("inside", "Inside a step")

    def chunks(self) -> Section:
        ask, task, over = self.ask, self.prompts[1].task, self.span(1)[1]
        name, first, n = self.owner(1), self.prompts[1].steps[0], ask.prompt_tokens(task)
        above = self.lanes(0, self.stood(self.time.end)).unlit()
        parts: tuple[Made, ...] = (lambda at: above, partial(self.lanes, 1))
        text = say("Then {} comes with {} tokens: they come in parts.", ask.name(task), n)
        text = self.short(text, say("{} {} tokens come in parts.", name, n).capitalised())
        ahead = self.read(text, self.time.start, self.ahead)
        self.shot(text, self.go(self.time, ahead, *parts), subject=("chunks",))
        text = say("A step: {} of {} prompt, a token for {}.", ask.prefilled_of(task, first), name, self.whose(1)[1])
        over = self.read(text, ahead, over)
        self.shot(text, self.go(self.stood(ahead), over, *parts), subject=("chunks",))
        whole, longest = self.waits
        told = say("Longest wait: {}, no shorter here.", longest)
        if longest.value < whole.value:
            told = say("Longest wait: {}, {} times shorter.", longest, self.ask.ratio(whole, longest))
        self.shot(told, self.go(self.stood(over), self.time.end, *parts), subject=("chunks", "wait"), rest=1.0)
        return self.section("chunks", "In chunks", cut=True)

    def race(self) -> Section:
        """Tokens of the first reader, until one of both stretches ends: it would count no more."""
        freeze, until = max(1, self.span(0)[1] - round(HAIR * self.time.end)), min(s.until for s in self.stretches)
        alone = "With no prompt, {} gets one token a step." if self.plain else "How many tokens does {} get meanwhile?"
        text = say(alone, self.reader(0))
        chunked, whole = self.count(1, freeze), self.count(0, freeze)
        told = say("By its end: {} in chunks, {} whole", chunked, whole)
        told = told if whole.value else say("In the freeze chunks give {}", counted(chunked, "token"))
        over = self.read(text, 0, freeze - round(AHEAD * 1e9 / self.factor))
        then = say("{}; then whole overtakes.", told)
        end = min(self.time.end, max(over + round(reading_time(then) / OVER_MOTION * 1e9 / self.factor), until))
        told = then if self.count(0, end).value > self.count(1, end).value else say("{}.", told)
        time = replace(self.time, start=0, now=0, end=end, counted=True)
        parts: list[Made] = [partial(self.lanes, 0, readers=1), partial(self.lanes, 1, readers=1, wait=None)]
        parts = [self.plain_lane, *parts] if self.plain is not None else parts
        self.shot(text, self.go(time, over, *parts), subject=("chunks",))
        self.shot(told, self.go(replace(time, now=over), end, *parts), subject=("chunks", "count"))
        return self.section("race", "One reader, one clock", cut=True)

    def price(self) -> Section:
        ask, works = self.ask, [*filter(None, self.works)]
        whole, chunked = (ask.ttft(prompt.task) for prompt in self.prompts)
        parts = [partial(self.priced, side) for side in (0, 1)]
        text = say("{} first token comes when its prompt is computed.", self.owner(0)).capitalised()
        over = self.read(text, 0, self.span(0)[1])
        own = say("its") if len(self.prompts[1].task) > SHORT else self.owner(1)
        later = say("{} own first token comes no later.", own).capitalised()
        if chunked.value > whole.value:
            later = say("The price: {} own first token comes later.", own)
        end = max(round(self.time.end * ENOUGH / (1 + TAIL)), self.after(later, over))
        end = max([min(self.time.end, end), *(int(work.value) for work in works)])
        time = replace(self.time, start=0, now=0, end=end)
        self.shot(text, self.go(time, over, *parts), subject=("whole", "first"))
        self.shot(later, self.go(replace(time, now=over), end, *parts), subject=("chunks", "first"))
        if len(works) == len(parts):
            (first, second), at = works, replace(time, now=end)
            text = "The same work takes as long." if second.value == first.value else "The same work takes less time."
            text = "Throughput falls: the same work takes longer." if second.value > first.value else text
            still = [[self.priced(i, at, work, told) for i, work in enumerate(works)] for told in (False, True)]
            acts = [self.act(*lanes, self.clock(at), seconds=s) for lanes, s in zip(still, (2.8, 0.3), strict=True)]
            self.shot(text, *acts, subject=("chunks", "first"))
        return self.section("price", "What it costs", cut=True)

    def cost(self) -> Said | None:
        """What chunks cost: time of the same work, or else time to the prompt's own first token."""
        ask, (first, second) = self.ask, self.works
        if first and second and second.value > first.value:
            more = ask.less(second, first)
            change = ask.ratio(more, first, "percent" if more.value < first.value / 10 else "share")
            return say("{} longer for the same work", change)
        whole, chunked = (ask.ttft(prompt.task) for prompt in self.prompts)
        later = say("the prompt's first token after {}, not {}", chunked, whole)
        return later if chunked.value > whole.value else None

    def takeaway(self) -> Section:
        whole, longest = self.waits
        text, number = say("Chunks share a long prompt's wait."), say("{}", longest)
        unit = say("no shorter than with the whole prompt")
        if longest.value < whole.value:
            text = say("An answer freezes for a step; chunks keep steps short.")
            number, unit = say("{}×", self.ask.ratio(whole, longest)), say("shorter freeze: {}, not {}", longest, whole)
        unit = say("{}. The price: {}", unit, cost) if (cost := self.cost()) else unit
        last = self.stood(self.time.end)
        parts = [self.lanes(side, last, tasks=self.waited(side)[:1]).unlit() for side in (0, 1)]
        return replace(self.ending("Takeaway", text, number, unit, *parts), cut=True)

    def measures(self) -> dict[str, Measure]:
        ask, (whole, chunked) = self.ask, (prompt.task for prompt in self.prompts)
        found = {"prompt": ask.prompt_tokens(whole), "chunks": ask.prompt_passes(chunked), "own": ask.ttft(chunked)}
        return {**found, "wait": self.waits[0], "longest": self.waits[1], "reader": ask.name(self.readers[0][0])}


class ChunkedPrefill(FilmScene):
    """Tokens of three readers over time while a long prompt is computed, whole and in chunks."""

    default_trace = "chunked_prefill.jsonl.gz"
    chapters = ChunkedPrefillTelling
