"""What the storyboards of all films have in common: chapters that one teller tells in order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from astrai_sim.trace import Event, State, Trace
from scenes.measures import Measure, joined, say
from scenes.story.beats import Advance, Beat, ClosePanel, Fact, Hold, Prop, Section, ShowFacts, Storyboard
from scenes.story.errors import DoesNotApply
from scenes.story.limits import LARGEST, reading_time
from scenes.story.measures import Ask
from scenes.story.teller import Teller

MORE, ASIDE, CODE, FRAME, WORDS = 1, 2, 3, 4, 5
"""How early things are left out of a short film: the higher, the earlier."""


E = TypeVar("E", bound=Event)


def fact(label: str, *values: Measure) -> Fact:
    """A figure with what it means; two `values` stand as 3/4."""
    return Fact(joined("/", values), label)


class Chapters:
    """A film's chapters for one trace. A subclass gives `sections`, each made by a method that says
    `begin`, then `advance`, `say`, `panel` or what the teller can, and returns `section`.

    `stage` names the parts that stand in every section, `props` what they need besides; `budget`
    says how many calls of each function are told line by line over the whole film, `code_detail` how
    early each is left out (else `CODE`). With `phases` the step and its phase stand at the top right.
    """

    stage: tuple[str, ...] = ("pool", "mask", "tables", "queue", "lru", "meters")
    props: tuple[Prop, ...] = ()
    budget: ClassVar[dict[str, int]] = {}
    code_detail: ClassVar[dict[str, int]] = {}
    phases: ClassVar[bool] = True

    def __init__(self, film: str, trace: Trace) -> None:
        self.film = film
        self.trace = trace
        self.ask = Ask(trace)
        self.history = self.ask.history
        self.requests = self.history.requests
        self.steps = self.history.steps
        self.pages = self.history.pages
        self.end = self.history.last
        self.start = -1
        self.said: set[str] = set()
        details = dict.fromkeys(self.budget, CODE) | self.code_detail
        self.teller = Teller(trace, self.budget, self.caption_of, details)

    def sections(self) -> Iterator[Section]:
        """All chapters that the trace has events for; each starts where the one before ended."""
        raise NotImplementedError

    def storyboard(self) -> Storyboard:
        """The film for this trace."""
        return Storyboard(self.film, tuple(self.sections()))

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, or None."""
        return None

    # what a film needs

    def need_single_pages(self) -> None:
        """Raise DoesNotApply for a pool too large to show page by page, and for runs of pages."""
        if self.trace.header.detail != "full":
            raise DoesNotApply(
                f"{self.film} tells single pages and the trace has runs of them: "
                'record with detail = "full" in [record]'
            )
        if self.ask.n_pages > LARGEST:
            raise DoesNotApply(
                f"{self.film} shows each page and the trace has {self.ask.n_pages}: at most {LARGEST} fit"
            )

    def need(self, kind: type[E] | str, what: str, after: int = -1, **fields: Any) -> E:
        """The first event of a kind after event `after` with these `fields`, which the film is about.

        Raises DoesNotApply saying `what` it needs.
        """
        found = self.history.first(kind, after, **fields)
        if found is None:
            raise DoesNotApply(f"{self.film} needs {what}")
        return found

    # telling

    @property
    def at(self) -> int:
        """The event that was told last."""
        return self.teller.last

    def state(self) -> State:
        """What the picture shows after the beats told so far."""
        return self.ask.state(self.at)

    def once(self, key: str, text: str) -> str | None:
        """`text` the first time that `key` comes up, else None."""
        if key in self.said:
            return None
        self.said.add(key)
        return text

    def begin(self, start: int | None = None, functions: Collection[str] = ()) -> None:
        """Begin a section after event `start` (None: where the last ended); only `functions` are
        told line by line in it."""
        self.start = self.at if start is None else start
        self.teller.begin(self.start, functions)

    def section(
        self,
        key: str,
        title: str,
        detail: int = 0,
        stage: tuple[str, ...] | None = None,
        props: tuple[Prop, ...] | None = None,
        stays: bool = False,
    ) -> Section:
        """The beats told since `begin`."""
        self.teller.close_panel()
        return Section(
            key,
            title,
            self.start,
            tuple(self.teller.beats),
            self.stage if stage is None else stage,
            self.props if props is None else props,
            detail,
            self.phases,
            stays,
        )

    def advance(self, until: int, caption: str | None = None, seconds: float = 1.0, detail: int = 0) -> None:
        """Show the state after event `until`."""
        self.teller.add(Advance(max(until, self.at), caption, seconds, detail=detail))

    def say(self, caption: str | None, seconds: float = 0.0, detail: int = 0) -> None:
        """A sentence about what stands there."""
        self.teller.add(Hold(self.at, caption, seconds, detail=detail))

    def panel(self, beat: Beat, *more: Beat, seconds: float = 0.0, detail: int = 0, close: bool = True) -> None:
        """Open a panel with `beat`, go on with `more`, stand for `seconds`, close it.

        It stands at least until the last caption can have been read. With `close` False
        it stays to the section's end.
        """
        spoken = [item.caption for item in (beat, *more) if item.caption]
        last = Hold(self.at, seconds=max(seconds, *map(reading_time, spoken[-1:])))
        ends = (ClosePanel(self.at),) if close else ()
        for item in (beat, *more, last, *ends):
            self.teller.add(replace(item, detail=detail))

    def figures(self, facts: Sequence[Fact]) -> Section:
        """The last section: what is left of the run in time-lapse, then `facts` about all of it.

        Nothing else stands in the panel's place, and the facts stay to the end.
        """
        self.begin()
        self.advance(self.end, seconds=1.6)
        told = "Every figure was counted from the recorded trace."
        self.panel(ShowFacts(self.end, told, "This run in figures", tuple(facts)), seconds=3.0, close=False)
        stage = tuple(name for name in self.stage if name not in ("meters", "shelf"))
        return self.section("summary", "What the trace says", FRAME, stage, stays=True)

    def arrive(self, task: str, caption: str) -> None:
        """Show the request's submission, where that is still to come."""
        self.advance(self.requests[task].submitted.seq, caption, 0.8)

    def before_arrival(self, task: str, seq: int, after: int) -> int:
        """The event before `task` comes into view: its submission, or the step of `seq`.

        Never before event `after`.
        """
        submitted = self.requests[task].submitted.seq - 1
        return submitted if submitted >= after else max(after, self.steps.before(seq))

    def prefill_end(self, task: str, seq: int) -> int:
        """The end of the prefill phase that completes `task` after event `seq`."""
        done = self.requests[task].prefilled(seq + 1)
        return self.end if done is None else self.steps.next_phase("prefill", done.seq)


def requests_finished(ask: Ask) -> Fact:
    """How many requests there were, and how many finished."""
    return fact(say("requests, {} finished", ask.finished()), ask.requests())
