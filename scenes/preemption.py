"""The film `Preemption`: memory runs out in decode, one request waits, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Lines, PhaseEnd, StepBegin, TaskAdmitted, TaskFinished, TaskPreempted
from scenes.film.scene import FilmScene
from scenes.measures import say
from scenes.story.beats import RunCode, Section, ShowFacts
from scenes.story.chapters import ASIDE, CODE, MORE, WORDS, Chapters, fact, requests_finished
from scenes.story.source import open_code, steps_of, value_text
from scenes.story.words import are, counted, listed, pages_text, plural

MAKE_ROOM = "InferenceScheduler._make_room"


class PreemptionChapters(Chapters):
    """How the first request that was preempted lost its pages, and what became of it."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        self.preempted = self.need(
            TaskPreempted, "a request that was preempted: record a scenario whose requests outgrow the pool together"
        )
        if not trace.header.scenario.cache.prefix_caching:
            self.stage = ("pool", "mask", "tables", "queue", "meters")
        self.victim: str = self.preempted.task
        self.name = self.ask.name(self.victim)
        self.step = self.steps.before(self.preempted.seq)
        self.life = self.requests[self.victim]
        self.again = self.life.admission(self.preempted.seq)

    def sections(self) -> Iterator[Section]:
        yield self.full()
        yield self.out()
        if self.again is not None:
            yield self.goes_on(self.again)
            yield self.recompute(self.again)
            if self.life.finished is not None:
                yield self.finish(self.life.finished)
        yield self.summary()

    def full(self) -> Section:
        ask, step = self.ask, self.step
        self.begin(-1)
        for refill in self.steps.ends("refill", -1, step + 1):
            self.admit(self.history.event(PhaseEnd, int(refill)))
        late = [task for task in ask.state(step).waiting if self.requests[task].submitted.seq > self.at]
        if late:
            self.wait(late[0])
        grow = "They decode and grow, a page at a time"
        self.advance(step, f"{grow}." if ask.pool_free(step).value else f"{grow}, until none is free.", 3.5)
        used, pages, free = ask.pool_in_use(step), ask.pool_pages(), ask.pool_free(step)
        self.say(say("{} of {} pages are in use, {} free.", used, pages, free), 0.3, detail=WORDS)
        return self.section("full", "The pool fills", detail=MORE)

    def admit(self, refill: PhaseEnd) -> None:
        """A refill that admitted requests, and the prefill that follows."""
        tasks = self.ask.names(refill.tasks)
        pages = [counted(self.ask.table_pages(task, refill.seq), "page") for task in refill.tasks or ()]
        self.advance(refill.seq, say("{} {} admitted, to {}.", listed(tasks), are(tasks), listed(pages, 3)))
        self.advance(self.steps.next_phase("prefill", refill.seq), seconds=1.4)

    def wait(self, task: str) -> None:
        """A request that cannot be admitted."""
        ask, name = self.ask, self.ask.name(task)
        submitted = self.requests[task].submitted.seq
        refills = self.steps.ends("refill", submitted, self.end + 1, worked=False)
        tried = int(refills[0]) if len(refills) else submitted
        needed, left = ask.needed(task, tried), ask.pool_available(tried)
        caption = say("{} waits.", name)
        if needed.value > left.value:
            caption = say("{} needs {} and {} {} left: it waits.", name, counted(needed, "page"), left, are(left))
        self.advance(tried, caption, 0.8)

    def out(self) -> Section:
        ask, name = self.ask, self.name
        self.begin()
        seq = self.preempted.seq
        lines = self.history.latest(Lines, seq, self.step, function=MAKE_ROOM)
        before = (seq if lines is None else lines.seq) - 1
        grower = self.grower(lines)
        if grower is not None:
            need = "{}'s token {} needs a slot in a new page, and no page is free."
            if grower == self.victim:
                need = "{} needs a new page for its token {}, and no page is free."
            self.advance(before, say(need, ask.name(grower), ask.tokens(grower, before)))
        left = None if lines is None else self.run_lines(lines)
        freed = self.life.empty_after(seq) or seq
        pages = pages_text(ask.pages(self.preempted.pages))
        self.advance(freed, say("{} has to go: it was admitted last. Its {} return to the pool.", name, pages), 1.4)
        if left is not None:
            self.teller.add(replace(left, until=freed))
        queue = ask.names(self.state().waiting)
        if len(queue) > 1:
            self.say(say("{} goes to the front of the queue, before {}.", name, listed(queue[1:])), 0.3)
        kept, gone = ask.tokens(self.victim, seq), ask.stored(self.victim, seq - 1)
        self.say(say("Its {} tokens are kept; the K and V of {} are gone.", kept, gone), 0.3)
        end, holds = self.steps.next_phase("decode", seq), self.pages.holds
        rows = self.pages.took(freed, end)
        if len(rows) and (taker := self.requests.names[holds.task[rows[0]]]) == grower:
            taken = say("{} takes page {} and decodes on.", ask.name(taker), ask.page(int(holds.page[rows[0]])))
            self.advance(int(holds.shown[rows[0]]), taken, 0.9)
        self.advance(end, seconds=0.8)
        return self.section("out", "Memory runs out in decode")

    def grower(self, lines: Lines | None) -> str | None:
        """Who needed the page."""
        if lines is not None:
            return lines.args["task"]
        rows = self.pages.took(self.preempted.seq, self.end + 1, "alloc")[:1]
        return self.requests.names[self.pages.holds.task[rows[0]]] if self.pages.holds.decode[rows].any() else None

    def run_lines(self, lines: Lines) -> RunCode:
        """Step through `lines` to the call that preempts, with the values that it finds.

        Returns the beat that shows what the call leaves.
        """
        at, steps = self.at, steps_of(self.trace, lines)
        finds = (i for i, step in enumerate(steps) if any(name == "running" for name, _ in step.values))
        last = next(finds, len(steps) - 1)
        code = open_code(self.trace, MAKE_ROOM, at, detail=CODE)
        caught = (i for i, step in enumerate(steps[:last]) if code.lines[step.line][0].lstrip().startswith("except"))
        raised = next(caught, last)
        running = self.running(lines)
        found = replace(steps[last], values=(("running", value_text("running", running, self.ask.n_pages)),))
        latest = say("{} is {}: it was admitted last.", self.ask.source("running[-1]"), self.ask.name(running[-1]))
        self.teller.add(code)
        for caption, played, pace in (
            (None, steps[:raised], 0.9),
            ("grow found no page: it raised OutOfPages.", steps[raised:last], 0.9),
            (latest, (found,), 1.2),
        ):
            self.teller.add(RunCode(at, caption, steps=played, pace=pace, detail=CODE))
        self.teller.panel = MAKE_ROOM
        return RunCode(at, steps=steps[last : last + 1], pace=0.3, detail=CODE)

    def running(self, lines: Lines) -> list[str]:
        """The scheduler's running requests when the call recorded in `lines` began."""
        begin = self.history.event(StepBegin, self.step + 1)
        admitted = [event.task for event in self.history.events(TaskAdmitted, begin.seq, lines.seq)]
        tasks = self.ask.state(lines.seq).tasks
        return [task for task in (*(begin.running or ()), *admitted) if tasks[task].status == "running"]

    def goes_on(self, again: TaskAdmitted) -> Section:
        ask = self.ask
        self.begin()
        until = max(self.start, self.steps.before(again.seq))
        before, after = (ask.state(seq).tables for seq in (self.start, until))
        others = ask.names([task for task in self.requests if task in before and task in after])
        needed, free = ask.needed(self.victim, self.start), ask.pool_free(self.start)
        waits = say("{} waits for {}; {} {} free.", self.name, counted(needed, "page"), free, are(free))
        going = say("{} {} on. {}", listed(others), plural(others, "decodes", "decode"), waits)
        self.advance(until, going if others else waits, 3.5)
        gone = self.steps.next_phase("cleanup", until)
        if gone < again.seq:
            done = ask.names(self.history.event(PhaseEnd, gone).tasks)
            self.advance(gone, say("{} {} done: pages return.", listed(done), are(done)), 1.2)
        return self.section("waits", say("{} waits, the others go on", self.name), detail=ASIDE)

    def recompute(self, again: TaskAdmitted) -> Section:
        ask, task, name = self.ask, self.victim, self.name
        self.begin()
        self.advance(again.seq, say("First in the queue: {} is admitted again.", name), 1.2)
        done = self.life.prefilled(again.seq)
        if done is not None:
            n, twice = ask.computed(task, done.seq), ask.again(task, done.seq)
            told = say("All {} tokens of {} go through the model, {} of them for the second time.", n, name, twice)
            self.advance(self.prefill_end(task, again.seq), told, 2.5)
            tokens = self.life.tokens.seq
            token = int(tokens[np.searchsorted(tokens, done.seq)])
            self.say(say("The prefill gives its next token, number {}.", ask.tokens(task, token)), 0.3)
        return self.section("again", say("{} is computed again", name))

    def finish(self, finished: TaskFinished) -> Section:
        ask, task, name = self.ask, self.victim, self.name
        self.begin()
        self.advance(finished.seq, say("{} decodes on where it stopped.", name), 3.5)
        before, whole = ask.answered(task, self.preempted.seq), ask.generated(task)
        facts = (
            fact("tokens before it was preempted", before),
            fact("tokens after it came back", ask.less(whole, before)),
            fact(say("tokens in the end, of at most {}", ask.max_tokens(task)), whole),
        )
        told = say("{} finishes, and no token was lost.", name)
        self.panel(ShowFacts(self.at, told, say("What {} generated", name), facts), seconds=1.5, close=False)
        return self.section("finish", say("{} finishes", name), detail=MORE)

    def summary(self) -> Section:
        ask = self.ask
        preemptions = ask.preemptions()
        facts = [
            requests_finished(ask),
            fact(plural(preemptions, "preemption", "preempted"), preemptions),
            fact("tokens computed again", ask.recomputed()),
            fact("generated tokens lost", ask.lost()),
            fact("pages in use at the peak", ask.most_in_use(), ask.pool_pages()),
        ]
        done = None if self.again is None else self.life.prefilled(self.again.seq)
        if done is not None:
            end = self.steps.next_phase("prefill", done.seq)
            tasks, tokens = ask.names(self.history.event(PhaseEnd, end).tasks), counted(ask.phase_tokens(end), "token")
            facts.append(fact(say("for one prefill of {}: {}", listed(tasks), tokens), ask.duration(end)))
        return self.figures(facts)


class Preemption(FilmScene):
    """Memory runs out in decode: who is preempted, what is computed again."""

    default_trace = "preemption.jsonl.gz"
    summary = "Memory runs out in decode: who is preempted, and what is computed again."
    chapters = PreemptionChapters
