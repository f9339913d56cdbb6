"""Time-lapses: where a stretch of the run is shown on the way through it."""

from __future__ import annotations

import numpy as np

from astrai_sim.trace import Series
from scenes.story.beats import TimeLapse

STOPS_A_SECOND = 10


def lapse(
    series: Series, start: int, until: int, seconds: float, caption: str | None = None, detail: int = 0
) -> TimeLapse:
    """The beat that runs from the end of the step at event `start` to that at `until`.

    It stops at ends of steps that lie evenly in the run's time, each once.
    """
    first, last = np.searchsorted(series.seq, [start, until])
    inside = series.end_ns[first : last + 1]
    if not len(inside):
        return TimeLapse(until, caption, seconds, detail=detail)
    wanted = np.linspace(inside[0], inside[-1], max(2, round(seconds * STOPS_A_SECOND)) + 1)[1:-1]
    places = np.unique(first + np.searchsorted(inside, wanted))
    stops = tuple(int(seq) for seq in series.seq[places] if start < seq < until)
    return TimeLapse(until, caption, seconds, stops, detail=detail)
