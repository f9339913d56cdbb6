"""The LRU order of cached pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("lru", "lru_hidden")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Another order, or a wrong count of those not shown."""
    if "lru" in shown:
        truth, hidden = state.lru, shown["lru_hidden"]
        if [*shown["lru"]] != truth[: len(truth) - hidden]:
            yield Difference("lru", shown["lru"], truth)
