"""The film `Opening`: half a minute from the words of one request to a pool under load, and back."""

from collections.abc import Iterator, Sequence

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import KvWrite, PagesAlloc, Table, TaskAdmitted, TaskPreempted, TaskPrefilled
from scenes.draw.layout import WIDE
from scenes.film.opening import other_trace
from scenes.film.scene import FilmScene
from scenes.film.vouched import as_far_as_it_holds
from scenes.measures import Said, say
from scenes.parts.crowd import Crowd
from scenes.parts.elapsed import Elapsed
from scenes.parts.map import Map, shape
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.parts.question import Question
from scenes.parts.sheet import Sheet
from scenes.parts.tape import Tape
from scenes.parts.wires import MOST, Knock, Wires
from scenes.stage.shot import Act, Section
from scenes.stage.stage import OVER_MOTION
from scenes.stage.telling import ASIDE, MORE, Telling
from scenes.story.errors import DoesNotApply
from scenes.story.history.prompts import first_tokens
from scenes.story.history.sure import sure
from scenes.story.limits import reading_time
from scenes.story.needs import Needs
from scenes.story.paging import Paging
from scenes.story.words import pages_text

LEAST, LARGEST, SHOWN = 2, 8, 16
"""Pages of a prompt whose words are shown, and most pages of a pool that are."""
STILL, CUT, DIVE, FLIGHT, SOON, SWEEP = 1.0, 0.5, 0.4, 0.8, 0.4, 0.9
"""Most seconds before the first cut and least of each, those into a page or out of one, of flights, of a short
time-lapse, and of a sweep."""
ZOOM, KNOCKS, LOAD, FLASH = 1.0, 1.4, 3.6, 0.1
"""Seconds from a page to the map, of all knocks, of a load in time-lapse, and of that for which pages given back
stand out."""


def sweep(told: Said) -> float:
    """Seconds of a sweep: those in which its sentence is read over it."""
    return max(SWEEP, reading_time(told) / OVER_MOTION)


BEGUN = (
    f"a prompt of {LEAST} to {LARGEST} pages and a later one that begins with the same tokens: record a scenario in "
    "which prompts share a [[prefix]]"
)


class Stretch(Telling):
    """What is told from one trace: it begins and ends with a blank page, which is true in the next one, too."""

    phases = False

    def blank(self, seq: int) -> int | None:
        """A page that is free after event `seq`, if there is one never used; None where all are taken."""
        state, used = self.state(seq), set(self.pages.holds.page[self.pages.holds.begin <= seq].tolist())
        free = (page for page in range(self.ask.n_pages) if state.page_state(page) == "free")
        return min(free, key=lambda page: (page in used, page), default=None)

    def dive(self) -> None:
        """Into a blank page, where there is one."""
        if (page := self.blank(self.at)) is not None:
            self.shot("", self.act(Sheet(page=page, name="pool"), seconds=DIVE), subject=("pool",))


class OpeningTelling(Stretch):
    """A prompt is cut into pages, a second one shares them; then, each from a blank page of a shipped trace,
    a page that is used again, a request that gives way, and all pages of a large pool.

    Raises DoesNotApply where no prompt begins as one of `LEAST` to `LARGEST` pages before it.
    """

    needs = Needs(dict.fromkeys(("pages_alloc", "prefix_hit", "task_prefilled"), BEGUN), single="tells single pages")

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.first, self.second, self.found = self.pair()
        self.ends = {task: self.steps.phase_end(self.computed(task).seq) for task in (self.first, self.second)}
        self.drawn: tuple[int, ...] = ()
        if self.ask.n_pages > SHOWN:
            tables, page = self.state(self.ends[self.second]).tables, self.blank(self.ends[self.second])
            held = [p for task in (self.first, self.second) for p in tables.get(task, ())]
            self.drawn = tuple(sorted({*held[: SHOWN - 1], *([] if page is None else [page])}))

    def pair(self) -> tuple[str, str, Sequence[int]]:
        """Two requests, the second of which finds pages of the first, and those pages."""
        contents = self.pages.contents
        for joined in self.history.events(TaskAdmitted):
            life = self.requests[joined.task]
            if not joined.cached_tokens or life.admitted[0].seq < joined.seq or life.prefilled(joined.seq) is None:
                continue
            found = sure(joined.pages)[: joined.cached_tokens // self.ask.size]
            rows = (contents.page == found[0]) & (contents.begin < joined.seq) & (contents.end >= joined.seq)
            first = self.requests[self.requests.names[contents.task[rows][-1]]]
            cut = LEAST <= -(-first.prompt // self.ask.size) <= LARGEST
            done = first.prefilled(first.admitted[0].seq)
            if cut and not first.admitted[0].cached_tokens and done and self.steps.phase_end(done.seq) < joined.seq:
                return first.name, joined.task, found
        raise DoesNotApply(f"{self.film} needs {BEGUN}")

    def computed(self, task: str) -> TaskPrefilled:
        """The event with which the prompt of `task` was computed."""
        life = self.requests[task]
        return sure(life.prefilled(life.admitted[0].seq))

    def sections(self) -> Iterator[Section]:
        self.begin(self.requests[self.first].submitted.seq)
        for tell in (self.cut, self.fill, self.share, self.dive):
            tell()
        yield self.section("words", "")
        for stretch, name in ((Reuse, "paging"), (GiveWay, "preemption"), (Load, "pool_at_scale")):
            yield from stretch(self.film, other_trace(name), name).sections()
        yield self.loop()

    def asked(self) -> Question:
        """What the film asks, without a number: it is about all that follows."""
        return self.question(say("How does a server remember every word?"))

    def cut(self) -> None:
        """The words of the first request are cut, under the question."""
        question = self.asked()
        n = -(-self.requests[self.first].prompt // self.ask.size)
        read = reading_time(question.text)
        first = min(STILL, read / n)
        each = max(CUT, (read - first) / (n - 1))
        acts = [
            self.act(question, Sheet(self.first, cuts, name="tape"), seconds=each if cuts else first)
            for cuts in range(n)
        ]
        self.shot(None, *acts, subject=("tape", self.first))

    def stage(self, *tasks: str, wired: str = "", acting: Sequence[int] = ()) -> tuple[Part, ...]:
        """The tapes of `tasks`, and the pool."""
        return Tape(tasks, counts=False, cuts=True), Wires(wired), Pool(tuple(acting), bits=False, pages=self.drawn)

    def cost(self, task: str, told: str) -> Said:
        """What is computed of a prompt, and when it is answered, if one pass computed all of that and nothing else."""
        done = self.computed(task)
        computed = self.ask.computed(task, done.seq)
        alone = [count for _, count in self.history.prefilled(done.step)] == [computed.value]
        alone = alone and self.steps.apart(done.step) and task in {time.task for time in first_tokens(self.history)}
        took = [self.ask.first_token(task)] if alone else []
        return say(f"{told}: its answer begins after {{}}." if alone else f"{told} are computed.", computed, *took)

    def fill(self) -> None:
        """The pages of the first request fly to the pool, are filled in one sweep, and its answer begins."""
        stage, task = self.stage(self.first), self.first
        told = say("Every {} tokens get a page.", self.ask.page_size())
        admitted = max(self.at, self.requests[task].admitted[0].seq)
        acts = [self.act(*stage, seconds=SOON), self.act(*stage, until=admitted, seconds=FLIGHT)]
        self.shot(told, *acts, subject=("pool",))
        told = self.cost(task, "{} tokens")
        acts = [self.act(*stage, until=self.ends[task], seconds=sweep(told))]
        acts += self.pass_time(*stage, until=self.requests[self.second].submitted.seq - 1, seconds=SOON)
        self.shot(told, *acts, subject=("pool",))

    def share(self) -> None:
        """The second request finds the pages of its beginning, and only the rest is computed."""
        ask, task, life, both = self.ask, self.second, self.requests[self.second], (self.first, self.second)
        shared = self.stage(*both, wired=task, acting=self.found[:MOST])
        pages = pages_text(ask.pages(self.found), 2, runs=True)
        told = say("Same start: {} shares {}.", ask.name(task), pages)
        came = max(self.at, life.submitted.seq)
        acts = [self.act(*self.stage(*both), seconds=SOON), self.act(*shared, until=came, seconds=SOON)]
        acts.append(self.act(*shared, until=max(self.at, life.admitted[0].seq), seconds=FLIGHT))
        self.shot(told, *acts, subject=("pool",), detail=MORE)
        stage, told = self.stage(*both, wired=task), self.cost(task, "Only {} tokens")
        acts = [self.act(*stage), self.act(*stage, until=self.ends[task], seconds=sweep(told))]
        self.shot(told, *acts, subject=("pool",), detail=MORE)

    def loop(self) -> Section:
        """The blank page becomes the sheet with which the film begins."""
        self.begin(-1)
        sheet = Sheet(self.first, name="tape")
        until = self.requests[self.first].submitted.seq
        acts = [self.act(sheet), self.act(self.asked(), sheet, seconds=SOON)]
        acts.append(self.act(self.asked(), sheet, until=until, seconds=SOON))
        self.shot("", *acts, subject=("tape",))
        return self.section("loop", "", cut=True)


class Shipped(Stretch):
    """A stretch told from the shipped trace called `source`."""

    def __init__(self, film: str, trace: Trace, source: str) -> None:
        super().__init__(film, trace)
        self.source = source

    def out_of(self, page: int, *parts: Part) -> list[Act]:
        """Acts that bring `parts` from a blank page."""
        return [self.act(Sheet(page=page, name="pool")), self.act(*parts, seconds=DIVE)]

    def part(self, key: str, detail: int = 0) -> Section:
        """The shots told since `begin`, as a section after a cut."""
        return self.section(key, "", detail, cut=True, source=self.source)


class Reuse(Shipped):
    """An answer grows and ends; a page of another comes to lie where it was."""

    def sections(self) -> Iterator[Section]:
        ask, history = self.ask, self.history
        admitted = self.need(TaskAdmitted, "a request that was admitted")
        run = Paging(ask, admitted, self.need(KvWrite, "a request that was prefilled", admitted.seq))
        grown, freed, alloc = sure(run.grown), sure(run.freed), sure(run.reused)[0]
        task, heir = str(freed.task), str(alloc.task)
        cast = sorted({str(grown.task), task, heir}, key=lambda name: self.requests[name].index)
        tapes, pool = Tape(tuple(cast), counts=False), Pool(bits=False)
        self.begin(self.steps.before(grown.seq))
        stage, given = (tapes, Wires(), pool), sure(history.first(Table, grown.seq)).seq
        acts = [*self.out_of(sure(self.blank(self.at)), *stage), self.act(*stage, until=given, seconds=FLIGHT)]
        acts.append(self.lapse(*stage, until=self.steps.phase_begin(freed.seq), seconds=SOON))
        acts.append(self.act(*stage, until=sure(self.requests[task].empty_after(freed.seq)), seconds=SOON))
        self.shot(
            say("{} grows and ends: its pages of {} are free.", ask.name(task), ask.page_size()),
            *acts,
            subject=("pool",),
        )
        given = sure(history.first(Table, alloc.seq)).seq
        landed = (tapes, Wires(heir), Pool(tuple(alloc.pages), bits=False))
        acts = [self.lapse(tapes, Wires(heir), pool, until=alloc.seq - 1, seconds=SOON)]
        acts += [self.act(*landed, until=until, seconds=s) for until, s in ((given, FLIGHT), (self.end, SOON))]
        told = say("Any will do: {} lives in {}.", ask.name(heir), ask.table(heir, given))
        self.shot(told, *acts, subject=("pool",))
        self.dive()
        yield self.part("reuse", ASIDE)


class GiveWay(Shipped):
    """A token finds every page taken; the newest request gives way, and comes back."""

    def sections(self) -> Iterator[Section]:
        out = self.need(TaskPreempted, "a request that was preempted")
        name, life = self.ask.name(out.task), self.requests[out.task]
        last = sure(self.history.latest(PagesAlloc, out.seq))
        freed, again = sure(life.empty_after(out.seq)), sure(life.admission(out.seq)).seq
        took, done = sure(self.history.first(PagesAlloc, freed)), self.steps.phase_end(sure(life.prefilled(again)).seq)
        tapes = Tape(tuple(self.state(out.seq - 1).tables), counts=False)
        stage, pages = (tapes, Pool(bits=False)), range(self.ask.n_pages)
        self.begin(last.seq - 1)
        acts = [*self.out_of(last.pages[0], *stage), self.act(*stage, until=out.seq - 1, seconds=FLIGHT)]
        self.shot("Then pages run out.", *acts, subject=("pool",))
        acts = []
        for page in pages:
            refused = Pool(bits=False, alarm=tuple(pages[: page + 1]))
            knock = Knock(task=str(took.task), page=page)
            acts.append(self.act(tapes, refused, knock, seconds=KNOCKS / len(pages)))
        token, asks = self.ask.tokens(took.task, self.at), self.ask.name(took.task)
        self.shot(say("Token {} of {} finds none free.", token, asks), *acts, subject=("pool",))
        acts = [self.act(*stage, until=freed, seconds=SOON)]
        acts.append(self.act(*stage, until=self.steps.phase_end(took.seq), seconds=FLIGHT))
        self.shot(say("The newest, {}, gives way.", name), *acts, subject=("pool",))
        acts = self.pass_time(*stage, until=self.steps.before(again), seconds=SOON)
        acts += [self.act(*stage, until=again, seconds=FLIGHT), self.act(*stage, until=done, seconds=SWEEP)]
        told = say("{} comes back: {} tokens computed again.", name, self.ask.again(out.task, done))
        self.shot(told, *acts, subject=("pool",))
        self.dive()
        yield self.part("gives-way", MORE)


class Load(Shipped):
    """From one page to all of a large pool, through the load that it serves, and into a page again."""

    def sections(self) -> Iterator[Section]:
        ask = self.ask
        self.begin(-1)
        last, series = self.steps.seq(len(self.steps) - 1), self.history.series
        _, columns, rows = shape(ask.n_pages, WIDE)
        near = rows // 2 * columns + columns // 2
        told = say("{} times one gave way.", ask.preemptions())
        read = reading_time(told) / OVER_MOTION
        most = int(series.seq[np.searchsorted(series.end_ns, self.ns(last) * (1 - read / LOAD))])
        whole = (Crowd(), Map(flash=FLASH * self.ns(last) / 1e9 / LOAD), Elapsed())
        acts = [self.act(Sheet(page=near, name="map")), self.act(Map(close=(near,)), seconds=DIVE)]
        acts += [self.act(*whole, seconds=ZOOM), self.timed(*whole, until=most, seconds=LOAD - read)]
        self.shot(say("{} requests come to {} pages.", ask.requests(), ask.pool_pages()), *acts, subject=("map",))
        self.shot(told, self.timed(*whole, until=last, seconds=read), subject=("map",))
        acts = [self.act(Map(close=(near,)), seconds=ZOOM), self.act(Sheet(page=near, name="map"), seconds=DIVE)]
        self.shot("In small pages: any free one will do.", *acts, subject=("map",))
        yield self.part("load")


class Opening(FilmScene):
    """Half a minute that loops: words become pages, pages are shared, used again, and run out."""

    default_trace = "chat.jsonl.gz"
    chapters = OpeningTelling

    @classmethod
    def why_not(cls, trace: Trace) -> str | None:
        """As of any film, without opening the shipped traces: only the words are told from `trace`."""
        try:
            with as_far_as_it_holds(cls.__name__, trace):
                next(cls.chapters(cls.__name__, trace).sections())
        except DoesNotApply as reason:
            return str(reason)
        return None
