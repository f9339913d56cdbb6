"""Page tables, and how far they are filled."""

from __future__ import annotations

import numpy as np

from scenes.truth.vouching import vouch_all, vouches
from scenes.truth.witness import Witness


@vouches("task.tokens")
def task_tokens(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].n_tokens


@vouches("task.cached")
def task_cached(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].kv_len


def _table(witness: Witness, task: str, at: int) -> list[int]:
    return witness.state(at).tables.get(task, [])


def in_use(witness: Witness, at: int) -> list[int]:
    """Pages with a refcount."""
    return np.flatnonzero(witness.state(at).refs).tolist()


@vouches("slots.filled.total")
def slots_filled_total(witness: Witness, at: int) -> int:
    """Filled slots of pages in use, a shared page once."""
    if not witness.has_norms:
        return int(witness.state(at).fill()[in_use(witness, at)].sum())
    return sum(witness.slots(page, at) for page in in_use(witness, at))


@vouches("slots.reserved.total")
def slots_reserved_total(witness: Witness, at: int) -> int:
    return len(in_use(witness, at)) * witness.page_size


@vouches("table")
def table(witness: Witness, task: str, at: int) -> list[int]:
    return _table(witness, task, at)


@vouches("table.pages")
def table_pages(witness: Witness, task: str, at: int) -> int:
    return len(_table(witness, task, at))


@vouches("requests.in_memory")
def requests_in_memory(witness: Witness, at: int) -> int:
    return sum(map(bool, witness.state(at).tables.values()))


@vouches("requests.finished")
def requests_finished(witness: Witness, at: int) -> int:
    return sum(life.finished is not None and life.finished.seq <= at for life in witness.lives.values())


@vouches("queue.waiting")
def queue_waiting(witness: Witness, at: int) -> int:
    return len(witness.state(at).waiting)


vouch_all(
    {
        "table.entry": lambda witness, task, logical, at: witness.state(at).tables[task][logical],
        "task.needs": lambda witness, task, at: -(-task_tokens(witness, task, at) // witness.page_size),
        "table.entries": lambda witness, at: sum(map(len, witness.state(at).tables.values())),
    }
)
