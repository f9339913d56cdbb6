"""Counts of pages, and the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("census", "clock")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong counts of pages in use, cached and free (0 where none is shown); a wrong time."""
    if "census" in shown:
        states = state.page_states()
        counts = dict(shown["census"])
        kinds = {"in use": 1, "cached": 2, "free": 0}
        truth = {name: int(np.count_nonzero(states == kind)) for name, kind in kinds.items()}
        if dict.fromkeys(truth, 0) | counts != truth:
            yield Difference("census", counts, truth)
    if "clock" in shown:
        truth = f"{state.ns / 1_000_000_000:,.1f} s"
        if shown["clock"] != truth:
            yield Difference("clock", shown["clock"], truth)
