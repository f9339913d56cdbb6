"""Points of charts' curves from a run's series."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from astrai_sim.trace import Series

Points = tuple[tuple[int, float, float], ...]


def steps_done(series: Series) -> np.ndarray:
    """Steps finished by the end of each step, the x of a chart over steps."""
    return series.step + 1


def seconds(series: Series) -> np.ndarray:
    """Seconds of the run by the end of each step, the x of a chart over time."""
    return series.end_ns / 1e9


def points(seqs: Iterable[int], x: np.ndarray, values: np.ndarray, first: float | None = 0) -> Points:
    """`values` as of the events `seqs`, drawn at `x`.

    They start from `first` at 0 before the run, unless that is None.
    """
    start = [] if first is None else [(-1, 0.0, first)]
    rows = zip(list(seqs), x.tolist(), values.tolist(), strict=True)
    return (*start, *((int(seq), float(at), value) for seq, at, value in rows))
