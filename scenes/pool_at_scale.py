"""The film `PoolAtScale`: a load of hundreds of requests on a pool of thousands of pages."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import TaskAdmitted
from scenes.draw import motion
from scenes.film.scene import FilmScene
from scenes.measures import Measure, Said, say
from scenes.parts.crowd import Crowd
from scenes.parts.elapsed import Elapsed
from scenes.parts.first_tokens import SHARE, FirstTokens
from scenes.parts.map import Map
from scenes.parts.part import Part
from scenes.parts.question import Takeaway
from scenes.stage.membership import MembershipTelling
from scenes.stage.shot import Act, Section
from scenes.stage.telling import Telling, lasting
from scenes.story.errors import DoesNotApply
from scenes.story.history.turns import Loss, turns_of
from scenes.story.limits import reading_time
from scenes.story.needs import MAP, Needs
from scenes.story.words import are, counted, plural, possessive

LAPSES, REST, STEPS = 40.0, 22.0, 5
"""Seconds of a time-lapse of the whole run, and of what is left of it after the first that gave way, at most; steps
in a second at least."""
ZOOM = 3.0
"""Seconds from all pages to one, and back."""
LONGEST = 0.4
"""Seconds that the longest step takes at most in one."""
HOOK, FLASH, RUN_UP, SPARSE = 2.0, 0.5, 2.2, 24
"""Seconds of time-lapse in the hook, those for which pages given back are red, and those before the first loss;
steps in the hook below which its clock is what moves."""
MOVING, ONE = 1.3, 1.0
"""A sentence's reading time by the least in which something moves below it; seconds in which a single movement does."""
COMES, ALL_COME = 0.3, 2.0
"""Seconds in which one of those that come beside another does, and all of them at most."""
APART = 1.5
"""How many times as long as half of the requests nine in ten waited, from which on it is told."""
SERVED = "a request that got pages, and a step that ended"
SOURCES = {"azure": "Azure", "burstgpt": "BurstGPT", "mooncake": "Mooncake"}


def height(seqs: np.ndarray, counts: np.ndarray) -> int | None:
    """The end of the step at which a count was highest for the first time; None where it stays 0."""
    return int(seqs[counts.argmax()]) if counts.any() else None


def round_up(value: float) -> float:
    """The next number of two figures."""
    power = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / power - 1e-9) * power


def moved(act: Act) -> float:
    """Seconds of an act in which something moves: in a time-lapse, while a picture is new."""
    if act.seconds is None or not act.stops:
        return ONE
    begins = act.seconds * np.array([0.0, *act.times[:-1]])
    return float(np.minimum(np.diff(begins, append=act.seconds), motion.APPEAR).sum())


class PoolAtScaleTelling(Telling):
    """One page, all pages, the load in time-lapse, and what happens when no page is free: step by step, then faster.

    `peak` and `crowd` are the ends of the steps with the most pages in use and the longest queue, the
    latter None where that is the last step; `last` is the end of the last. `rate` are the seconds of the run
    that go by in one of a time-lapse, `fast` those after the first time that no page was free.
    """

    phases = False
    needs = Needs(dict.fromkeys(("pages_alloc", "task_admitted", "step_end"), SERVED), least=MAP)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        series = self.history.series
        first, peak = self.pages.first(), height(series.seq, series.in_use)
        if peak is None or first is None or first.end > series.seq[-1]:
            raise DoesNotApply(f"{film} needs {SERVED}")
        self.first, self.peak, self.series = first, peak, series
        self.last = int(series.seq[-1])
        crowd = height(series.seq, series.waiting)
        self.crowd = None if crowd == self.last else crowd
        self.turns = turns_of(self.history)
        self.losses = self.turns.lost(-1, self.last)
        self.shown = next((loss for loss in self.losses if loss.stored), None) or next(iter(self.losses), None)
        longest = int(np.diff(series.end_ns, prepend=0).max())
        lapse = min(LAPSES, len(series) / STEPS)
        self.rate = round_up(max(1, int(series.end_ns[-1]) / lapse, longest / LONGEST) / 1e9)
        rest = 0 if self.shown is None else int(series.end_ns[-1]) - self.shown.ns
        self.fast = max(self.rate, round_up(max(1, rest) / 1e9 / REST))
        self.frame: tuple[Part, ...] = (Crowd(), Map(flash=FLASH * self.rate), Elapsed())

    def sections(self) -> Iterator[Section]:
        for section in (self.hook, self.one_page, self.giving_way, self.under_load, self.price):
            if (made := section()).beats:
                yield made

    # what happens in it

    def before(self, ns: float) -> int:
        """The end of the last step that was over at a time; -1 before the first."""
        return self.steps.seq(int(np.searchsorted(self.series.end_ns, ns, side="right")) - 1)

    def through(self, parts: tuple[Part, ...], until: int, rate: float | None = None) -> Act:
        """A time-lapse to event `until` at the film's `rate`, or another."""
        until = max(until, self.at)
        return self.timed(*parts, until=until, seconds=(self.ns(until) - self.ns(self.at)) / 1e9 / (rate or self.rate))

    def lapse_with(self, until: int, captions: list[Said | str], rate: float | None = None) -> None:
        """The way to event `until`, cut into a shot for each caption that can be read on it."""
        start, shots = self.at, []
        if until <= start:
            return
        for told in (*(captions[:count] for count in range(len(captions), 0, -1)), [""]):
            self.at = start
            shots = self.lapsed(until, told, rate)
            if len(shots) == len(told) and all(reading_time(text) <= MOVING * moved(act) for text, act in shots):
                break
        for text, act in shots:
            self.shot(text, act, subject=("map",))

    def lapsed(self, until: int, captions: list[Said | str], rate: float | None) -> list[tuple[Said | str, Act]]:
        """The way to event `until` in time-lapses, one below each caption, as long as it takes to be read."""
        start, found = self.at, []
        read = [lasting(text) for text in captions]
        ends = self.ns(start) + np.cumsum(read) / sum(read) * (self.ns(until) - self.ns(start))
        for text, end in zip(captions, ends.tolist(), strict=True):
            last = text is captions[-1]
            seq = until if last else int(self.series.seq[np.searchsorted(self.series.end_ns, end)])
            if seq > self.at:
                found.append((text, self.through(self.frame, min(seq, until), rate)))
        return found

    # sections

    def hook(self) -> Section:
        """The preemption that cost most, or else the fullest moment, under the question."""
        worst = max(self.losses, key=lambda loss: loss.stored, default=None)
        moment = self.peak if worst is None else worst.seq - 1
        self.begin(min(self.before(self.ns(moment) - HOOK * self.rate * 1e9), moment))
        told = "What happens when all {} pages are full?" if self.losses else "Who holds what of {} pages?"
        few = np.count_nonzero((self.series.seq > self.at) & (self.series.seq < moment)) < SPARSE
        question, shown = self.question(say(told, self.ask.pool_pages())), self.frame[1 : 3 if few else 2]
        acts = [self.through((question, *shown), moment)]
        if worst is not None:
            whose = Map(acting=(worst.task,))
            gone = self.empty(worst)
            for until in (self.at, gone, self.steps.done_from(gone)):
                acts.append(self.act(question, whose, until=until, seconds=0.8))
        self.shot("", *acts, subject=("map",))
        title = self.ask.scenario.title
        return self.section("hook", say("{}", self.ask.header(title)) if title else "A pool at scale", cut=True)

    def measures(self) -> dict[str, Measure]:
        ask = self.ask
        found = {"pages": ask.pool_pages(), "requests": ask.requests(), "preemptions": ask.preemptions()}
        return found | dict(zip(("half", "most"), self.waits(), strict=False))

    def waits(self) -> list[Measure]:
        """Times within which half of the requests, and nine in ten, had a token; none where no request had one."""
        return [] if self.ask.median_ttft() is None else [self.ask.wait_within(share) for share in (0.5, SHARE)]

    def one_page(self) -> Section:
        """A page of the first request, as large as the frame; then all of them."""
        ask, first = self.ask, self.first
        page, task = first.pages[len(first.pages) // 2], first.task
        life = self.requests[task]
        near = Map(named=(task,), close=(page,))
        filled = life.prefilled(first.end)
        self.begin(-1)
        pages = counted(ask.table_pages(task, first.end), "page")
        size, whose = counted(ask.page_size(), "token"), possessive(ask.name(task))
        told = say("A page keeps {}: {} {} take {}.", size, whose, ask.prompt(task), pages)
        acts = [self.act(*self.frame), self.act(near, seconds=ZOOM), self.act(near, until=life.submitted.seq)]
        acts.append(self.act(near, until=first.end, seconds=1.0))
        if filled is not None and filled.seq <= self.last:
            acts.append(self.act(near, until=filled.seq, seconds=1.2))
        self.shot(told, *acts, subject=("map",))
        whole = say("All pages keep {} of keys and values.", ask.bytes_of("pool"))
        far = Map(named=(task,), flash=FLASH * self.rate)
        self.shot(whole, self.act(self.frame[0], far, self.frame[2], seconds=ZOOM), subject=("map",))
        self.load()
        return self.section("page", "From one page to all", cut=True)

    def load(self) -> None:
        """The requests come, and the pool fills, up to the first of what happens then."""
        ask, header = self.ask, self.trace.header
        until = self.last if self.crowd is None else self.crowd
        if self.losses:
            until = self.before(self.losses[0].ns - RUN_UP * self.rate * 1e9)
        told = say("{} requests come, one after another.", ask.requests())
        if header.workload is not None:
            scale, kind = ask.time_scale(), header.workload.kind
            name = SOURCES.get(kind, ask.header(kind))
            told = say("{} requests as recorded at {}, in {} of the time.", ask.requests(), name, scale)
        self.lapse_with(until, [told])
        if self.losses:
            full, quiet = self.losses[0].seq - 1, self.crowded()
            grow, free = say("Requests come and grow until no page is free."), ask.pool_free(full)
            if free.value:
                grow = say("Requests come and grow until only {} {} free.", counted(free, "page"), are(free))
            self.shot(grow, self.act(*quiet, seconds=1.2), self.through(quiet, full), subject=("crowd",))

    def crowded(self, *acting: str) -> tuple[Part, ...]:
        """All pages below the requests that come and go, seen from near; `acting` ones in the accent."""
        return Crowd(tall=True, acting=acting), Map(acting=acting), Elapsed()

    def empty(self, loss: Loss) -> int:
        """The event after which the request that had to give way has no page."""
        return self.requests[loss.task].empty_after(loss.seq) or loss.seq

    def giving_way(self) -> Section:
        """The first time that no page is free: who gives way, why, who gets its pages, when it is back, and what
        that costs."""
        ask, loss = self.ask, self.shown
        if loss is None:
            return self.section("giving-way", "")
        task, first, since = loss.task, self.losses[0], self.turns.since
        life, acting, whose = self.requests[task], self.crowded(task), possessive(ask.name(task))
        if first is not loss:
            before = self.crowded(first.task)
            acts = self.act(*before, seconds=0.8), self.act(*before, until=self.empty(first), seconds=1.6)
            told = say("{} gives its pages back first: all still empty.", ask.name(first.task))
            self.shot(told, *acts, subject=("crowd",))
        tables = self.state(loss.seq - 1).tables
        newest = task == max(tables, key=lambda one: (since(one, loss.seq), self.requests[one].index))
        why = say("{} has to give its pages back.", ask.name(task))
        if newest:
            then = "Now {}" if first is not loss else "{}"
            why = say(f"{then} came in last, so it gives its pages back.", ask.name(task))
            why = self.short(why, say("{}, in last, gives its pages back.", ask.name(task)))
        acts = [] if self.at >= loss.seq - 1 else [self.through(self.crowded(), loss.seq - 1)]
        acts += [self.act(*acting, seconds=0.8), self.act(*acting, until=self.empty(loss), seconds=1.6)]
        self.shot(why, *acts, subject=("crowd",))
        back, done = life.admission(loss.seq), self.steps.done_from(self.at)
        back = None if back is None or back.seq > self.last else back
        done = done if back is None else min(done, back.seq - 1)
        if (taken := ask.taken(task, done)).value and newest:
            held = counted(ask.table_pages(task, loss.seq - 1), "page")
            told = say("{} of {} {} now serve older requests.", taken, whose, held)
            self.shot(told, self.act(*acting, until=done, seconds=2.0), subject=("map",))
        if back is None:
            return self.section("giving-way", "No page is free")
        wait = ask.time_between(loss.seq, back.seq, "time")
        texts = "First in line, {} has pages again after {}.", "{} has pages again after {}."
        told = self.short(*(say(text, ask.name(task), wait) for text in texts))
        given = {*self.state(back.seq).tables[task]}
        for e in self.history.events("task_finished", loss.seq, back.seq):
            if given & {*self.state(e.seq - 1).tables.get(e.task, ())}:
                ends = say("{} ends: {} has pages again after {}.", ask.name(e.task), ask.name(task), wait)
                told = self.short(ends, told)
        acts = [self.through(acting, back.seq - 1), self.act(*acting, until=back.seq, seconds=1.4)]
        self.shot(told, *acts, subject=("crowd",))
        whole = life.prefilled(back.seq)
        if whole is not None and whole.seq <= self.last and (again := ask.again(task, whole.seq)).value:
            told = say("{} {} cached {} must be computed again.", whose, again, plural(again, "token"))
            come = [event.seq for event in self.history.events(TaskAdmitted, self.at, whole.seq)]
            acts = [Act(come[-1], acting, min(ALL_COME, COMES * len(come)), {}, tuple(come))] if come else []
            acts.append(self.act(*acting, until=whole.seq, seconds=None if come else 2.0))
            self.shot(told, *acts, subject=("crowd",))
        return self.section("giving-way", "No page is free")

    def under_load(self) -> Section:
        """The rest of the run: up to the longest queue, to the last that gave way, to the end."""
        ask = self.ask
        captions: list[Said | str] = ["Red: one just gave its pages back."] if self.losses else []
        if self.crowd is not None and self.crowd > self.at:
            longest = say("Up to {} wait for pages.", counted(ask.waiting(self.crowd), "request"))
            self.lapse_with(self.crowd, [*captions, longest], self.fast)
            captions = []
        if self.losses and (until := self.steps.done_from(self.losses[-1].seq)) > self.at:
            captions.append("Each time the newest pays: older answers grow.")
            self.lapse_with(until, [*captions, *self.fewer()], self.fast)
            captions = []
        self.lapse_with(self.last, [*captions, self.outcome()], self.fast)
        return self.section("under-load", "Under load")

    def fewer(self) -> list[Said]:
        """That fewer requests come after the longest queue than before, where they do."""
        ask, peak = self.ask, self.crowd
        if peak is None:
            return []
        after, before = (
            (ask.between("task_submitted", *ends), ask.time_between(*ends)) for ends in ((peak, self.last), (-1, peak))
        )
        less = after[0].value * before[1].value < before[0].value * after[1].value
        return [say("Then fewer come: {} in {}, after {} in {}.", *after, *before)] if less else []

    def outcome(self) -> Said:
        """What came of it in work."""
        ask = self.ask
        if not self.losses:
            return say("{} of {} requests finish.", ask.finished(), ask.requests())
        twice = ask.recomputed()
        share = ask.ratio(twice, ask.all_computed(), "percent")
        return say("{} tokens were computed twice: {} of all work.", twice, share)

    def price(self) -> Section:
        """What waiting cost; one sentence, one number, and what came of the run."""
        ask = self.ask
        waits = self.waits()
        if not waits or waits[1].value < APART * waits[0].value:
            last = Takeaway("Pages go where they are needed.", say("{}", ask.most_in_use()), "pages in use at the peak")
            self.closing(last, Map(), rest=0.0, seconds=1.5)
            return self.section("price", "What came of it")
        usual, most = waits
        chart = FirstTokens(lines=0)
        new = "While pages are full, new requests wait for theirs."
        acts = [self.act(replace(chart, dots=False)), self.act(chart, seconds=3.2)]
        self.shot(new if self.losses else "Each request waits for its first token.", *acts, subject=("firsttokens",))
        half = say("Half of them had their first token within {}.", usual)
        self.shot(half, self.act(replace(chart, lines=1), seconds=1.5), subject=("firsttokens",))
        told, longest = say("Nine in ten had it within {}.", most), ask.wait_within(1.0)
        acts = [self.act(replace(chart, lines=2), seconds=1.2)]
        if say("{}", longest) != say("{}", most):
            told = say("Nine in ten had it within {}, the last within {}.", most, longest)
            acts.append(self.act(FirstTokens(), seconds=1.8))
        self.shot(told, *acts, subject=("firsttokens",))
        text = say("Pages go where they are needed, and come back.")
        if self.losses:
            text = say("A full pool turns nobody away: it makes the newest wait.")
        unit = say("nine in ten had their first token by then, half within {}", usual)
        last = Takeaway(self.told("takeaway", text, **self.measures()), say("{}", most), unit)
        lapses = min(1.0, len(self.series) / STEPS / LAPSES)
        self.closing(last, FirstTokens(), rest=1.0 + lapses, seconds=2.0 - lapses)
        return self.section("price", "Waiting for the first token")


class PoolAtScale(FilmScene):
    """A production load on a big pool: pages, queue, who gives way; of cache events, which blocks are cached."""

    default_trace = "pool_at_scale.jsonl.gz"
    chapters = PoolAtScaleTelling

    @classmethod
    def telling(cls, trace: Trace) -> type[Telling]:
        """Of a trace that knows only which blocks are cached, that is told."""
        return MembershipTelling if trace.header.membership_only else cls.chapters
