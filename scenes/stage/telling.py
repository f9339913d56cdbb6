"""What the storyboards of all films have in common: shots, in sections, from a trace's history."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from astrai_sim.trace import Event, State, Trace
from astrai_sim.trace.events import Lines
from astrai_sim.trace.verify.policy import claimed
from scenes.draw import motion
from scenes.draw.atoms import Key
from scenes.measures import Measure, Said, joined, say
from scenes.parts.code import MOST_LINES, Code
from scenes.parts.part import Part, ask_of
from scenes.parts.question import Question, Takeaway
from scenes.stage.shot import Act, Section, Shot, Storyboard
from scenes.stage.stage import OVER_MOTION
from scenes.story.errors import DoesNotApply
from scenes.story.limits import reading_time
from scenes.story.needs import Needs
from scenes.story.source import shown_source, steps_of

E = TypeVar("E", bound=Event)
MORE, ASIDE, CODE, FRAME = 1, 2, 3, 4
"""How early things are left out of a short film: the higher, the earlier."""
COLUMNS = 40
"""Characters of a line of code."""
MORE_LINES = " …"
LONGEST = 60
"""Characters of a caption."""
FEW, PER_STEP = 4, 0.5
"""Steps from which on a time-lapse tells of them, and seconds of each at most."""
LAPSED, STOPS_A_SECOND = 24, 12
"""Most stops of a time-lapse for each of its seconds, and stops of one that keeps the run's time."""
TURN = 0.3
"""Seconds of a time-lapse in which its sentence comes, or goes."""
SENTENCE = 0.75
"""Seconds that a takeaway's sentence stands before its number comes, for each that both stand then beyond one."""


def lasting(told: str | None, least: float = 0.0, stays: bool = False) -> float:
    """Seconds of a time-lapse, `least` or more, in which `told` comes, is read, and goes; where it `stays`, the last
    of it is read over what follows."""
    read = reading_time(told or "")
    return max(least, read / OVER_MOTION + TURN if stays else read + 2 * TURN)


class Telling:
    """A film's sections for one trace. A subclass gives `sections`, each made by a method that says `shot`s,
    after `begin` where it does not go on where the last ended, and returns `section`. `at` is the event told last.

    Raises DoesNotApply, with a one-line reason, where the trace has nothing that the film is about: what it `needs` in
    any case is asked first.
    """

    phases = True
    needs = Needs()

    def __init__(self, film: str, trace: Trace) -> None:
        self.needs.met(film, trace)
        self.film = film
        self.trace = trace
        self.ask = ask_of(trace)
        self.history = self.ask.history
        self.requests = self.history.requests
        self.steps = self.history.steps
        self.pages = self.history.pages
        self.end = self.history.last
        self.at = self.start = -1
        self.beats: list[Shot] = []
        self.said: set[str] = set()

    def sections(self) -> Iterator[Section]:
        """All sections that the trace has events for; each starts where the one before ended."""
        raise NotImplementedError

    def storyboard(self) -> Storyboard:
        """The film for this trace."""
        return Storyboard(self.film, tuple(part for part in self.sections() if part.beats))

    # what a film needs

    def need(self, kind: type[E] | str, what: str, after: int = -1, **fields: Any) -> E:
        """The first event of a kind after event `after` with these `fields`, which the film is about.

        Raises DoesNotApply saying `what` it needs.
        """
        found = self.history.first(kind, after, **fields)
        if found is None:
            raise DoesNotApply(f"{self.film} needs {what}")
        return found

    def keeps(self, rule: str) -> bool:
        """Whether the engine claims a rule, so that `verify` checks it."""
        return rule in claimed(self.trace.header)[0]

    # telling

    def call_of(self, role: str, after: int, before: int) -> Lines | None:
        """The first recorded call of the function of a role between two events; None where there is none."""
        return self.history.first(Lines, after, before, function=self.trace.header.function(role))

    def told(self, which: str, default: Said, **measures: Measure) -> Said:
        """The scenario's "question" or "takeaway", `measures` in its braces; `default` where it has none for this film.

        Raises DoesNotApply where it names a measure that the film does not have, or has a digit of its own.
        """
        scenario = self.trace.header.scenario
        text = getattr(scenario, which)
        if not text or scenario.film not in ("", self.film):
            return default
        try:
            return say(text, **measures)
        except (KeyError, IndexError):
            known = ", ".join(measures)
            raise DoesNotApply(f"the {which} {text!r} names a measure that {self.film} lacks: {known}") from None
        except ValueError as error:
            raise DoesNotApply(f"the {which} {text!r}: {error}") from None

    def measures(self) -> dict[str, Measure]:
        """What a scenario's question and takeaway can say."""
        return {}

    def question(self, default: Said) -> Question:
        """The scenario's question; `default` where it has none for this film."""
        return Question(self.told("question", default, **self.measures()))

    def ending(
        self,
        title: str,
        text: Said,
        number: Said,
        unit: str,
        *beside: Part,
        until: int | None = None,
        rest: float = 2.0,
        key: str = "takeaway",
    ) -> Section:
        """The section of the takeaway, the scenario's or else `text`, with its number, above what stands `beside`,
        without the step: its number is the run's."""
        last = Takeaway(self.told("takeaway", text, **self.measures()), number, unit)
        self.closing(last, *beside, until=until, rest=rest)
        return self.section(key, title, phases=False)

    def closing(
        self, last: Takeaway, *beside: Part, until: int | None = None, rest: float = 2.0, seconds: float | None = None
    ) -> None:
        """What is left of the film: first the sentence, alone where there is time to `rest`, then the number that says
        it."""
        acts = [self.act(last, *beside, until=until, seconds=seconds)]
        if (alone := SENTENCE * (rest - 1)) > 0:
            first = replace(last, alone=True), *beside
            acts = [self.act(*first, until=until, seconds=seconds), self.act(*first, seconds=alone)]
            acts.append(self.act(last, *beside))
        self.shot("", *acts, subject=("takeaway",), rest=rest)

    def state(self, seq: int | None = None) -> State:
        """What holds after event `seq`; default: after what has been told."""
        return self.ask.state(self.at if seq is None else seq)

    def short(self, *texts: Said) -> Said:
        """The first of `texts` that is short enough for a caption, else the last."""
        return next((text for text in texts if len(text) <= LONGEST), texts[-1])

    def once(self, key: str) -> bool:
        """Whether `key` comes up for the first time."""
        fresh = key not in self.said
        self.said.add(key)
        return fresh

    def begin(self, start: int) -> None:
        """Begin a section after event `start`, not where the last ended."""
        self.at = self.start = start
        self.beats = []

    def act(
        self,
        *parts: Part,
        until: int | None = None,
        seconds: float | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> Act:
        """`parts`, in the order in which they stand, come to show the state after event `until` (None: as it is)."""
        self.at = max(self.at, self.at if until is None else until)
        return Act(self.at, parts, seconds, known or {})

    def acts(self, parts: Sequence[Part], *untils: int) -> list[Act]:
        """`parts` come to show the states after the events `untils`, one after another."""
        return [self.act(*parts, until=until) for until in untils]

    def lapse(self, *parts: Part, until: int, seconds: float) -> Act:
        """A time-lapse of `parts` to the state after event `until`: the ends of steps on the way, evenly."""
        ends = [e.seq for e in self.trace.find(event="step_end", after=self.at, before=until)]
        every = max(1, -(-len(ends) // max(1, round(LAPSED * seconds))))
        self.at = max(self.at, until)
        return Act(self.at, parts, seconds, {}, (*ends[::every], self.at))

    def ns(self, seq: int) -> int:
        """When event `seq` was; -1 is the beginning."""
        return self.trace[seq].ns if seq >= 0 else 0

    def timed(self, *parts: Part, until: int, seconds: float) -> Act:
        """A time-lapse of `parts` to event `until` that passes the same time of the run in each second, with
        `STOPS_A_SECOND`; one movement where that are too few."""
        start, self.at = self.at, max(self.at, until)
        ends, (began, ended) = self.history.series.end_ns, (self.ns(start), self.ns(self.at))
        wanted = np.linspace(began, ended, max(2, round(seconds * STOPS_A_SECOND)) + 1)[1:-1]
        places = np.unique(np.searchsorted(ends, wanted, side="right") - 1)
        stops = [seq for seq in self.history.series.seq[places[places >= 0]].tolist() if start < seq < self.at]
        if not stops or seconds < 2 / STOPS_A_SECOND:
            return Act(self.at, parts)
        times = [(self.ns(seq) - began) / (ended - began) for seq in stops[1:]]
        return Act(self.at, parts, seconds, {}, (*stops, self.at), (*times, 1.0, 1.0)[: len(stops) + 1])

    def pass_time(self, *parts: Part, until: int, seconds: float) -> list[Act]:
        """Acts that bring `parts` to the state after event `until`: a time-lapse of at most `seconds` where
        steps end on the way, one movement where they are few, nothing where that is the state already."""
        ends = int(np.count_nonzero((self.steps.end > self.at) & (self.steps.end < until)))
        if until <= self.at:
            return []
        if ends < FEW:
            return [self.act(*parts, until=until)]
        return [self.lapse(*parts, until=until, seconds=min(seconds, PER_STEP * ends))]

    def run(
        self,
        event: Event,
        until: int,
        parts: Callable[[Code], Sequence[Part]],
        only: Collection[str] | None = None,
        pace: float = 1.0,
    ) -> list[Act]:
        """The lines of a `lines` event run one after another, in a `Code` among `parts`, then what
        they brought about, up to event `until`, happens. With `only`, the cursor stops at those lines
        alone that gave one of these values, and where many ran no others are shown. `pace` stretches each line."""
        source, steps = shown_source(self.trace, event.function, COLUMNS), steps_of(self.trace, event, COLUMNS)
        lines = folded(source.lines, {step.line for step in steps})
        steps = [step for step in steps if only is None or {*only} & {str(name) for name, _ in step.values}]
        if sum(map(len, lines)) > MOST_LINES:
            lines = folded(source.lines, {step.line for step in steps})
        code = Code(source.title, lines)
        known: dict[str, Any] = {}
        refs = [*map(int, self.state(event.seq).refs)]
        values: list[tuple[Said, Said]] = []
        acts = [self.act(*parts(code), until=max(self.at, event.seq - 1))]
        for step in steps:
            fresh = [(joined("", (name,)), joined("", (value,))) for name, value in step.values]
            names = {str(name) for name, _ in fresh}
            values = [pair for pair in values if str(pair[0]) not in names] + fresh
            code = replace(code, line=step.line, values=tuple(values), fresh=len(fresh))
            if step.mask is not None or step.refs:
                acts.append(self.act(*parts(code), until=event.seq, seconds=pace * motion.CODE_STEP, known=dict(known)))
            if step.mask is not None:
                known["mask"] = step.mask
            if step.lru is not None:
                known["lru"] = step.lru
            for page, ref in step.refs:
                refs[page] = ref
                known["refs"] = list(refs)
            seconds = pace * (motion.CODE_VALUE if fresh else motion.CODE_STEP)
            acts.append(self.act(*parts(code), until=event.seq, seconds=seconds, known=dict(known)))
        acts.append(self.act(*parts(code), until=until))
        return acts

    def shot(
        self, caption: str | None, *acts: Act, subject: Key = (), rest: float = 0.0, detail: int = 0, pace: float = 1.0
    ) -> None:
        """A sentence and the acts that it speaks of."""
        shot = Shot(acts[-1].until, caption, acts=acts, subject=subject, rest=rest, detail=detail, pace=pace)
        self.beats.append(shot)

    def section(self, key: str, title: str, detail: int = 0, **options: Any) -> Section:
        """The shots told since the last section, or `begin`; `options` as in `Section`."""
        made = Section(key, title, self.start, tuple(self.beats), detail, **{"phases": self.phases, **options})
        self.begin(self.at)
        return made


def folded(lines: Sequence[tuple[Said, ...]], run: Collection[int]) -> tuple[tuple[Said, ...], ...]:
    """Lines of code, each of some rows; of those that did not `run`, but `else`, an ellipsis is left."""
    kept: list[tuple[Said, ...]] = []
    for i, rows in enumerate(lines):
        if i in run or not i or rows[0].strip() == "else:":
            kept.append(rows)
            continue
        last = next(place for place in range(len(kept) - 1, -1, -1) if kept[place])
        if not kept[last][-1].endswith(MORE_LINES):
            kept[last] = *kept[last][:-1], joined("", (kept[last][-1], MORE_LINES))
        kept.append(())
    return tuple(kept)
