"""What is told of a trace that knows only which blocks are cached: that they come and go, and what no event says."""

import math
from collections.abc import Iterator

import numpy as np

from astrai_sim.trace import Trace
from scenes.measures import Said, say
from scenes.parts.elapsed import Elapsed
from scenes.parts.map import Map
from scenes.parts.part import Part
from scenes.stage.shot import Act, Section
from scenes.stage.telling import STOPS_A_SECOND, Telling
from scenes.story.errors import DoesNotApply
from scenes.story.limits import reading_time
from scenes.story.needs import Needs
from scenes.story.words import are, counted

HOOK, READ = 3.0, 1.5
"""Seconds of the hook, and those beyond its reading time for which a sentence stands."""
LEAST, PACE = 60, 6
"""Messages that must change what is cached, and those that are shown in a second at least: fewer would stand still."""


class MembershipTelling(Telling):
    """The fullest moment under the question, all messages in time-lapse, and what is known at the end.

    `peak` is the end of the message after which most blocks were cached, `last` that of the last one.
    """

    phases = False
    needs = Needs(membership=True)

    def __init__(self, film: str, trace: Trace) -> None:
        super().__init__(film, trace)
        self.series = self.history.series
        if not len(self.series) or not self.series.end_ns[-1]:
            raise DoesNotApply(f"{film} shows cached blocks over time, and all messages of the trace came at one time")
        self.last = int(self.series.seq[-1])
        self.peak = int(self.series.seq[self.series.cached.argmax()])
        cached = self.series.cached
        moved = (np.diff(cached, prepend=0) != 0) | (self.series.evictions > 0)
        self.changes = self.series.seq[moved]
        """The ends of messages after which other blocks are cached than before."""
        if len(self.changes) < LEAST:
            raise DoesNotApply(
                f"{film} shows cached blocks in time-lapse, from {LEAST} messages on that change them: "
                f"the trace has {len(self.changes)}"
            )
        sentences = sum(reading_time(text) + READ for text in self.sentences())
        stops = min(len(self.changes), sentences * STOPS_A_SECOND)
        self.map = Map(fresh=math.ceil(len(self.series) / stops))
        self.frame: tuple[Part, ...] = (self.map, Elapsed(steady=False))

    def sections(self) -> Iterator[Section]:
        yield self.hook()
        yield self.messages()
        yield self.takeaway()

    def hook(self) -> Section:
        """From half as many cached blocks to the most, or a longer way where that is too short to be watched."""
        least = round(HOOK * PACE)
        until = max(self.peak, int(self.changes[least - 1]))
        half = int(self.series.seq[(2 * self.series.cached >= self.series.cached.max()).argmax()])
        before = self.changes[: np.searchsorted(self.changes, until) - least + 1]
        self.begin(min(half, int(before[-1]) if len(before) else -1))
        asked = self.question(say("Which of {} places hold a cached block?", self.ask.pool_pages()))
        self.shot("", self.through((asked, self.map), until, HOOK), subject=("map",))
        title = self.trace.header.scenario.title
        return self.section("hook", say("{}", self.ask.header(title)) if title else "Cached blocks", cut=True)

    def through(self, parts: tuple[Part, ...], until: int, seconds: float) -> Act:
        """A time-lapse to event `until` in which messages that change something follow one another evenly."""
        stops = self.changes[(self.changes > self.at) & (self.changes < until)]
        every = max(1, -(-len(stops) // max(1, round(seconds * STOPS_A_SECOND))))
        self.at = max(self.at, until)
        return Act(self.at, parts, seconds, {}, (*stops[::every].tolist(), self.at))

    def messages(self) -> Section:
        """All messages, cut into a shot for each sentence, as many changes in each second."""
        told = self.sentences()
        seconds = [reading_time(text) + READ for text in told]
        self.begin(-1)
        places = (np.cumsum(seconds) / sum(seconds) * len(self.changes)).round().astype(int) - 1
        for text, place, long in zip(told, places.tolist(), seconds, strict=True):
            end = self.last if text is told[-1] else int(self.changes[place])
            self.shot(text, self.through(self.frame, end, long), subject=("map",))
        return self.section("messages", "What the messages say", cut=True)

    def sentences(self) -> list[Said]:
        """What is said, the less of it the fewer messages change something; in the order in which it is told."""
        ask, gone, lost = self.ask, self.ask.blocks_removed(), self.ask.messages_missed()
        of = counted(ask.messages(), "message")
        stored = say("{} store {}; new ones stand out.", of, counted(ask.blocks_stored(), "block"))
        places = say("Places are handed out here: no event names a page.")
        removed = say("{} {} removed, and places are free again.", counted(gone, "block"), are(gone))
        missing = say("{} {} missing: what they said is not known.", counted(lost, "message"), are(lost))
        unknown = say("Who uses a block, and how often, no event says.")
        wanted = [stored, unknown, *([missing] if lost.value else []), *([removed] if gone.value else []), places]
        while len(wanted) > 1 and sum(reading_time(text) + READ for text in wanted) * PACE > len(self.changes):
            wanted.pop()
        return [text for text in (stored, places, removed, missing, unknown) if text in wanted]

    def takeaway(self) -> Section:
        """What these events are good for, and the most that were cached."""
        text = say("Cache events say what can be found again, not who holds it.")
        return self.ending("What is known", text, say("{}", self.ask.blocks_peak()), "blocks cached at most", Map())
