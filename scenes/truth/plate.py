"""What attention is given for a pass: tables as one rectangle, and lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


def _rows(witness: Witness, seq: int) -> list[tuple[list[int], int]]:
    """(table, tokens in the cache) of each request that event `seq` writes for."""
    state: Any = witness.state(seq)
    return [(state.tables[span.task], state.tasks[span.task].kv_len) for span in witness.trace[seq].spans]


@vouches("view.rows")
def rows(witness: Witness, seq: int) -> int:
    return len(_rows(witness, seq))


@vouches("view.columns")
def columns(witness: Witness, seq: int) -> int:
    return max(len(table) for table, _ in _rows(witness, seq))


@vouches("view.entry")
def entry(witness: Witness, seq: int, row: int, column: int) -> int:
    """An entry of the rectangle: a page, or what fills up."""
    table = _rows(witness, seq)[row][0]
    return table[column] if column < len(table) else -1


@vouches("view.length")
def length(witness: Witness, seq: int, row: int) -> int:
    return _rows(witness, seq)[row][1]


@shows("view.entries", fades=True)
def entries(witness: Witness, at: int, shown: Mapping) -> tuple[int, int, dict[int, Any]]:
    """As many entries in every row as the longest table has, or as are drawn of it at most."""
    seq, most, drawn = shown["view.entries"]
    return seq, most, dict.fromkeys(drawn, min(most, columns(witness, seq)))
