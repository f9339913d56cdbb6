"""What a gather reads of a request's pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


def _stored(witness: Witness, task: str, seq: int) -> int:
    state: Any = witness.state(seq)
    return state.tasks[task].kv_len


@vouches("gather.length")
def length(witness: Witness, seq: int, task: str) -> int:
    """Tokens of a request in the cache when event `seq` reads them."""
    return _stored(witness, task, seq)


@vouches("gather.layer")
def layer(witness: Witness, seq: int) -> int:
    event: Any = witness.trace[seq]
    return event.layer


@vouches("gather.page")
def page(witness: Witness, seq: int, task: str, logical: int) -> int:
    return witness.state(seq).tables[task][logical]


@shows("strip", fades=True)
def strip(witness: Witness, at: int, shown: Mapping) -> tuple[str, int, tuple[int, ...]]:
    """Filled slots of each page of the table, all full but the last."""
    task, seq, _ = shown["strip"]
    full, rest = divmod(_stored(witness, task, seq), witness.page_size)
    return task, seq, (witness.page_size,) * full + ((rest,) if rest else ())
