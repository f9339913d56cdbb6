"""The film `Preemption`: memory runs out in decode, the newest request gives way, no token is lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from astrai_sim.trace import Trace
from astrai_sim.trace.events import Lines, PagesAlloc, PagesFree, TaskAdmitted, TaskPreempted
from scenes.film.scene import FilmScene
from scenes.measures import Measure, say
from scenes.parts.bars import Bar, Bars, Waits
from scenes.parts.code import Code
from scenes.parts.part import Part, View
from scenes.parts.pool import Free, Pool
from scenes.parts.queue import Queue, in_memory
from scenes.parts.talk import Answers
from scenes.parts.tape import Tape
from scenes.parts.wires import Knock
from scenes.stage.shot import Act, Section
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.history.sure import sure
from scenes.story.limits import reading_time
from scenes.story.needs import PAGES, Needs
from scenes.story.words import MOST, are, counted, listed, pages_text, plural

PREEMPT = "_preempt("
CALLS = ("OutOfPages", "cache.grow(", "_preempt(self.running[-1])")
"""What the code must say to be told of."""
ROWS = ((12, 3), (33, 2))
"""Tapes beside a pool of up to so many pages."""
ARRIVALS, EACH, LOSS, BACK = 3, 6, 4.0, 3.0
"""Arrivals, and pages given back, up to which each is seen; seconds in which who gives way gives all back, and in which
who is done does."""
TOLD, READ = 8, 0.75
"""Stops of a time-lapse during which there is time for a sentence, and the share of one in which it is read."""
Alarm = bool | tuple[int, ...]
Tiles = tuple[tuple[str, int], ...]


class PreemptionTelling(Telling):
    """How the request that stood still the longest was preempted, and what became of it."""

    needs = Needs(
        {"task_preempted": "a request that was preempted: record a scenario whose requests outgrow the pool together"},
        **PAGES,
    )

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        out = max(self.history.events(TaskPreempted), key=self.cost)
        self.out, self.victim, self.seq = out, out.task, out.seq
        self.life, self.name = self.requests[out.task], self.ask.name(out.task)
        room = trace.header.function("room") or ""
        known = room if room and all(text in trace.header.sources[room].text for text in CALLS) else None
        lines = self.history.latest(Lines, self.seq, self.steps.before(self.seq), function=known)
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
        usual = self.ask.usual_wait(out.step)
        self.usual = () if usual is None else (Bar("usual, for a token", replace(usual, form="exact"), muted=True),)
        self.spoken = self.state(self.seq).tasks[self.victim].texts is not None

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

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.fill()
        yield self.refuse()
        yield self.give_way()
        if self.again is not None and self.token is not None and self.stood is not None:
            yield self.stand(self.again)
            yield self.come_back(self.again, self.token, self.stood)
        yield self.takeaway()

    def stage(
        self, queue: Queue | None = None, alarm: Alarm = False, *, acting: Tiles = (), pages: tuple[int, ...] = ()
    ) -> tuple[Part, ...]:
        """Tapes, the line of requests and the pool."""
        pool = Pool(pages, bits=False, alarm=alarm)
        return Tape(self.cast, acting), queue or Queue(), Free(alarm=alarm is True), pool

    # the parts of the story

    def hook(self) -> Section:
        """A token finds every page taken, and the request that is asked for loses its own."""
        self.begin(self.full)
        asked = say("Why must {} stop?", self.name)
        if self.stood is not None:
            asked = say("Why did {} stand still for {}?", self.name, self.stood)
        question = self.question(asked)

        def parts(page: int | None, alarm: Alarm) -> tuple[Part, ...]:
            return *pair, Pool(bits=False, alarm=alarm), Knock(task=self.asks, page=page)

        pair = question, Tape(tuple(dict.fromkeys((self.asks, self.victim))))
        acts = [*self.knocks(parts, 1.6), self.act(*pair, Pool(bits=False), until=self.freed)]
        self.shot(None, *acts, subject=("pool",), rest=0.8)
        return self.section("hook", "Memory is full", cut=True)

    def knocks(self, parts: Callable[[int | None, Alarm], tuple[Part, ...]], seconds: float) -> list[Act]:
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
        for end in [int(end) for end in self.steps.ends("refill", -1, self.full + 1)][:ARRIVALS]:
            tasks = ask.names(self.steps.served[end])
            acts = self.pass_time(*self.stage(), until=self.steps.phase_begin(end), seconds=1.0)
            acts += self.acts(self.stage(), end, min(self.steps.next_phase("prefill", end), self.full))
            come, them = plural(tasks, "comes", "come"), plural(tasks, "its prompt", "their prompts")
            told = self.short(
                *(say("{} {} in, with pages for {}.", listed(tasks, most), come, them) for most in (MOST, 1))
            )
            self.shot(told, *acts, subject=("pool",), pace=1.2)
        if acts := self.pass_time(*self.stage(), until=self.full, seconds=4.0):
            told = say("They grow until no page is free.") if len(acts[0].stops) > TOLD else ""
            line = self.state(self.full).waiting
            if told and line:
                needs = counted(ask.needed(line[0], self.full), "page")
                waits = say("{} needs {} and waits; the others grow.", ask.name(line[0]), needs)
                told = waits if reading_time(waits) <= READ * sure(acts[0].seconds) else told
            self.shot(told, *acts, subject=("pool",))
        return self.section("full", "The pool fills", MORE, cut=True)

    def refuse(self) -> Section:
        """The token is refused, and the newest request has to give way."""
        ask, name, asks = self.ask, self.name, self.ask.name(self.asks)
        token = ask.tokens(self.asks, self.full)
        told = say("Token {} of {} needs a page: every page is taken.", token, asks)
        told = self.short(told, say("{} needs a page: every page is taken.", asks))

        def parts(page: int | None, alarm: Alarm) -> tuple[Part, ...]:
            return *self.stage(alarm=alarm, acting=(self.tile(),)), Knock(task=self.asks, page=page)

        self.shot(told, *self.knocks(parts, 3.0), subject=("pool",))
        if self.lines is not None:
            self.code(self.lines)
        held = [(self.victim, place) for place, _ in enumerate(self.state(self.full).tables.get(self.victim, ()))]
        marked = Queue((self.victim,), ((self.victim, "last in" if self.newest else "chosen"),))
        why = say("{} has to give way.", name)
        if self.newest:
            why = say("{} came in last, so it gives way", name)
            why = self.short(say("{}: the others can finish.", why), say("{}.", why))
        acts = [self.act(*self.stage(marked, True)), self.act(*self.stage(marked, True, acting=tuple(held)))]
        self.shot(why, *acts, subject=("queue",))
        return self.section("refused", "No page is free")

    def code(self, lines: Lines) -> None:
        """The lines of the scheduler, up to the call that takes the pages."""
        called = self.ask.source("running[-1]")
        marked = Queue((self.victim,), ((self.victim, say("{}", called)),))

        def parts(code: Code) -> Sequence[Part]:
            if PREEMPT in text_of(code):
                return Tape(self.cast), marked, replace(code, values=(), fresh=0)
            return Tape(self.cast), Queue(), code

        acts = self.run(lines, lines.seq, parts)
        texts = [text_of(act.parts[-1]) for act in acts]
        end = next((i for i, text in enumerate(texts) if PREEMPT in text), len(acts) - 1) + 1
        caught = next((i for i, text in enumerate(texts) if text.startswith("except")), end)
        if caught:
            self.shot("grow finds no free page and raises OutOfPages.", *acts[:caught], subject=("code",))
        if caught < end:
            told = say("So {} has to go, the last admitted: {}.", called, self.name)
            told = self.short(told, say("So the last admitted has to go: {}.", self.name))
            self.shot(told, *acts[caught:end], subject=("code",), pace=1.2)

    def give_way(self) -> Section:
        """Its numbers fall, its fills go hollow; its pages go to the one that asked."""
        ask, name = self.ask, self.name
        lost = say("{} loses its pages, and what was computed in them.", name)
        lost = self.short(lost, say("{} loses its pages.", name))
        acts = self.given_back(self.stage(Queue((self.victim,))), self.freed, LOSS, self.seq)
        self.shot(lost, *acts, subject=("pool",))
        took = self.history.first(PagesAlloc, self.freed, self.decoded, task=self.asks)
        if took is not None:
            page = took.pages[0]
            told = say("Page {} goes to {}", ask.page(page), ask.name(self.asks))
            told = self.short(say("{}, which writes over what {} left.", told, name), say("{}.", told))
            given = self.stage(self.head(), acting=(self.tile(),), pages=(page,))
            acts = self.acts(given, self.at, took.seq + 1, self.decoded)
            self.shot(told, *acts, subject=("pool",), pace=1.5)
        free, needed = ask.pool_free(self.at), ask.needed(self.victim, self.at)
        if next(iter(self.state().waiting), None) == self.victim and free.value < needed.value:
            told = say("{} {} free, {} needs {}", counted(free, "page"), are(free), name, needed)
            told = self.short(say("{}: it waits, first in line.", told), say("{}: it waits.", told), say("{}.", told))
            left = tuple(page for page in range(ask.n_pages) if self.state().page_state(page) == "free")
            first = replace(self.head(), acting=(self.victim,))
            acts = [self.act(*self.stage(queue, pages=left), seconds=1.4) for queue in (self.head(), first)]
            self.shot(told, *acts, subject=("queue",))
        return self.section("out", say("{} gives way", name))

    def given_back(self, parts: Sequence[Part], until: int, seconds: float, *before: int) -> list[Act]:
        """Acts of so many seconds in which pages are given back up to event `until`, after the events `before`: each
        page with its own counts, or, of many, all in one."""
        frees = [event.seq for event in self.history.events(PagesFree, self.at, until)]
        each = [*before, *frees, until] if len(frees) <= EACH else [until]
        return [self.act(*parts, until=seq, seconds=seconds / len(each)) for seq in each]

    def head(self) -> Queue:
        """The line with the victim at the head of those that wait."""
        return Queue((), ((self.victim, "next in"),))

    def meanwhile(self, queue: Queue, above: Part) -> tuple[Part, ...]:
        """What stands `above`, the line, how many pages are free, and how long it stands still."""
        return above, queue, Free(), Waits(self.seq, self.victim, say("{} stands still", self.name), self.usual)

    def words(self, tasks: tuple[str, ...]) -> Part:
        """What `tasks` say, where that was recorded, else their tapes."""
        return Answers(tasks) if self.spoken else Tape(tasks)

    def stand(self, again: TaskAdmitted) -> Section:
        """It waits at the head of the line while the others go on."""
        parts = self.meanwhile(self.head(), self.words(self.cast))
        until = max(self.at, self.steps.before(again.seq))
        others = self.ask.names([t for t in self.running if t != self.victim and t in self.state().tables])
        known = counted(self.ask.tokens(self.victim, self.seq), "token")
        told = say("{} keeps its {}{}", self.name, known, " as text" if self.spoken else "")
        if others:
            go = plural(others, "goes", "go")
            told = self.short(*(say("{}; {} {} on.", told, listed(others, most), go) for most in (MOST, 1)), told)
        acts = [self.act(*parts), *self.pass_time(*parts, until=until, seconds=5.0)]
        self.shot(told, *acts, subject=("waits",))
        return self.section("waits", say("{} waits", self.name), ASIDE)

    def come_back(self, again: TaskAdmitted, token: int, stood: Measure) -> Section:
        """It is admitted first, and computed again in one sweep."""
        ask, name, victim = self.ask, self.name, self.victim
        gone = self.steps.next_phase("cleanup", self.at)
        if gone < again.seq:
            done = ask.names(self.steps.served.get(gone))
            give = plural(done, "is done and gives its", "are done and give their")
            told = self.short(*(say("{} {} pages back.", listed(done, most), give) for most in (MOST, 1)))
            acts = [self.act(*self.stage()), *self.given_back(self.stage(), gone, BACK)]
            self.shot(told, *acts, subject=("pool",))
        given = (pages_text(ask.pages(again.pages), most) for most in (MOST, 1))
        told = self.short(*(say("{} was next in line: it gets {}.", name, pages) for pages in given))
        self.shot(told, self.act(*self.stage(Queue((victim,))), until=again.seq), subject=("pool",), pace=1.3)
        done = self.life.prefilled(again.seq)
        tapes, parts = (self.meanwhile(Queue(), above) for above in (Tape(self.cast), self.words(self.cast)))
        if done is not None:
            all_of, twice = ask.computed(victim, done.seq), ask.again(victim, done.seq)
            told = say("One sweep computes its {} tokens again.", all_of)
            if twice.value < all_of.value:
                told = say("One sweep computes its {} tokens, {} of them again.", all_of, twice)
            self.shot(told, *self.acts(tapes, self.at, done.seq), subject=("waits",), pace=1.6)
        if self.spoken:
            told = say("{} goes on where it stopped.", name)
            self.shot(told, *self.acts(parts, self.at, token), subject=("waits",), pace=1.6)
        end = self.end if self.life.finished is None else self.life.finished.seq
        line = [event.task for event in self.history.events(TaskAdmitted, self.at, end) if event.task != victim]
        if acts := self.pass_time(*parts, until=end, seconds=3.0):
            told = say("{} stood still for {}.", name, stood) if len(acts[0].stops) > TOLD else ""
            if line and not told:
                names, come = ask.names(line), plural(line, "gets in", "get in")
                told = self.short(*(say("Pages come free: {} {}.", listed(names, most), come) for most in (MOST, 1)))
                told = told if reading_time(told) <= READ * (acts[0].seconds or 0.0) else ""
            self.shot(told, *acts, subject=("waits",), pace=1.3)
        return self.section("again", say("{} comes back", name))

    def takeaway(self) -> Section:
        """What is left of the film: its sentence and its number, over what the request came to and the wait was."""
        ask, name, stood = self.ask, self.name, self.stood
        text, unit = say("A preempted request loses its pages, never a token."), say("is how long {} stood still", name)
        if stood is None:
            text = say("Without a free page, the newest gives way.")
            unit = say("tokens of {} are to be computed again", name)
        number, below = say("{}", stood or ask.stored(self.victim, self.seq - 1)), [self.words((self.victim,))]
        if stood is not None:
            waiting, again = ask.outside(self.victim, self.seq), ask.computing(self.victim, self.seq)
            pieces = (
                Bar("waiting for pages", waiting, self.victim),
                Bar("computing again", again, self.victim, after=waiting),
            )
            below.append(Bars("", (*pieces, *self.usual)))
        return self.ending("What it costs", text, number, unit, *below)

    def tile(self) -> tuple[str, int]:
        """The tile of the token that asks."""
        return self.asks, (self.state(self.full).tasks[self.asks].n_tokens - 1) // self.ask.size

    def measures(self) -> dict[str, Measure]:
        found = {"victim": self.name, "asks": self.ask.name(self.asks), "pages": self.ask.pool_pages()}
        return found | ({} if self.stood is None else {"stood": self.stood})


def text_of(code: Part) -> str:
    """The line that runs."""
    assert isinstance(code, Code)
    return "" if code.line is None else "".join(code.lines[code.line]).strip()


class Preemption(FilmScene):
    """Memory runs out in decode: who is preempted, and what is computed again."""

    default_trace = "preemption.jsonl.gz"
    chapters = PreemptionTelling
