"""What a stage shows against the state that was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from astrai_sim.trace import State
from scenes import theme


@dataclass(frozen=True)
class Difference:
    """One thing shown that was not recorded so."""

    field: str
    shown: object
    recorded: object


class Recorded:
    """What a state should look like; colours follow the order of submission in `tasks`."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = list(tasks)

    def owners(self, state: State, page: int) -> list[str]:
        """Tasks whose tables hold `page`, sorted by name."""
        return sorted({task for task, _ in state.owners(page)})

    def color(self, state: State, page: int) -> str | None:
        """Outline colour: the first submitted owner's, grey where cached, None where free."""
        owners = self.owners(state, page)
        if owners:
            return theme.task_color(min(self.tasks.index(task) for task in owners))
        return theme.CACHED if state.page_state(page) == "cached" else None

    def filled(self, state: State, page: int) -> np.ndarray:
        """Which slots hold KV that a table or the prefix cache reaches, shape [page_size]."""
        if not state.owners(page) and state.page_state(page) != "cached":
            return np.zeros(state.page_size, dtype=bool)
        return ~np.isnan(state.norms(page))

    def tables(self, state: State) -> dict[str, list[int]]:
        """Page tables that are not empty."""
        return {task: list(pages) for task, pages in state.tables.items() if pages}


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Everything in `shown`, as `Stage.read` returns it, that differs from `state`.

    A part that is not on stage is absent from `shown` and is not compared.
    """
    if "mask" in shown and shown["mask"] != state.mask_bits():
        yield Difference("mask", shown["mask"], state.mask_bits())
    yield from _of_pages("refs", shown, lambda page: state.refs[page])
    yield from _of_pages("owners", shown, lambda page: recorded.owners(state, page))
    yield from _of_pages("colors", shown, lambda page: recorded.color(state, page))
    yield from _slots(shown, state, recorded)
    yield from _tables(shown, recorded.tables(state))
    yield from _tokens(shown, state)


def _of_pages(field: str, shown: Mapping, truth) -> Iterator[Difference]:
    for page, value in shown.get(field, {}).items():
        expected = truth(page)
        if value != expected:
            yield Difference(f"{field}[{page}]", value, expected)


def _slots(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    for page, filled in shown.get("filled", {}).items():
        expected = recorded.filled(state, page)
        if not np.array_equal(filled, expected):
            yield Difference(f"filled[{page}]", _runs(filled), _runs(expected))


def _tables(shown: Mapping, expected: dict[str, list[int]]) -> Iterator[Difference]:
    if "tables" not in shown:
        return
    tables = shown["tables"]
    cut = shown.get("hidden_entries", {})
    for task, pages in tables.items():
        truth = expected.get(task)
        hidden = cut.get(task, 0)
        if truth is None or list(pages) != truth[: len(truth) - hidden]:
            yield Difference(f"tables[{task}]", list(pages), truth)
    hidden = shown.get("hidden_tables", 0)
    if len(tables) + hidden != len(expected):
        names = f"{sorted(tables)} and {hidden} hidden"
        yield Difference("tables", names, sorted(expected))


def _tokens(shown: Mapping, state: State) -> Iterator[Difference]:
    for task, counts in shown.get("tokens", {}).items():
        truth = (state.tasks[task].n_tokens, state.tasks[task].kv_len)
        if tuple(counts) != truth:
            yield Difference(f"tokens[{task}] (tokens, in cache)", tuple(counts), truth)


def _runs(filled: np.ndarray) -> str:
    """Filled slots as ranges, both ends included: `0-55`, `none`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(filled, dtype=int), [0]])))
    ranges = [f"{a}-{b - 1}" for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return " ".join(ranges) or "none"
