"""The pool as a strip, and beside it the one without pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from astrai_sim.trace import State, Trace
from scenes.check.recorded import Difference, Recorded
from scenes.story.contiguous import Layout, at_step, loads, simulate
from scenes.story.figures import status_text

NAMES = ("contiguous", "paged")


@lru_cache(maxsize=4)
def computed(trace: Trace) -> list[Layout]:
    """What the trace's requests do in a pool without pages."""
    cache = trace.header.scenario.cache
    return simulate(loads(trace), cache.n_pages * cache.page_size, trace.header.scenario.scheduler.max_batch)


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong stretches, holes, counts and steps on either side."""
    if "contiguous" in shown:
        yield from _compare("contiguous", shown["contiguous"], _whole(shown, state, recorded))
        if recorded.beyond and recorded.until != len(recorded.trace) - 1:
            yield Difference("steps beyond the recording", recorded.beyond, 0)
    if "paged" in shown:
        yield from _compare("paged", shown["paged"], _paged(state, recorded))


def layout_of(state: State, recorded: Recorded) -> Layout:
    """The pool without pages at the step of `state`, or later where the recording is over."""
    step = state.step + recorded.beyond
    return at_step(computed(recorded.trace), step, state.n_pages * state.page_size)


def _compare(side: str, shown: Mapping, truth: Mapping) -> Iterator[Difference]:
    for name, value in truth.items():
        if shown[name] != value:
            yield Difference(f"{side} {name}", shown[name], value)


def _whole(shown: Mapping, state: State, recorded: Recorded) -> dict:
    layout = layout_of(state, recorded)
    sizes = [size for _, size in layout.holes()]
    written = shown["contiguous"]["holes"]
    return {
        "step": layout.step,
        "stretches": [(p.task, p.start, p.size, p.used) for p in layout.pieces],
        "status": status_text(len(layout.pieces), layout.waiting),
        "holes": written if _in_order(written, sizes) else sizes,
    }


def _in_order(some: list[int], whole: list[int]) -> bool:
    """Whether `some` is `whole` with some left out: small holes have no room for a figure."""
    rest = iter(whole)
    return all(size in rest for size in some)


def _paged(state: State, recorded: Recorded) -> dict:
    stretches = []
    for page in range(state.n_pages):
        if state.page_state(page) == "free":
            continue
        owners = recorded.owners(state, page)
        holder = min(owners, key=recorded.tasks.index, default="")
        used = max((_held(state, task, page) for task in owners), default=state.page_size)
        stretches.append((holder, page * state.page_size, state.page_size, used))
    held = sum(bool(pages) for pages in state.tables.values())
    return {"step": state.step, "stretches": stretches, "status": status_text(held, state.waiting), "holes": []}


def _held(state: State, task: str, page: int) -> int:
    """Slots of `page` that hold a token of `task`."""
    before = state.tables[task].index(page) * state.page_size
    return min(state.page_size, max(0, state.tasks[task].kv_len - before))
