"""Counts of pages, and the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("census", "clock")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong counts of pages in use, cached and free; a wrong time."""
    if "census" in shown:
        states = state.page_states()
        truth = tuple(int(np.count_nonzero(states == kind)) for kind in (1, 2, 0))
        if tuple(shown["census"]) != truth:
            yield Difference("census (in use, cached, free)", tuple(shown["census"]), truth)
    if "clock" in shown:
        truth = f"{state.ns / 1_000_000_000:,.1f} s"
        if shown["clock"] != truth:
            yield Difference("clock", shown["clock"], truth)
