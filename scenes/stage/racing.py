"""What films of shared prefixes have in common: steps one by one, and two first tokens on one clock."""

from collections.abc import Sequence
from dataclasses import replace

from astrai_sim.trace.events import Lines, TaskAdmitted
from scenes.measures import Measure, say
from scenes.parts.part import Part
from scenes.parts.race import OVER, Lane, Race
from scenes.stage.shot import Act, Section
from scenes.stage.telling import Telling
from scenes.story.history.prompts import FirstToken, comparable, first_tokens

ALIKE = 0.1
"""Share by which the prompts of two that race differ at most."""
SOONER = 1.4
"""How many times sooner a first token must be for that to be said, and drawn."""
RACE, REST = 3.2, 1.2
"""Seconds of a race, and of the rest after it."""
FEW = 6
"""Steps up to which each is seen."""


class RaceTelling(Telling):
    """A telling in which a saving is paid off by a race."""

    def computed(self, task: str, seq: int) -> int:
        """The end of the prefill phase that completes `task` after event `seq`."""
        done = self.requests[task].prefilled(seq + 1)
        return self.end if done is None else self.steps.next_phase("prefill", done.seq)

    def named(self, task: str, admitted: TaskAdmitted) -> int:
        """The event to come by which the table of `task` names all pages that were found for it."""
        found, tables = admitted.cached_tokens // self.ask.size, self.history.events("table", self.at, task=task)
        return next((e.seq for e in tables if e.seq < admitted.seq and len(e.pages) >= found), admitted.seq)

    def decode(self, parts: Sequence[Part], until: int, seconds: float = 2.0) -> list[Act]:
        """Steps up to event `until`: few one by one, many in a time-lapse of `seconds`."""
        ends = [event.seq for event in self.history.events("step_end", self.at, until)]
        if len(ends) > FEW:
            return [self.lapse(*parts, until=until, seconds=seconds)]
        return [self.act(*parts, until=end) for end in (*ends, until)]

    def compared(self, first: str, second: str, only: bool = False) -> tuple[FirstToken, FirstToken] | None:
        """Miss and hit whose first tokens are compared: those of `first` and `second`, where lines of
        both or of neither were traced and their prompts are about as long, else, but for `only`, the
        latest that can be compared."""
        times = {time.task: time for time in first_tokens(self.history)}
        miss, hit = times.get(first), times.get(second)
        if miss is not None and hit is not None and miss.traced == hit.traced and hit.cached and not miss.cached:
            if abs(miss.prompt - hit.prompt) <= ALIKE * miss.prompt:
                return miss, hit
        pair = None if only else comparable([*times.values()])
        return None if pair is None else (pair[1], pair[0])

    def raced(self, miss: FirstToken, hit: FirstToken, *beside: Part) -> Section:
        """The section of a race."""
        self.race(miss, hit, *beside)
        return self.section("cost", "What it saves")

    def race(self, miss: FirstToken, hit: FirstToken, *beside: Part) -> None:
        """Two shots of the clock on which the first tokens of both come, below what stands `beside`."""
        ask, lanes, clock = self.ask, [], 0.0
        for time in (miss, hit):
            found, prompt = ask.found(time.task, 0), ask.prompt(time.task)
            name, left = ask.name(time.task), ask.less(prompt, found)
            label = say("{} found {} of its {} tokens: {} to compute", name, found, prompt, left)
            lanes.append(Lane(time.task, ask.first_token(time.task), label))
        race = Race("time to the first token", tuple(lanes), 0.0)
        acts = [self.act(*beside, race)]
        for finish in race.finishes:
            acts.append(self.act(*beside, replace(race, clock=finish), seconds=RACE * (finish - clock)))
            clock = finish
        race = replace(race, clock=OVER)
        acts.append(self.act(*beside, race))
        told = say("{} found {} tokens computed already.", ask.name(hit.task), ask.found(hit.task, 0))
        times = [ask.first_token(time.task) for time in (hit, miss)]
        if ask.ratio(times[1], times[0]).value < SOONER:
            self.shot(told, *acts, subject=("race",), rest=REST)
            return
        ahead = [self.act(*beside, replace(race, ahead=share), seconds=s) for share, s in ((0.01, 0.4), (1.0, 1.6))]
        instead, alone = say("So its first token comes after {} instead of {}.", *times), self.alone()
        if alone is None or alone.value >= times[0].value:
            self.shot(told, *acts, subject=("race",))
            self.shot(instead, *ahead, subject=("race",), rest=REST)
            return
        self.shot(told, *acts, *ahead, subject=("race",))
        why = self.short(say("Why not even sooner? One token alone takes {}.", alone), instead)
        last = self.act(*beside, replace(race, ahead=1.0, alone=alone), seconds=1.0)
        self.shot(why, last, subject=("race",), rest=REST)

    def alone(self) -> Measure | None:
        """What the first step took to decode that gave one request alone a token, and of which no lines were traced."""
        traced = {lines.step for lines in self.history.events(Lines)}
        steps = (step for step in range(len(self.steps)) if step not in traced)
        step = next((step for step in steps if len(self.history.decoded(step)) == 1), None)
        return None if step is None else self.ask.phase_time("decode", step)
