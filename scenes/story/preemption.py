"""Storyboard of the film `Preemption`: no page is left, one request waits, nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from astrai_sim.trace import Event, Trace
from scenes.story.beats import Fact, RunCode, Section, ShowFacts, Storyboard
from scenes.story.chapters import ASIDE, CODE, MORE, WORDS, Chapters, counted, listed, pages_text, subject
from scenes.story.figures import RunFigures, ms_text
from scenes.story.source import open_code, steps_of, value_text

FILM = "Preemption"
MAKE_ROOM = "InferenceScheduler._make_room"


def tell(trace: Trace) -> Storyboard:
    """The chapters that this trace has events for, in order.

    Raises DoesNotApply for a pool too large to show page by page, and for a trace in
    which no request was preempted.
    """
    preempted = subject(
        FILM,
        trace,
        "task_preempted",
        "a request that was preempted: record a scenario whose requests outgrow the pool together",
    )
    return Storyboard(FILM, tuple(_Chapters(trace, preempted).sections()))


class _Chapters(Chapters):
    def __init__(self, trace: Trace, preempted: Event) -> None:
        super().__init__(trace, {})
        if not trace.header.scenario.cache.prefix_caching:
            self.stage = ("pool", "mask", "tables", "queue", "meters")
        self.preempted = preempted
        self.victim: str = preempted.task
        self.step = self.step_start(preempted.seq)
        self.stored: int = trace.state_at(preempted.seq - 1).tasks[preempted.task].kv_len
        self.again = next(trace.find(event="task_admitted", task=self.victim, after=preempted.seq), None)
        self.finished = next(trace.find(event="task_finished", task=self.victim, after=preempted.seq), None)

    def sections(self):
        """All chapters; each starts where the one before ended."""
        yield self.full()
        yield self.out()
        if self.again is not None:
            yield self.goes_on()
            yield self.recompute()
            if self.finished is not None:
                yield self.finish()
        yield self.summary()

    def full(self) -> Section:
        self.teller.begin(-1)
        for event in self.trace.find(event="phase_end", before=self.step + 1):
            if event.phase == "refill" and event.tasks:
                self.admit(event)
        late = [t for t in self.trace.state_at(self.step).waiting if self.submitted[t].seq > self.teller.last]
        if late:
            self.wait(late[0])
        self.advance(
            self.step,
            "They decode and grow, a page at a time, until none is free."
            if not self.trace.state_at(self.step).n_free
            else "They decode and grow, a page at a time.",
            3.5,
        )
        state = self.state()
        self.say(f"{state.n_in_use} of {self.pool.n_pages} pages are in use, {state.n_free} free.", 0.3, detail=WORDS)
        return self.section("full", "The pool fills", -1, detail=MORE)

    def admit(self, refill: Event) -> None:
        """A refill that admitted requests, and the prefill that follows."""
        tables = self.trace.state_at(refill.seq).tables
        pages = [len(tables[task]) for task in refill.tasks]
        first = f"{listed(refill.tasks)} {'is' if len(pages) == 1 else 'are'} admitted"
        caption = f"{first}, to {listed([counted(n, 'page') for n in pages], 3)}."
        self.advance(refill.seq, caption, 1.0)
        self.advance(self.phase_end("prefill", refill.seq), seconds=1.4)

    def wait(self, task: str) -> None:
        """A request that cannot be admitted."""
        seq = self.submitted[task].seq
        tried = next((e.seq for e in self.trace.find(event="phase_end", after=seq) if e.phase == "refill"), seq)
        free = self.trace.state_at(tried).n_free + self.trace.state_at(tried).n_cached
        needed = -(-self.prompt_len(task) // self.size)
        if needed > free:
            self.advance(
                tried,
                f"{task} needs {counted(needed, 'page')} and {free} {'is' if free == 1 else 'are'} left: it waits.",
                0.8,
            )
        else:
            self.advance(tried, f"{task} waits.", 0.8)

    def out(self) -> Section:
        start = self.teller.last
        self.teller.begin(start)
        seq, victim = self.preempted.seq, self.victim
        lines = self.lines()
        before = seq - 1 if lines is None else lines.seq - 1
        grower = self.grower(lines)
        if grower is not None:
            tokens = self.trace.state_at(before).tasks[grower].n_tokens
            need = (
                f"{grower}'s token {tokens} needs a slot in a new page, and no page is free."
                if grower != victim
                else f"{victim} needs a new page for its token {tokens}, and no page is free."
            )
            self.advance(before, need, 1.0)
        if lines is not None:
            after = self.run_lines(lines)
        freed = next(self.trace.find(event="table", task=victim, after=seq)).seq
        self.advance(
            freed,
            f"{victim} has to go: it was admitted last. Its {pages_text(self.preempted.pages)} return to the pool.",
            1.4,
        )
        if lines is not None:
            self.teller.add(replace(after, until=freed))
        self.queued()
        taken = next(
            (e for e in self.trace.find(event="table", after=freed, before=self.phase_end("decode", seq))), None
        )
        if taken is not None and taken.pages and taken.task == grower:
            self.advance(taken.seq, f"{grower} takes page {taken.pages[-1]} and decodes on.", 0.9)
        self.advance(self.phase_end("decode", seq), seconds=0.8)
        return self.section("out", "Memory runs out in decode", start)

    def queued(self) -> None:
        """Where the preempted request waits, and what it keeps."""
        queue = self.state().waiting
        if len(queue) > 1:
            self.say(f"{self.victim} goes to the front of the queue, before {listed(queue[1:])}.", 0.3)
        self.say(f"Its {self.preempted.tokens} tokens are kept; the K and V of {self.stored} are gone.", 0.3)

    def lines(self) -> Event | None:
        """The recorded lines of the call that preempted."""
        found = [
            e
            for e in self.trace.find(event="lines", after=self.step, before=self.preempted.seq)
            if e.function == MAKE_ROOM
        ]
        return found[-1] if found else None

    def grower(self, lines: Event | None) -> str | None:
        """Who needed the page."""
        if lines is not None:
            return lines.args["task"]
        taken = next(self.trace.find(event="pages_alloc", after=self.preempted.seq), None)
        return taken.task if taken is not None and taken.phase == "decode" else None

    def run_lines(self, lines: Event) -> RunCode:
        """Step through `lines` to the call that preempts, with the values that it finds.

        Returns the beat that shows what the call leaves.
        """
        steps = steps_of(self.trace, lines)
        last = next(
            (i for i, step in enumerate(steps) if any(name == "running" for name, _ in step.values)), len(steps) - 1
        )
        at = self.teller.last
        code = open_code(self.trace, MAKE_ROOM, at, detail=CODE)
        raised = next(
            (i for i, step in enumerate(steps[:last]) if code.lines[step.line][0].lstrip().startswith("except")), last
        )
        self.teller.add(code)
        self.teller.add(RunCode(at, steps=steps[:raised], pace=0.9, detail=CODE))
        self.teller.add(
            RunCode(at, "grow found no page: it raised OutOfPages.", steps=steps[raised:last], pace=0.9, detail=CODE)
        )
        running = self.running(lines)
        found = (("running", value_text("running", running, self.pool.n_pages)),)
        self.teller.add(
            RunCode(
                at,
                f"running[-1] is {running[-1]}: it was admitted last.",
                steps=(replace(steps[last], values=found),),
                pace=1.2,
                detail=CODE,
            )
        )
        self.teller.panel = MAKE_ROOM
        return RunCode(at, steps=steps[last : last + 1], pace=0.3, detail=CODE)

    def running(self, lines: Event) -> list[str]:
        """The scheduler's running requests when the call recorded in `lines` began."""
        begin = self.trace[self.step + 1]
        admitted = [e.task for e in self.trace.find(event="task_admitted", after=begin.seq, before=lines.seq)]
        tasks = self.trace.state_at(lines.seq).tasks
        return [t for t in (*begin.running, *admitted) if tasks[t].status == "running"]

    def goes_on(self) -> Section:
        start = self.teller.last
        self.teller.begin(start)
        until = max(start, self.step_start(self.again.seq))
        before, after = (self.trace.state_at(seq).tables for seq in (start, until))
        others = [task for task in self.submitted if task in before and task in after]
        needed = -(-self.preempted.tokens // self.size)
        free = self.state().n_free
        going = f"{listed(others)} {'decodes' if len(others) == 1 else 'decode'} on. "
        waits = f"{self.victim} waits for {counted(needed, 'page')}; {free} {'is' if free == 1 else 'are'} free."
        self.advance(until, going + waits if others else waits, 3.5)
        gone = self.phase_end("cleanup", until)
        if gone < self.again.seq:
            event = self.trace[gone]
            self.advance(
                gone, f"{listed(event.tasks)} {'is' if len(event.tasks) == 1 else 'are'} done: pages return.", 1.2
            )
        title = f"{self.victim} waits, the others go on"
        return self.section("waits", title, start, detail=ASIDE)

    def recompute(self) -> Section:
        start = self.teller.last
        task = self.victim
        self.teller.begin(start)
        self.advance(self.again.seq, f"First in the queue: {task} is admitted again.", 1.2)
        done = next(self.trace.find(event="task_prefilled", task=task, after=self.again.seq), None)
        if done is not None:
            n = done.end - self.again.cached_tokens
            twice = max(0, self.stored - self.again.cached_tokens)
            end = self.prefill_end(task, self.again.seq)
            self.advance(
                end, f"All {n} tokens of {task} go through the model, {twice} of them for the second time.", 2.5
            )
            token = next(self.trace.find(event="tokens", task=task, after=done.seq))
            self.say(f"The prefill gives its next token, number {token.position + 1}.", 0.3)
        return self.section("again", f"{task} is computed again", start)

    def finish(self) -> Section:
        start = self.teller.last
        task = self.victim
        self.teller.begin(start)
        self.advance(self.finished.seq, f"{task} decodes on where it stopped.", 3.5)
        done = self.finished
        before = self.preempted.tokens - self.prompt_len(task)
        most = self.submitted[task].max_tokens
        self.panel(
            ShowFacts(
                self.teller.last,
                f"{task} finishes, and no token was lost.",
                f"What {task} generated",
                (
                    Fact(str(before), "tokens before it was preempted"),
                    Fact(str(done.generated - before), "tokens after it came back"),
                    Fact(str(done.generated), f"tokens in the end, of at most {most}"),
                ),
            ),
            seconds=1.5,
            close=False,
        )
        return self.section("finish", f"{task} finishes", start, detail=MORE)

    def summary(self) -> Section:
        run = RunFigures.of(self.trace)
        facts = [
            Fact(str(run.requests), f"requests, {run.finished} finished"),
            Fact(str(run.preemptions), "preempted" if run.preemptions != 1 else "preemption"),
            Fact(str(self.recomputed()), "tokens computed again"),
            Fact(str(self.lost()), "generated tokens lost"),
            Fact(f"{run.peak_pages}/{self.pool.n_pages}", "pages in use at the peak"),
        ]
        if self.again is not None:
            end = self.trace[self.prefill_end(self.victim, self.again.seq)]
            if end.event == "phase_end":
                begin = self.phase_begin(end.seq)
                writes = self.trace.find(event="kv_write", after=begin, before=end.seq)
                n = sum(span.count for write in writes for span in write.spans)
                facts.append(
                    Fact(
                        ms_text(end.duration_ns / 1e6), f"for one prefill of {listed(end.tasks)}: {counted(n, 'token')}"
                    )
                )
        return self.figures(facts)

    def recomputed(self) -> int:
        """Tokens whose K and V were computed once more after a preemption."""
        total = 0
        before: dict[str, int] = {}
        for event in self.trace:
            if event.event == "task_preempted":
                held = self.trace.state_at(event.seq - 1).tasks[event.task].kv_len
                before[event.task] = max(before.get(event.task, 0), held)
            elif event.event == "kv_write":
                for span in event.spans:
                    known = before.get(span.task, 0)
                    total += max(0, min(known, span.start + span.count) - span.start)
        return total

    def lost(self) -> int:
        """Generated tokens that a finished request should have and has not."""
        made: dict[str, list[int]] = {}
        for event in self.trace.find(event="tokens"):
            made.setdefault(event.task, []).append(event.index)
        return sum(
            event.generated - len(set(made.get(event.task, []))) for event in self.trace.find(event="task_finished")
        )
