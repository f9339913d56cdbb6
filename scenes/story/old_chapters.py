"""What the storyboards of single events have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from astrai_sim.trace import Event, State, Trace
from scenes.story.beats import Advance, Beat, ClosePanel, Fact, Hold, Section, ShowFacts
from scenes.story.errors import DoesNotApply
from scenes.story.figures import PoolFigures
from scenes.story.limits import LARGEST, reading_time
from scenes.story.runs import prompt_len
from scenes.story.teller import Teller


def require_single_pages(film: str, trace: Trace) -> None:
    """Raise DoesNotApply for a pool too large to show page by page, and for runs of pages."""
    if trace.header.detail != "full":
        raise DoesNotApply(
            f'{film} tells single pages and the trace has runs of them: record with detail = "full" in [record]'
        )
    n_pages = trace.header.scenario.cache.n_pages
    if n_pages > LARGEST:
        raise DoesNotApply(f"{film} shows each page and the trace has {n_pages}: at most {LARGEST} fit")


def subject(film: str, trace: Trace, event: str, needed: str) -> Event:
    """The first `event` of a trace of single pages, which the film is about.

    Raises DoesNotApply as `require_single_pages` does, and saying what is `needed` where
    there is no such event.
    """
    require_single_pages(film, trace)
    found = next(trace.find(event=event), None)
    if found is None:
        raise DoesNotApply(f"{film} needs {needed}")
    return found


MORE, ASIDE, CODE, FRAME, WORDS = 1, 2, 3, 4, 5
"""How early things are left out of a short film: the higher, the earlier."""


class Chapters:
    """Sections told in order by one teller.

    `stage` names the parts that stand in every section; `budget` says how many
    calls of each function are told line by line over the whole film.
    """

    stage: tuple[str, ...] = ("pool", "mask", "tables", "queue", "lru", "meters")

    def __init__(self, trace: Trace, budget: dict[str, int]) -> None:
        self.trace = trace
        self.pool = PoolFigures.of(trace)
        self.size = self.pool.page_size
        self.end = len(trace) - 1
        self.submitted = {event.task: event for event in trace.find(event="task_submitted")}
        self.said: set[str] = set()
        self.teller = Teller(trace, budget, self.caption_of, dict.fromkeys(budget, CODE))

    def caption_of(self, event: Event) -> str | None:
        """The sentence for an event that the teller comes to, or None."""
        return None

    def once(self, key: str, text: str) -> str | None:
        """`text` the first time that `key` comes up, else None."""
        if key in self.said:
            return None
        self.said.add(key)
        return text

    def section(
        self, key: str, title: str, start: int, detail: int = 0, stage: tuple[str, ...] | None = None
    ) -> Section:
        """The beats told since `begin`, as a section that starts after event `start`."""
        self.teller.close_panel()
        stage = self.stage if stage is None else stage
        return Section(key, title, start, tuple(self.teller.beats), stage, detail=detail)

    def advance(self, until: int, caption: str | None = None, seconds: float = 1.0) -> None:
        """Show the state after event `until`."""
        self.teller.add(Advance(max(until, self.teller.last), caption, seconds))

    def say(self, caption: str, seconds: float = 0.0, detail: int = 0) -> None:
        """A sentence about what stands there."""
        self.teller.add(Hold(self.teller.last, caption, seconds, detail=detail))

    def panel(self, beat: Beat, *more: Beat, seconds: float = 0.0, detail: int = 0, close: bool = True) -> None:
        """Open a panel with `beat`, go on with `more`, stand for `seconds`, close it.

        It stands at least until the last caption can have been read. With `close` False
        it stays to the section's end.
        """
        spoken = [item.caption for item in (beat, *more) if item.caption]
        last = Hold(self.teller.last, seconds=max(seconds, *map(reading_time, spoken[-1:])))
        ends = (ClosePanel(self.teller.last),) if close else ()
        for item in (beat, *more, last, *ends):
            self.teller.add(replace(item, detail=detail))

    def figures(self, facts: Sequence[Fact]) -> Section:
        """The last section: what is left of the run in time-lapse, then `facts` about all of it.

        Nothing else stands in the panel's place, and the facts stay to the end.
        """
        start = self.teller.last
        self.teller.begin(start)
        self.advance(self.end, seconds=1.6)
        self.panel(
            ShowFacts(
                self.end, "Every figure was counted from the recorded trace.", "This run in figures", tuple(facts)
            ),
            seconds=3.0,
            close=False,
        )
        stage = tuple(name for name in self.stage if name not in ("meters", "shelf"))
        section = self.section("summary", "What the trace says", start, FRAME, stage)
        return replace(section, stays=True)

    def arrive(self, task: str, caption: str) -> None:
        """Show the request's submission, where that is still to come."""
        self.advance(self.submitted[task].seq, caption, 0.8)

    # looking for moments

    def state(self) -> State:
        """What the picture shows after the beats told so far."""
        return self.trace.state_at(self.teller.last)

    def prompt_len(self, task: str) -> int:
        """Prompt tokens of a request."""
        return prompt_len(self.submitted[task])

    def step_start(self, seq: int) -> int:
        """The event before the step that event `seq` belongs to."""
        step = self.trace[seq].step
        begins = (e.seq for e in self.trace.find(event="step_begin", before=seq + 1))
        return max((s for s in begins if self.trace[s].step == step), default=seq) - 1

    def phase_begin(self, seq: int) -> int:
        """The begin of the phase that event `seq` belongs to."""
        return max(e.seq for e in self.trace.find(event="phase_begin", before=seq + 1))

    def before_arrival(self, task: str, seq: int, after: int) -> int:
        """The event before `task` comes into view: its submission, or the step of `seq`.

        Never before event `after`.
        """
        submitted = self.submitted[task].seq - 1
        return submitted if submitted >= after else max(after, self.step_start(seq))

    def phase_end(self, phase: str, seq: int) -> int:
        """The end of the first `phase` phase that ends after event `seq` and has tasks."""
        for event in self.trace.find(event="phase_end", after=seq):
            if event.phase == phase and event.tasks:
                return event.seq
        return self.end

    def prefill_end(self, task: str, seq: int) -> int:
        """The end of the prefill phase that completes `task` after event `seq`."""
        done = next(self.trace.find(event="task_prefilled", task=task, after=seq), None)
        return self.end if done is None else self.phase_end("prefill", done.seq)


def listed(items: Sequence[object], most: int = 6) -> str:
    """`1`, `1 and 2`, `1, 2 and 3`; beyond `most` items only how many there are."""
    texts = [str(item) for item in items]
    if len(texts) > most:
        return f"{len(texts)} in all"
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"


def counted(n: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def pages_text(pages: Sequence[int]) -> str:
    """`page 4`, `pages 0, 1 and 2`, `8 pages`."""
    if len(pages) > 6:
        return f"{len(pages)} pages"
    return f"{'page' if len(pages) == 1 else 'pages'} {listed(pages)}"


def sentence(text: str) -> str:
    """`text` with its first letter made a capital."""
    return text[:1].upper() + text[1:]
