"""The map of a large pool: the colour of every cell, and what is in pages seen from near."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

OTHERS, KEPT, DIM = 0.68, 0.45, 0.35
"""How far grey pages and cached ones are from muted towards the ground; what is left of a map stepped back."""


@lru_cache(maxsize=4)
def _places(trace: Trace) -> dict[str, int]:
    """Place of each request by its first admission."""
    lives = Witness.of(trace).lives.values()
    came = sorted((life for life in lives if life.admitted), key=lambda life: life.admitted[0].seq)
    return {life.task: place for place, life in enumerate(came)}


@lru_cache(maxsize=4)
def _given_back(trace: Trace) -> list[tuple[int, int, str, list[int]]]:
    """(event, nanoseconds, request, pages) of every preemption: what the request frees until its table is empty."""
    found: list[tuple[int, int, str, list[int]]] = []
    left: dict[str, tuple[int, list[int]]] = {}
    for event in Witness.of(trace).events("task_preempted", "pages_free", "pages_cached"):
        if event.event == "task_preempted":
            pages: list[int] = []
            found.append((event.seq, event.ns, event.task, pages))
            left[event.task] = (event.n_pages, pages)
        elif event.task in left:
            count, pages = left[event.task]
            pages += event.pages
            if len(pages) >= count:
                del left[event.task]
    return found


def _lost_last(witness: Witness, task: str, at: int) -> list[int]:
    """Pages that a request gave back when it had to give way last."""
    lost = [pages for seq, _, whose, pages in _given_back(witness.trace) if seq <= at and whose == task]
    return lost[-1] if lost else []


def taken(witness: Witness, task: str, at: int) -> list[int]:
    """Those of them that others hold."""
    state = witness.state(at)
    own = state.tables.get(task, ())
    return [page for page in _lost_last(witness, task, at) if state.refs[page] and page not in own]


vouches("pages.taken")(lambda witness, task, at: len(taken(witness, task, at)))


@lru_cache(maxsize=4)
def _new_blocks(trace: Trace) -> list[tuple[int, int, list[int]]]:
    """(event, message, places) of blocks that were not cached when they were stored."""
    events = trace.find(event="block_stored")
    return [
        (e.seq, e.step, [place for key, place in zip(e.keys, e.pages, strict=True) if key not in e.again])
        for e in events
    ]


def _of_pages(witness: Witness, at: int, told: Mapping, look: theme.Theme) -> np.ndarray:
    """Colour of every page, float [n_pages, 3]."""
    rgb, state = theme.rgb, witness.state(at)
    near = [rgb(color) for color in look.crowd]
    colors = np.array([rgb(look.empty)] * witness.n_pages)
    hues = colors.copy()
    for page in state.lru:
        colors[page] = rgb(theme.mix(look.muted, look.ground, KEPT))
    for task in sorted(state.tables, key=witness.order.__getitem__, reverse=True):
        hues[state.tables[task]] = rgb(look.hue(witness.order[task]))
        color = near[_places(witness.trace)[task] % len(near)]
        if told["acting"]:
            color = rgb(theme.mix(look.muted, look.ground, OTHERS))
        if task in told["named"]:
            color = rgb(look.hue(witness.order[task]))
        colors[state.tables[task]] = rgb(look.accent) if task in told["acting"] else color
    for task in told["acting"]:
        if task not in state.tables:
            left = [page for page in _lost_last(witness, task, at) if not state.refs[page]]
            colors[left] = rgb(look.alarm)
            others = taken(witness, task, at)
            colors[others] = hues[others]
    for seq, ns, _, pages in _given_back(witness.trace):
        if seq <= at and told["flash"] and ns > state.ns - told["flash"] * 1e9:
            colors[pages] = rgb(look.alarm)
    for seq, message, pages in _new_blocks(witness.trace) if told["fresh"] else ():
        if seq <= at and message > state.step - told["fresh"]:
            colors[[page for page in pages if state.page_state(page) == "cached"]] = rgb(look.accent)
    if told["near"]:
        for page, slots in enumerate(state.fill()):
            colors[page] = (
                np.array(rgb(look.empty)) * (1 - slots / witness.page_size) + colors[page] * slots / witness.page_size
            )
    return colors


@shows("map.cells", fades=True)
def cells(witness: Witness, at: int, shown: Mapping) -> np.ndarray:
    """Colours of the cells, float [cells, 3]: the mean of as many pages each as needed for that number."""
    told, look, size = shown["map.told"], theme.THEMES[shown["theme"]], 1
    while -(-witness.n_pages // size) > told["cells"]:
        size += 1
    pages = _of_pages(witness, at, told, look)
    found = (
        np.array([pages[start : start + size].mean(axis=0) for start in range(0, witness.n_pages, size)])
        if size > 1
        else pages
    )
    ground = np.array(theme.rgb(look.ground))
    return found if told["lit"] else ground + (found - ground) * DIM


@shows("map.told")
def told(witness: Witness, at: int, shown: Mapping) -> Mapping:
    """Whom the map speaks of: any requests that there are."""
    said = shown["map.told"]
    return said if all(task in witness.order for task in (*said["named"], *said["acting"])) else {}


@shows("map.slots", fades=True)
def slots(witness: Witness, at: int, shown: Mapping) -> dict[int, int]:
    """Filled slots of the pages that are seen from near."""
    return {page: witness.slots(page, at) for page in shown["map.slots"]}


@vouches("map.group")
def map_group(witness: Witness, cells: int) -> int:
    """Pages in each of so many cells: the smallest power of two that needs no more."""
    group = 1
    while -(-witness.n_pages // group) > cells:
        group *= 2
    return group
