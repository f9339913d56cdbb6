"""Filled slots of the tables' pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("meters", "meters_shared", "meters_total")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong filled or reserved slots of a task, or of all tasks together."""
    for task, counts in shown.get("meters", {}).items():
        pages = state.tables.get(task, ())
        filled = sum(int(recorded.filled(state, page).sum()) for page in pages)
        truth = (filled, len(pages) * state.page_size)
        if tuple(counts) != truth:
            yield Difference(f"meters[{task}] (filled, reserved)", tuple(counts), truth)
    for task, count in shown.get("meters_shared", {}).items():
        order = list(recorded.tasks)
        earlier = {page for name in order[: order.index(task)] for page in state.tables.get(name, ())}
        truth = sum(int(recorded.filled(state, page).sum()) for page in state.tables.get(task, ()) if page in earlier)
        if count != truth:
            yield Difference(f"meters_shared[{task}]", count, truth)
    if "meters_total" in shown:
        held = [page for page, ref in enumerate(state.refs) if ref]
        filled = sum(int(recorded.filled(state, page).sum()) for page in held)
        truth = (filled, len(held) * state.page_size)
        if tuple(shown["meters_total"]) != truth:
            yield Difference("meters_total (filled, reserved)", shown["meters_total"], truth)


def total(state: State) -> tuple[int, int]:
    """Slots that the tasks' lengths fill, and slots of all pages that their tables hold.

    A shared page counts once.
    """
    filled: dict[int, int] = {}
    for task, pages in state.tables.items():
        left = state.tasks[task].kv_len
        for page in pages:
            filled[page] = max(filled.get(page, 0), min(state.page_size, left))
            left = max(0, left - state.page_size)
    return sum(filled.values()), len(filled) * state.page_size
