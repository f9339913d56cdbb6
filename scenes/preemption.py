"""The film `Preemption`: memory runs out in decode, the newest request gives way, no token is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Lines, PagesAlloc, PhaseEnd, TaskAdmitted, TaskPreempted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, say
from scenes.parts.code import Code
from scenes.parts.free import Free
from scenes.parts.knock import Knock
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.question import Question, Takeaway
from scenes.parts.queue import Queue, in_memory
from scenes.parts.tape import Tape
from scenes.parts.view import View
from scenes.parts.waits import Waits
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.history.sure import sure
from scenes.story.words import are, counted, listed, pages_text, plural

MAKE_ROOM, PREEMPT = "InferenceScheduler._make_room", "_preempt("
ROWS = ((12, 3), (33, 2))
"""Tapes beside a pool of up to so many pages."""
ARRIVALS = 3


class PreemptionTelling(Telling):
    """How the request that stood still the longest was preempted, and what became of it."""

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.need_single_pages()
        self.need(
            TaskPreempted, "a request that was preempted: record a scenario whose requests outgrow the pool together"
        )
        out = max(self.history.events(TaskPreempted), key=self.cost)
        self.out, self.victim, self.seq = out, out.task, out.seq
        self.life, self.name = self.requests[out.task], self.ask.name(out.task)
        lines = self.history.latest(Lines, self.seq, self.steps.before(self.seq), function=MAKE_ROOM)
        self.lines = lines if lines is not None and lines.phase == "decode" else None
        self.full = (self.seq if self.lines is None else self.lines.seq) - 1
        self.freed = self.life.empty_after(self.seq) or self.seq
        self.decoded = self.steps.phase_end(self.freed)
        self.asks = self.asking()
        self.again, self.token = self.life.admission(self.seq), self.life.token_after(self.seq)
        self.running = in_memory(View(trace, self.state(self.full)))
        self.newest = self.running[-1:] == [self.victim]
        self.stood = None if self.token is None else self.ask.wait(self.victim, self.seq)
        most = next(rows for pages, rows in ROWS if self.ask.n_pages <= pages)
        named = [*dict.fromkeys((self.asks, self.victim, *self.running))]
        self.cast = tuple(task for task in self.running if task in named[:most])
        self.behind = self.waited()

    def cost(self, out: TaskPreempted) -> int:
        """Nanoseconds that a preempted request stood still; -1 where it never went on."""
        life = self.requests[out.task]
        token = life.token_after(out.seq)
        return -1 if token is None else life.wait(out.seq, token, 0)

    def asking(self) -> str:
        """The request whose token found no slot: the pages went to it, if not it gave way itself."""
        if self.lines is not None:
            return str(self.lines.args["task"])
        took = self.history.first(PagesAlloc, self.seq, self.decoded)
        last = self.history.latest(TaskPreempted, self.decoded)
        return sure((took or sure(last)).task)

    def waited(self) -> str | None:
        """Who waited behind it, without a token so far, and got its first one last; None where nobody did."""
        queue = self.state(self.freed).waiting
        ahead = queue[: queue.index(self.victim) + 1] if self.victim in queue else queue
        behind = [
            t
            for t in queue
            if t not in ahead and self.requests[t].generated and not self.state(self.seq).tasks[t].generated
        ]
        return max(behind, key=lambda task: self.ask.wait(task, self.seq).value, default=None)

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.fill()
        yield self.refuse()
        yield self.give_way()
        if self.again is not None and self.token is not None:
            yield self.stand(self.again)
            yield self.come_back(self.again, self.token)
        yield self.takeaway()

    def stage(
        self, queue: Queue | None = None, alarm: bool | tuple[int, ...] = False, **tape: object
    ) -> tuple[Part, ...]:
        """Tapes, the line of requests and the pool."""
        parts = Tape(self.cast, **tape), queue or Queue(), Free(alarm=alarm is True), Pool(bits=False, alarm=alarm)
        return parts

    # the parts of the story

    def hook(self) -> Section:
        self.begin(self.full)
        asked = (
            say("Why did {} stand still for {}?", self.name, self.stood)
            if self.stood
            else say("Why must {} stop?", self.name)
        )
        question = self.told("question", asked, **self.measures())
        acting = (self.tile(),)

        def parts(page: int | None, alarm: bool | tuple[int, ...]) -> tuple[Part, ...]:
            tape = Tape((self.asks,), acting)
            return Question(question), tape, Pool(bits=False, alarm=alarm), Knock(task=self.asks, page=page)

        self.shot(None, *self.knocks(parts, 1.8), subject=("pool",), rest=1.0)
        return self.section("hook", "Memory is full", cut=True)

    def knocks(self, parts: object, seconds: float) -> list[Act]:
        """The token goes from page to page, is refused by each, and comes back."""
        pages = range(self.ask.n_pages)
        hop = seconds / len(pages)
        acts = [self.act(*parts(None, False))]
        acts += [self.act(*parts(page, tuple(pages[: page + 1])), seconds=hop) for page in pages]
        return [*acts, self.act(*parts(None, True), seconds=0.6)]

    def fill(self) -> Section:
        """The requests come, until the last page is taken."""
        ask = self.ask
        self.begin(-1)
        admitted = [int(end) for end in self.steps.ends("refill", -1, self.full + 1)]
        for end in admitted[:ARRIVALS]:
            tasks = ask.names(sure(self.history.event(PhaseEnd, end).tasks))
            before = self.steps.before(end)
            acts = [self.lapse(*self.stage(), until=before, seconds=1.2)] if before > self.at + 1 else []
            acts.append(self.act(*self.stage(), until=end))
            done = min(self.steps.next_phase("prefill", end), self.full)
            acts.append(self.act(*self.stage(), until=done))
            free = ask.pool_free(end)
            left = say("{} {} left", counted(free, "page"), are(free))
            told = say("{} {} in: {}.", listed(tasks), plural(tasks, "comes", "come"), left)
            self.shot(told, *acts, subject=("pool",))
        told = say("They grow, token by token, until all {} pages are taken.", ask.pool_pages())
        self.shot(told, self.lapse(*self.stage(), until=self.full, seconds=4.0), subject=("pool",))
        return self.section("full", "The pool fills", MORE, cut=True)

    def refuse(self) -> Section:
        """The token is refused, and the newest request has to give way."""
        ask, name = self.ask, self.name
        self.begin()
        token = ask.tokens(self.asks, self.full)
        told = say("Token {} of {} needs a page, and every page is taken.", token, ask.name(self.asks))

        def parts(page: int | None, alarm: bool | tuple[int, ...]) -> tuple[Part, ...]:
            return *self.stage(alarm=alarm, acting=(self.tile(),)), Knock(task=self.asks, page=page)

        self.shot(told, *self.knocks(parts, 2.4), subject=("pool",), rest=0.6)
        if self.lines is not None:
            self.code(self.lines)
        tag = "last in" if self.newest else "chosen"
        marked = self.stage(Queue((self.victim,), ((self.victim, tag),)), True)
        why = say("{} came last, so it gives way: the others can finish.", name)
        self.shot(
            why if self.newest else say("{} has to give way.", name), self.act(*marked), subject=("queue", self.victim)
        )
        return self.section("refused", "No page is free")

    def code(self, lines: Lines) -> None:
        """The lines of the scheduler, up to the call that takes the pages."""
        called = self.ask.source("running[-1]")
        marked = Queue((self.victim,), ((self.victim, say("{}", called)),))

        def parts(code: Code) -> Sequence[Part]:
            tape = Tape(self.cast, (self.tile(),))
            return (
                (tape, marked, replace(code, values=(), fresh=0)) if PREEMPT in text_of(code) else (tape, Queue(), code)
            )

        acts = self.run(lines, lines.seq, parts)
        texts = [text_of(act.parts[-1]) for act in acts]
        end = next((i for i, text in enumerate(texts) if PREEMPT in text), len(acts) - 1) + 1
        caught = next((i for i, text in enumerate(texts) if text.startswith("except")), end)
        if caught:
            self.shot("grow finds no free page and raises OutOfPages.", *acts[:caught], subject=("code",))
        if caught < end:
            told = say("So {} has to go, the last admitted: {}.", called, self.name)
            self.shot(told, *acts[caught:end], subject=("code",))

    def give_way(self) -> Section:
        """Its numbers fall, its fills go hollow; its pages go to the one that asked."""
        ask, name = self.ask, self.name
        self.begin()
        lost = say("{} loses its pages; its {} stay known.", name, counted(ask.tokens(self.victim, self.seq), "token"))
        head = Queue((self.victim,), ((self.victim, "first in line"),))
        self.shot(lost, self.act(*self.stage(Queue((self.victim,))), until=self.freed), subject=("tape", self.victim))
        took = self.history.first(PagesAlloc, self.freed, self.decoded, task=self.asks)
        if took is not None:
            page = ask.page(took.pages[0])
            told = say("Page {} goes to {}, which writes over what {} left.", page, ask.name(self.asks), name)
            given = self.stage(head, acting=(self.tile(),))
            self.shot(
                told,
                self.act(*given, until=took.seq + 1),
                self.act(*given, until=self.decoded),
                subject=("pool", took.pages[0]),
            )
        return self.section("out", say("{} gives way", name))

    def stand(self, again: TaskAdmitted) -> Section:
        """It waits at the head of the line while the others go on."""
        ask, name = self.ask, self.name
        self.begin()
        head = Queue((self.victim,), ((self.victim, "first in line"),))
        parts = Tape(self.cast), head, self.waits()
        others = ask.names([task for task in self.running if task != self.victim and task in self.state().tables])
        going = say("{} {} on; {} stands still.", listed(others), plural(others, "decodes", "decode"), name)
        until = max(self.at, self.steps.before(again.seq))
        self.shot(
            going if others else say("{} stands still.", name),
            self.act(*parts),
            self.lapse(*parts, until=until, seconds=4.0),
            subject=("waits",),
        )
        return self.section("waits", say("{} waits", name), ASIDE)

    def waits(self) -> Waits:
        """Bars of those that wait, and what is usual."""
        tasks = [(self.victim, say("{} stands still", self.name))]
        if self.behind is not None:
            tasks.append((self.behind, say("{} waits behind it", self.ask.name(self.behind))))
        step = int(self.trace[self.seq].step)
        usual = self.ask.usual_wait(step) if step else None
        return Waits(self.seq, tuple(tasks), None if usual is None else ("usual, for a token", usual))

    def come_back(self, again: TaskAdmitted, token: int) -> Section:
        ask, name = self.ask, self.name
        self.begin()
        gone = self.steps.next_phase("cleanup", self.at)
        if gone < again.seq:
            done = ask.names(self.history.event(PhaseEnd, gone).tasks)
            free = ask.pool_free(gone)
            self.shot(
                say("{} {} done: {} {} free.", listed(done), are(done), counted(free, "page"), are(free)),
                self.act(*self.stage(), until=gone),
                subject=("pool",),
            )
        table = ask.pages(again.pages or ())
        back = self.stage(Queue((self.victim,)))
        self.shot(
            say("{} was first in line: it gets {}.", name, pages_text(table)),
            self.act(*back, until=again.seq),
            subject=("tape", self.victim),
        )
        done = self.life.prefilled(again.seq)
        if done is not None:
            n = ask.computed(self.victim, done.seq)
            self.shot(
                say("One sweep computes its {} tokens again.", n),
                self.act(*self.stage(), until=token),
                subject=("tape", self.victim),
            )
        self.at = max(self.at, token)
        if self.stood is not None:
            cost = say("{} stood still for {}.", name, self.stood)
            if self.behind is not None:
                cost = say(
                    "{} stood still for {}, {} waited for {}.",
                    name,
                    self.stood,
                    ask.name(self.behind),
                    ask.wait(self.behind, self.seq),
                )
            parts = Tape(self.cast), Queue(), self.waits()
            self.shot(cost, self.act(*parts), subject=("waits",), rest=1.5)
        return self.section("again", say("{} comes back", name))

    def takeaway(self) -> Section:
        ask, name = self.ask, self.name
        end = self.end if self.life.finished is None else self.life.finished.seq
        self.begin()
        tape = Tape((self.victim,))
        if self.stood is not None:
            text, number, unit = (
                say("A preempted request loses its pages, never a token."),
                say("{}", self.stood),
                say("is how long {} stood still", name),
            )
        else:
            text, number, unit = (
                say("Without a free page, the newest gives way."),
                say("{}", ask.stored(self.victim, self.seq - 1)),
                say("tokens of {} must be computed again", name),
            )
        if end > self.at:
            self.shot(
                say("{} goes on where it stopped, and finishes.", name)
                if self.life.finished
                else say("{} goes on.", name),
                self.lapse(*self.stage(), until=end, seconds=2.5),
                subject=("tape", self.victim),
            )
        self.shot(
            None,
            self.act(Takeaway(self.told("takeaway", text, **self.measures()), number, unit), tape),
            subject=("takeaway",),
            rest=2.0,
        )
        return self.section("takeaway", "What it costs")

    def tile(self) -> tuple[str, int]:
        """The tile of the token that asks."""
        return self.asks, (self.state(self.full).tasks[self.asks].n_tokens - 1) // self.ask.size

    def measures(self) -> dict[str, Measure]:
        """What a scenario's question and takeaway can say."""
        found = {"victim": self.name, "asks": self.ask.name(self.asks), "pages": self.ask.pool_pages()}
        return found | ({} if self.stood is None else {"stood": self.stood})


def text_of(code: Part) -> str:
    """The line that runs."""
    assert isinstance(code, Code)
    return "" if code.line is None else "".join(code.lines[code.line]).strip()


class Preemption(FilmScene):
    """Memory runs out in decode: who is preempted, what is computed again."""

    default_trace = "preemption.jsonl.gz"
    summary = "Memory runs out in decode: who is preempted, and what is computed again."
    chapters = PreemptionTelling
