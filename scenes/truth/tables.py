"""Page tables, how far they are filled, and slots over the run: filled, held, reserved for longest lengths."""

from collections.abc import Mapping
from functools import lru_cache
from math import ceil

import numpy as np

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

MOST = 160


def in_use(witness: Witness, at: int) -> list[int]:
    """Pages with a refcount."""
    return np.flatnonzero(witness.state(at).refs).tolist()


@vouches("slots.filled.total")
def slots_filled_total(witness: Witness, at: int) -> int:
    """Filled slots of pages in use, a shared page once."""
    if not witness.has_norms:
        return int(witness.state(at).fill()[in_use(witness, at)].sum())
    return sum(witness.slots(page, at) for page in in_use(witness, at))


vouches("slots.reserved.total")(lambda witness, at: len(in_use(witness, at)) * witness.page_size)
vouches("task.tokens")(lambda witness, task, at: witness.state(at).tasks[task].n_tokens)
vouches("task.needs")(lambda witness, task, at: ceil(witness.state(at).tasks[task].n_tokens / witness.page_size))
vouches("task.cached")(lambda witness, task, at: witness.state(at).tasks[task].kv_len)
vouches("table")(lambda witness, task, at: witness.state(at).tables.get(task, []))
vouches("table.pages")(lambda witness, task, at: len(witness.state(at).tables.get(task, [])))
vouches("requests.in_memory")(lambda witness, at: sum(map(bool, witness.state(at).tables.values())))
vouches("requests.finished")(
    lambda witness, at: sum(life.finished is not None and life.finished.seq <= at for life in witness.lives.values())
)
vouches("queue.waiting")(lambda witness, at: len(witness.state(at).waiting))
vouches("table.entry")(lambda witness, task, logical, at: witness.state(at).tables[task][logical])
vouches("table.entries")(lambda witness, at: sum(map(len, witness.state(at).tables.values())))


@lru_cache(maxsize=4)
def _ends(witness: Witness) -> dict[str, list[int]]:
    """At the end of each step: slots that the longest lengths of who has pages come to, held, filled."""
    found: dict[str, list[int]] = {"longest": [], "held": [], "filled": []}
    for at in (step.end.seq for step in witness.steps):
        lives = [witness.lives[task] for task, pages in witness.state(at).tables.items() if pages]
        found["longest"].append(sum(life.prompt + life.max_tokens for life in lives))
        found["held"].append(len(in_use(witness, at)) * witness.page_size)
        found["filled"].append(slots_filled_total(witness, at))
    return found


@shows("held", fades=True)
def held(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[float, ...]]:
    """Every column, or of a long run every second or third, as shares of the highest."""
    rows = {name: row[:: -(-len(row) // MOST) or 1] for name, row in _ends(witness).items()}
    most = max(max(row, default=0) for row in rows.values()) or 1
    return {name: tuple(value / most for value in row) for name, row in rows.items()}


for _name in ("longest", "held", "filled"):
    vouches(f"{_name}.peak")(lambda witness, name=_name: max(_ends(witness)[name], default=0))
