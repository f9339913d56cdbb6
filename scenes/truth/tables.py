"""Page tables, and how far they are filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scenes.truth.vouching import shows, vouch_all, vouches
from scenes.truth.witness import Witness


@vouches("task.tokens")
def task_tokens(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].n_tokens


@vouches("task.cached")
def task_cached(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].kv_len


def _table(witness: Witness, task: str, at: int) -> list[int]:
    return witness.state(at).tables.get(task, [])


@vouches("slots.filled")
def slots_filled(witness: Witness, task: str, at: int) -> int:
    return sum(witness.slots(page, at) for page in _table(witness, task, at))


@vouches("slots.shared")
def slots_shared(witness: Witness, task: str, at: int) -> int:
    """Filled slots in pages that an earlier submitted request's table has, too."""
    place = witness.order[task]
    return sum(
        witness.slots(page, at)
        for page in _table(witness, task, at)
        if witness.order[witness.owners(page, at)[0]] < place
    )


def in_use(witness: Witness, at: int) -> list[int]:
    """Pages with a refcount."""
    return np.flatnonzero(witness.state(at).refs).tolist()


@vouches("slots.filled.total", "slots.in_use.filled")
def slots_filled_total(witness: Witness, at: int) -> int:
    """Filled slots of pages in use, a shared page once."""
    if not witness.has_norms:
        return int(witness.state(at).fill()[in_use(witness, at)].sum())
    return sum(witness.slots(page, at) for page in in_use(witness, at))


@vouches("slots.reserved.total", "slots.in_use")
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


@vouches("gather.pages")
def gather_pages(witness: Witness, task: str, at: int) -> int:
    """Pages of a request that hold K and V."""
    return -(-task_cached(witness, task, at) // witness.page_size)


@vouches("gather.first_position")
def first_position(witness: Witness, task: str, page: int, at: int) -> int:
    return _table(witness, task, at).index(page) * witness.page_size


@vouches("gather.last_position")
def last_position(witness: Witness, task: str, page: int, at: int) -> int:
    first = first_position(witness, task, page, at)
    return min(first + witness.page_size, task_cached(witness, task, at)) - 1


@vouches("gather.first_slot")
def first_slot(witness: Witness, task: str, page: int, at: int) -> int:
    return first_position(witness, task, page, at) % witness.page_size


@vouches("gather.last_slot")
def last_slot(witness: Witness, task: str, page: int, at: int) -> int:
    return last_position(witness, task, page, at) % witness.page_size


@shows("tables")
def tables(witness: Witness, at: int, shown: Mapping) -> dict[str, list[int]]:
    """Every table with its pages, as far as they are not said to be hidden."""
    truth = {task: list(pages) for task, pages in witness.state(at).tables.items() if pages}
    shorter = {task: pages[: len(pages) - shown["hidden_entries"].get(task, 0)] for task, pages in truth.items()}
    missing = [task for task in shorter if task not in shown["tables"]]
    for task in missing[: shown["hidden_tables"]]:
        del shorter[task]
    return shorter if len(missing) >= shown["hidden_tables"] else {**shorter, "hidden": [shown["hidden_tables"]]}


@shows("queue")
def queue(witness: Witness, at: int, shown: Mapping) -> list[tuple[str, int]]:
    """Who waits, the next first, with its tokens, as far as shown."""
    state = witness.state(at)
    waiting = [(name, state.tasks[name].n_tokens) for name in state.waiting]
    return waiting[: len(waiting) - shown["queue_hidden"]]


@shows("meters")
def meters(witness: Witness, at: int, shown: Mapping) -> dict[str, float]:
    """Slots that each bar is long."""
    return {task: float(slots_filled(witness, task, at)) for task in shown["meters"]}


vouch_all(
    {
        "table.entry": lambda witness, task, logical, at: witness.state(at).tables[task][logical],
        "slots.reserved": lambda witness, task, at: len(_table(witness, task, at)) * witness.page_size,
        "task.generated": lambda witness, task, at: sum(stamp.seq <= at for stamp in witness.lives[task].tokens),
        "task.needs": lambda witness, task, at: -(-task_tokens(witness, task, at) // witness.page_size),
        "table.entries": lambda witness, at: sum(map(len, witness.state(at).tables.values())),
        "table.more": lambda witness, task, shown, at: len(_table(witness, task, at)) - shown,
        "tables.more": lambda witness, shown, at: requests_in_memory(witness, at) - shown,
        # Who is at that place of the queue, counted from 0.
        "queue.waiting.task": lambda witness, place, at: witness.state(at).waiting[place],
        "queue.more": lambda witness, shown, at: queue_waiting(witness, at) - shown,
        "gather.shown": lambda witness, task, most, at: min(most, gather_pages(witness, task, at)),
        "gather.first_pool_slot": lambda witness, task, page, at: (
            page * witness.page_size + first_slot(witness, task, page, at)
        ),
        "gather.last_pool_slot": lambda witness, task, page, at: (
            page * witness.page_size + last_slot(witness, task, page, at)
        ),
    }
)
