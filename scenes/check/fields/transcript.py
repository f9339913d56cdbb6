"""Text, token by token, and where its K and V are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State, Trace
from scenes import theme
from scenes.check.recorded import Difference, Recorded
from scenes.draw.mobjects.pieces import readable
from scenes.story.pieces import shown_piece

NAMES = ("speakers", "said", "kept", "row_pages", "row_colors", "unsaid", "folded", "cut", "pointer")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong or missing words, wrong tables, pages and colours, words shown as kept that are not."""
    if "said" not in shown:
        return
    yield from _speakers(shown, state)
    yield from _said(shown, state)
    yield from _complete(shown, state)
    yield from _rows(shown, state, recorded)
    yield from _pointer(shown, state)


def _speakers(shown: Mapping, state: State) -> Iterator[Difference]:
    for task, (pages, hidden, tokens) in shown["speakers"].items():
        table = list(state.tables.get(task, ()))
        if pages != table[: len(table) - hidden] or len(pages) + hidden != len(table):
            yield Difference(f"speakers[{task}] table", pages, table)
        if tokens != state.tasks[task].n_tokens:
            yield Difference(f"speakers[{task}] tokens", tokens, state.tasks[task].n_tokens)


def _said(shown: Mapping, state: State) -> Iterator[Difference]:
    for (task, position), text in shown["said"].items():
        texts = state.tasks[task].texts
        truth = readable(shown_piece(texts[position]).text) if position < len(texts) else "nothing yet"
        if text != truth:
            yield Difference(f"said[{task}, {position}]", text, truth)
    size = state.page_size
    for (task, logical), (other, there) in shown["unsaid"].items():
        mine = state.tasks[task].texts[logical * size : (logical + 1) * size]
        told = state.tasks[other].texts[there * size : (there + 1) * size]
        if mine != told[: len(mine)]:
            yield Difference(f"unsaid[{task}, {logical}]", told, mine)


def _complete(shown: Mapping, state: State) -> Iterator[Difference]:
    """Every token is told, or it is said that it is not."""
    size = state.page_size
    told = set(shown["said"])
    for task in shown["speakers"]:
        elsewhere = {logical for name, logical in shown["unsaid"] if name == task}
        elsewhere |= set(shown["folded"].get(task, ()))
        missing: dict[int, int] = {}
        for position in range(state.tasks[task].n_tokens):
            logical = position // size
            if (task, position) not in told and logical not in elsewhere:
                missing[logical] = missing.get(logical, 0) + 1
        cut = {i: n for (name, i), n in shown["cut"].items() if name == task}
        if missing != cut:
            yield Difference(f"said[{task}] left out by page", cut, missing)


def _rows(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    holders = _content(recorded.trace, recorded.until)
    for (task, logical), page in shown["row_pages"].items():
        truth = holders.get((task, logical))
        if page != truth:
            yield Difference(f"row_pages[{task}, {logical}]", page, truth)
        colors = _colors(state, truth, recorded)
        if tuple(shown["row_colors"][task, logical]) != colors:
            yield Difference(f"row_colors[{task}, {logical}]", shown["row_colors"][task, logical], colors)
    size = state.page_size
    for (task, position), kept in shown["kept"].items():
        page = holders.get((task, position // size))
        if (task, position // size) not in shown["row_pages"]:
            page = None
        truth = page is not None and not np.isnan(state.norms(page)[position % size])
        if kept != truth:
            yield Difference(f"kept[{task}, {position}]", kept, bool(truth))


def _colors(state: State, page: int | None, recorded: Recorded) -> tuple[str, ...]:
    if page is None:
        return ()
    owners = recorded.owners(state, page)
    places = sorted(recorded.tasks.index(task) for task in owners)
    return tuple(theme.task_color(place) for place in places) or (theme.CACHED,)


def _content(trace: Trace, until: int) -> dict[tuple[str, int], int]:
    """Which page holds the tokens of (task, logical page): what tables said last, as long
    as the page has not been free or allocated anew since."""
    held: dict[tuple[str, int], int] = {}
    for seq in range(until + 1):
        event = trace[seq]
        if event.event == "table":
            for logical, page in enumerate(event.pages):
                held[event.task, logical] = page
        elif event.event in ("pages_alloc", "pages_evicted") or (event.event == "pages_free" and event.ref == 0):
            for key in [key for key, page in held.items() if page == event.page]:
                del held[key]
        elif event.event == "prefix_reset":
            state = trace.state_at(seq)
            for key in [k for k, page in held.items() if state.page_state(page) == "free"]:
                del held[key]
    return held


def _pointer(shown: Mapping, state: State) -> Iterator[Difference]:
    pointer = shown.get("pointer")
    if not pointer or "slot" not in pointer:
        return
    task, position = pointer["word"]
    logical, slot = divmod(position, state.page_size)
    truth = (state.tables[task][logical], slot)
    if pointer["slot"] != truth:
        yield Difference("pointer (page, slot)", pointer["slot"], truth)
