"""Page tables, how far they are filled, and slots over the run: filled, held, reserved for longest lengths."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

MOST = 160


@vouches("task.tokens")
def task_tokens(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].n_tokens


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


vouches("task.cached")(lambda witness, task, at: witness.state(at).tasks[task].kv_len)
vouches("table")(lambda witness, task, at: witness.state(at).tables.get(task, []))
vouches("table.pages")(lambda witness, task, at: len(witness.state(at).tables.get(task, [])))
vouches("requests.in_memory")(lambda witness, at: sum(map(bool, witness.state(at).tables.values())))
vouches("requests.finished")(
    lambda witness, at: sum(life.finished is not None and life.finished.seq <= at for life in witness.lives.values())
)
vouches("queue.waiting")(lambda witness, at: len(witness.state(at).waiting))
vouches("table.entry")(lambda witness, task, logical, at: witness.state(at).tables[task][logical])
vouches("task.needs")(lambda witness, task, at: -(-task_tokens(witness, task, at) // witness.page_size))
vouches("table.entries")(lambda witness, at: sum(map(len, witness.state(at).tables.values())))


@lru_cache(maxsize=4)
def _ends(witness: Witness) -> list[tuple[int, int, int]]:
    """At the end of each step: slots that the longest lengths of who has pages come to, held, filled."""
    found = []
    for step in witness.steps:
        at = step.end.seq
        lives = [witness.lives[task] for task, pages in witness.state(at).tables.items() if pages]
        longest = sum(life.prompt + life.max_tokens for life in lives)
        found.append((longest, slots_reserved_total(witness, at), slots_filled_total(witness, at)))
    return found


@shows("held", fades=True)
def held(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[float, ...]]:
    """Every column, or of a long run every second or third, as shares of the highest."""
    rows = _ends(witness)
    rows = rows[:: -(-len(rows) // MOST)]
    most = max((max(row) for row in rows), default=0) or 1
    names = ("longest", "held", "filled")
    return {name: tuple(round(row[i] / most, 3) for row in rows) for i, name in enumerate(names)}


vouches("longest.peak")(lambda witness: max((row[0] for row in _ends(witness)), default=0))
vouches("held.peak")(lambda witness: max((row[1] for row in _ends(witness)), default=0))
vouches("filled.peak")(lambda witness: max((row[2] for row in _ends(witness)), default=0))
