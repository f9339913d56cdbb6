"""What cached pages keep."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("shelf", "shelf_hidden")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Another order of pages, or other tokens than those that the page was keyed for."""
    if "shelf" in shown:
        truth = [(page, *_kept(page, state.page_size, recorded)) for page in state.lru]
        truth = truth[: len(truth) - shown["shelf_hidden"]]
        if [tuple(kept) for kept in shown["shelf"]] != truth:
            yield Difference("shelf (page, task, first, last)", shown["shelf"], truth)


def _kept(page: int, size: int, recorded: Recorded) -> tuple[str, int, int]:
    """Task and token positions of the latest key of `page`; read back from event to event."""
    for seq in range(recorded.until, -1, -1):
        event = recorded.trace[seq]
        if event.event == "pages_keyed" and event.page == page:
            return event.task, size * event.logical, size * (event.logical + 1) - 1
    return "", -1, -1
