"""What attention is given for a pass: tables as one rectangle, lengths, and what a gather reads."""

from collections.abc import Mapping
from typing import Any

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


def _rows(witness: Witness, seq: int) -> list[tuple[list[int], int]]:
    """(table, tokens in the cache) of each request that event `seq` writes for."""
    state = witness.state(seq)
    return [(state.tables[span.task], state.tasks[span.task].kv_len) for span in witness.trace[seq].spans]


@vouches("view.columns")
def columns(witness: Witness, seq: int) -> int:
    return max(len(table) for table, _ in _rows(witness, seq))


@vouches("view.entry")
def entry(witness: Witness, seq: int, row: int, column: int) -> int:
    """An entry of the rectangle: a page, or what fills up."""
    table = _rows(witness, seq)[row][0]
    return table[column] if column < len(table) else -1


@shows("view.entries", fades=True)
def entries(witness: Witness, at: int, shown: Mapping) -> tuple[int, int, dict[int, Any]]:
    """As many entries in every row as the longest table has, or as are drawn of it at most."""
    seq, most, drawn = shown["view.entries"]
    return seq, most, dict.fromkeys(drawn, min(most, columns(witness, seq)))


vouches("view.rows")(lambda witness, seq: len(_rows(witness, seq)))
vouches("view.length")(lambda witness, seq, row: _rows(witness, seq)[row][1])


@shows("strip", fades=True)
def strip(witness: Witness, at: int, shown: Mapping) -> tuple[str, int, tuple[int, ...]]:
    """Filled slots of each page of the table, all full but the last."""
    task, seq, _ = shown["strip"]
    full, rest = divmod(witness.state(seq).tasks[task].kv_len, witness.page_size)
    return task, seq, (witness.page_size,) * full + ((rest,) if rest else ())


vouches("gather.layer")(lambda witness, seq: witness.trace[seq].layer)
