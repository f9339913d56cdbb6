"""Page tables and token counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("tables", "tokens", "hidden_tables", "hidden_entries")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong entries, missing or surplus tables, wrong token counts."""
    yield from _tables(shown, recorded.tables(state))
    yield from _tokens(shown, state)


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
