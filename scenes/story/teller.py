"""Turns a stretch of a trace's events into beats."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from astrai_sim.trace import Event, Trace
from scenes.measures import say
from scenes.story.beats import Advance, Beat, ClosePanel, Hold, RunCode
from scenes.story.lapse import lapse
from scenes.story.limits import LARGEST
from scenes.story.measures import Ask
from scenes.story.source import open_code, steps_of

STRUCTURAL = {
    "pages_alloc",
    "pages_ref",
    "pages_free",
    "pages_evicted",
    "pages_revived",
    "pages_cached",
    "task_preempted",
}
WHOLE = STRUCTURAL - {"pages_evicted"}
FOLLOWERS = STRUCTURAL | {"table", "pages_keyed"}
CHANGING = {"PagedCache.alloc", "PagedCache.evict", "PagedCache.grow", "PagedCache.inc_ref", "PagedCache.free"}
MOST_CHANGES = 9
FEW = 27
"""Page changes in a stretch up to which some are shown singly."""

LONG = 4000
"""Events from which on a stretch is told closely only at its beginning."""

CLOSE = 1500
LONG_SECONDS = 8.0
CODE = 2
CHANGE = 2
LAPSE = 3
FEW_STEPS = 3
"""Steps from which on a stretch is called a time-lapse."""


class Teller:
    """Tells events in order: functions line by line until their budget is spent,
    single page changes while there are few, everything else in time-lapse.

    Parameters
    ----------
    trace
        The trace that is told.
    budget
        For each shown function, how many of its recorded calls are stepped
        through line by line, over the whole film.
    caption_of
        Gives the caption for the first event of a kind, or None.
    code_detail
        For each shown function, the `detail` of the beats that step through it
        (default `CODE`).
    """

    def __init__(
        self,
        trace: Trace,
        budget: dict[str, int],
        caption_of: Callable[[Event], str | None] = lambda event: None,
        code_detail: Mapping[str, int] | None = None,
    ) -> None:
        self.trace = trace
        self.ask = Ask(trace)
        self.large = trace.header.scenario.cache.n_pages > LARGEST
        self.budget = dict(budget)
        self.caption_of = caption_of
        self.code_detail = dict(code_detail or {})
        self.beats: list[Beat] = []
        self.functions: set[str] = set()
        self.panel: str | None = None
        self.last = -1

    def begin(self, start: int, functions: Collection[str] = ()) -> None:
        """Start a section whose first picture is the state after event `start`.

        Only `functions` are told line by line in it.
        """
        self.beats = []
        self.functions = set(functions)
        self.panel = None
        self.last = start

    def add(self, beat: Beat) -> None:
        """Append a beat made elsewhere."""
        self.beats.append(beat)
        self.last = max(self.last, beat.until)

    def tell(self, until: int, seconds: float = 1.2, pace: float = 1.0) -> None:
        """Tell the events after the last told one up to and including `until`.

        Of a long stretch the beginning is told closely, the rest in one time-lapse.
        """
        if until - self.last > LONG:
            near = self.ask.history.steps.done_by(self.last + CLOSE)
            if near > self.last:
                self.tell(near, seconds, pace)
            self._run_on(until)
            return
        events = [self.trace[i] for i in range(self.last + 1, until + 1)]
        changes = sum(event.event in STRUCTURAL for event in events)
        every = max(1, -(-changes // MOST_CHANGES)) if changes <= FEW else changes + 1
        seen = 0
        index = 0
        while index < len(events):
            event = events[index]
            if event.event == "lines" and self._worth_telling(event):
                end = self._explained(events, index)
                self._stretch(event.seq - 1, seconds)
                self._run_code(event, events[end].seq, pace)
                self._say(events[index + 1 : end + 1])
                seen += sum(e.event in STRUCTURAL for e in events[index : end + 1])
                index = end + 1
                continue
            if event.event in STRUCTURAL:
                seen += 1
                if seen % every == 0:
                    end = index
                    after = {"table", "pages_alloc"} if event.event == "pages_evicted" else {"table"}
                    while end + 1 < len(events) and events[end + 1].event in after:
                        end += 1
                    self._stretch(events[index].seq - 1, seconds, quiet=True)
                    caption = self.caption_of(event)
                    self._advance(events[end].seq, 0.9, caption, 0 if caption else CHANGE)
                    index = end + 1
                    continue
            index += 1
        self._stretch(until, seconds)

    def _run_on(self, until: int) -> None:
        """Time-lapse to `until`, with the captions of what comes first in it."""
        self.close_panel()
        near = range(self.last + 1, min(until, self.last + CLOSE) + 1)
        told = (self.trace[i] for i in near)
        captions = (self.caption_of(event) for event in told if event.event != "lines")
        caption = next((text for text in captions if text), None)
        self.add(lapse(self.ask.history.series, self.last, until, LONG_SECONDS, caption))

    def _worth_telling(self, event: Event) -> bool:
        return event.function in self.functions and self.budget.get(event.function, 0) > 0

    def close_panel(self) -> None:
        """Clear the panel if it shows something: what it says is over."""
        if self.panel is not None:
            self.beats.append(ClosePanel(self.last))
            self.panel = None

    def _explained(self, events: list[Event], index: int) -> int:
        """Index of the last event that the lines at `index` brought about."""
        end = index
        if events[index].function not in CHANGING:
            return end
        while end + 1 < len(events) and events[end + 1].event in FOLLOWERS:
            end += 1
            after = events[end + 1 : end + 2]
            if events[end].event in WHOLE and after and after[0].event != "table":
                break
        return end

    def _run_code(self, event: Event, until: int, pace: float) -> None:
        caption = self.caption_of(event)
        detail = self.code_detail.get(event.function, CODE)
        if self.panel != event.function:
            self.add(open_code(self.trace, event.function, self.last, caption, detail=detail))
            caption = None
            self.panel = event.function
        self.budget[event.function] -= 1
        steps = steps_of(self.trace, event)
        self.add(RunCode(until, caption, steps=steps, pace=pace, detail=detail))

    def _say(self, brought_about: list[Event]) -> None:
        """The caption, if any, for what the lines just shown have brought about."""
        caption, _ = self._first_caption(brought_about)
        if caption is not None:
            self.close_panel()
            self.add(Hold(self.last, caption, 0.5))

    def _stretch(self, until: int, seconds: float, quiet: bool = False) -> None:
        """Time-lapse to `until` if anything that the stage shows has changed."""
        if until <= self.last:
            return
        told = [self.trace[i] for i in range(self.last + 1, until + 1)]
        tokens = sum(len(event.tasks) for event in told if event.event == "tokens")
        written = any(event.event in ("kv_write", "kv_lengths") for event in told)
        if not tokens and not written and quiet:
            return
        if tokens > LAPSE:
            self.close_panel()
        longest = seconds if not tokens else max(seconds, min(5.0, 0.09 * tokens + 0.6))
        if self.large and tokens > LAPSE:
            captions = (self.caption_of(event) for event in told if event.event != "lines")
            caption = next((text for text in captions if text), None)
            self.add(lapse(self.ask.history.series, self.last, until, longest, caption))
        elif tokens > LAPSE:
            self._lapse(told, longest)
        else:
            caption, _ = self._first_caption(told)
            self._advance(until, longest if tokens or written else 0.4, caption)

    def _lapse(self, told: list[Event], seconds: float) -> None:
        """Advance over many steps, with what a caption is about shown on its own."""
        caption, at = self._first_caption(told)
        if caption is None:
            self._advance(told[-1].seq, seconds, self._lapse_caption(told))
            return
        end = at + 1
        while end < len(told) and told[end].event in FOLLOWERS:
            end += 1
        spans = [told[:at], told[end:]]
        if spans[0]:
            share = seconds * len(spans[0]) / len(told)
            self._advance(spans[0][-1].seq, share, self._lapse_caption(spans[0]))
        self._advance(told[end - 1].seq, 0.9, caption)
        if spans[1]:
            self._stretch(told[-1].seq, seconds * len(spans[1]) / len(told))

    def _first_caption(self, told: list[Event]) -> tuple[str | None, int]:
        """The first caption among those of `told`, and the index of its event."""
        for index, event in enumerate(told):
            if event.event != "lines" and (text := self.caption_of(event)):
                return text, index
        return None, -1

    def _lapse_caption(self, told: list[Event]) -> str | None:
        """How many steps a time-lapse runs through; None for fewer than are one."""
        if not told:
            return None
        steps = self.ask.between("step_end", told[0].seq - 1, told[-1].seq)
        return say("{} steps in time-lapse.", steps) if steps.value >= FEW_STEPS else None

    def _advance(self, until: int, seconds: float, caption: str | None, detail: int = 0) -> None:
        if until > self.last:
            told = (self.trace[i].event for i in range(self.last + 1, until + 1))
            if any(event in STRUCTURAL for event in told):
                self.close_panel()
            self.add(Advance(until, caption, seconds, detail=detail))
