"""Tapes: tokens of a request that are computed, that are only known, and that are refused; where they are wired to."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@vouches("page.logical")
def page_logical(witness: Witness, task: str, page: int, at: int) -> int:
    """The entry of a request's table that names the page."""
    table = witness.state(at).tables.get(task, [])
    if page not in table:
        raise LookupError(f"{task} does not hold page {page}")
    return table.index(page)


@vouches("tile.tokens")
def tile_tokens(witness: Witness, task: str, logical: int, at: int) -> int:
    """Tokens of a request that fall into a page of its table."""
    left = witness.state(at).tasks[task].n_tokens - logical * witness.page_size
    return max(0, min(left, witness.page_size))


@vouches("tape.folded")
def tape_folded(witness: Witness, task: str, shown: int, at: int) -> int:
    """Pages of a request beside those that are drawn."""
    tokens = witness.state(at).tasks[task].n_tokens
    return max(-(-tokens // witness.page_size), len(witness.state(at).tables.get(task, []))) - shown


@shows("tape", fades=True)
def tape(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[int, int]]:
    """Tokens computed, and tokens known beside them, of each request shown."""
    found = {}
    for task in shown["tape"]:
        tasks = witness.state(at).tasks
        gone = task not in tasks or (tasks[task].status == "finished" and task not in witness.state(at).tables)
        stored = 0 if gone else tasks[task].kv_len
        found[task] = (stored, 0 if gone else tasks[task].n_tokens - stored)
    return found


@shows("wires", fades=True)
def wires(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[int, ...]]:
    """Entries that are wired: any that the table has."""
    return {
        task: tuple(place for place in places if place < len(witness.state(at).tables.get(task, [])))
        for task, places in shown["wires"].items()
    }


@shows("pool.frames", fades=True)
def frames(witness: Witness, at: int, shown: Mapping) -> dict[int, str]:
    """Which pages have the dashed frame of cached ones; one that acts has a solid one."""
    kinds = {page: witness.state(at).page_state(page) for page in shown["pool.frames"]}
    drawn = shown["pool.frames"]
    return {page: "cached" if kind == "cached" and drawn[page] == "cached" else "frame" for page, kind in kinds.items()}


@shows("pool.bands", fades=True)
def bands(witness: Witness, at: int, shown: Mapping) -> dict[int, list[str]]:
    """The holders of every page that is shown with bands, in order of submission."""
    pages = shown["pool.frames"]
    held = {page: witness.owners(page, at) for page in pages}
    return {page: held[page] for page in pages if held[page] and (page in shown["pool.bands"] or len(held[page]) <= 1)}


@shows("pool.slots", fades=True)
def slots(witness: Witness, at: int, shown: Mapping) -> dict[int, int]:
    """Slots of each page whose K and V are valid."""
    return {page: witness.slots(page, at) for page in shown["pool.slots"]}


@shows("pool.ghosts", fades=True)
def ghosts(witness: Witness, at: int, shown: Mapping) -> dict[int, int]:
    """Slots of each page in which something is left behind."""
    return {page: len(written_by(witness.trace, page, at)) - witness.slots(page, at) for page in shown["pool.ghosts"]}


def written_by(trace: Trace, page: int, at: float) -> dict[int, tuple[str, int, int]]:
    """For every slot of a page that was ever written: by whom, for which page of its table, at which event."""
    found: dict[int, tuple[str, int, int]] = {}
    for seq, first, end, task, logical in _writes(trace).get(page, []):
        if seq <= at:
            found.update(dict.fromkeys(range(first, end), (task, logical, seq)))
    return found


@lru_cache(maxsize=4)
def _writes(trace: Trace) -> dict[int, list[tuple[int, int, int, str, int]]]:
    """Of each page the events that wrote to it, the slots (first, and that after the last), whose
    tokens those were and which page of its table."""
    found: dict[int, list[tuple[int, int, int, str, int]]] = {}
    size = trace.header.scenario.cache.page_size
    for event in trace.find(event="kv_write"):
        for span in event.spans:
            position = span.start
            for page, first, end in span.slots:
                found.setdefault(page, []).append((event.seq, first, end, span.task, position // size))
                position += end - first
    for event in trace.find(event="kv_lengths"):
        state = trace.state_at(event.seq)
        for task, count in zip(event.tasks, event.counts, strict=True):
            end = state.tasks[task].kv_len
            for position in np.arange(end - count, end):
                logical, slot = divmod(int(position), size)
                found.setdefault(state.tables[task][logical], []).append((event.seq, slot, slot + 1, task, logical))
    return found


@shows("knock", fades=True)
def knock(witness: Witness, at: int, shown: Mapping) -> tuple:
    """The request and the page, if the token has no slot yet and the page is neither free nor its own with room."""
    task, page = shown["knock"]
    state = witness.state(at)
    if state.tasks[task].kv_len >= state.tasks[task].n_tokens:
        return task, "the token has a slot"
    if page is None or state.page_state(page) == "in use":
        return task, page
    return task, f"page {page} is {state.page_state(page)}"
