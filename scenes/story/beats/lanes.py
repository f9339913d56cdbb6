"""Requests side by side over time, and the tokens of single steps."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat, Prop


@dataclass(frozen=True)
class Lane:
    """One request over time, in seconds.

    `tokens` are (seq, time) of its tokens; `spans` are (seq, from, to, tokens) of the
    stretches in which its prompt was computed, known from event `seq` on.
    """

    task: str
    tokens: tuple[tuple[int, float], ...] = ()
    spans: tuple[tuple[int, float, float, int], ...] = ()


@dataclass(frozen=True)
class Lanes(Prop):
    """Lanes below one another on the time axis of the section's chart called `chart`.

    `area` as for charts; the chart's margin must leave room for the requests' names.
    `steps` are (seq, end) of the run's steps: the event that begins one, and when it ends.
    """

    title: str
    chart: str
    lanes: tuple[Lane, ...]
    area: tuple[float, float, float, float]
    steps: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True)
class StepTokens:
    """What a step computed: runs of (task, tokens, whether of a prompt).

    Decoding requests come first, as they take their share of a token budget first. `facts`
    are written beside it, each on a line of its own.
    """

    runs: tuple[tuple[str, int, bool], ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class ShowSteps(Beat):
    """Show in the panel what the first `shown` of `steps` computed.

    A cell stands for a token, `columns` to a line; there is room for all `steps`.
    """

    title: str = ""
    steps: tuple[StepTokens, ...] = ()
    columns: int = 64
    shown: int = 1
