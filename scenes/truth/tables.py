"""Page tables, and how far they are filled."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@vouches("task.name")
def task_name(witness: Witness, task: str) -> str:
    return witness.lives[task].task


@vouches("task.tokens")
def task_tokens(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].n_tokens


@vouches("task.cached")
def task_cached(witness: Witness, task: str, at: int) -> int:
    return witness.state(at).tasks[task].kv_len


@vouches("table.entry")
def table_entry(witness: Witness, task: str, logical: int, at: int) -> int:
    return witness.state(at).tables[task][logical]


def _table(witness: Witness, task: str, at: int) -> list[int]:
    return witness.state(at).tables.get(task, [])


@vouches("slots.filled")
def slots_filled(witness: Witness, task: str, at: int) -> int:
    return sum(witness.slots(page, at) for page in _table(witness, task, at))


@vouches("slots.reserved")
def slots_reserved(witness: Witness, task: str, at: int) -> int:
    return len(_table(witness, task, at)) * witness.page_size


@vouches("slots.shared")
def slots_shared(witness: Witness, task: str, at: int) -> int:
    """Filled slots in pages that an earlier submitted request's table has, too."""
    place = witness.order[task]
    return sum(
        witness.slots(page, at)
        for page in _table(witness, task, at)
        if witness.order[witness.owners(page, at)[0]] < place
    )


def held(witness: Witness, at: int) -> set[int]:
    """Pages that some table has."""
    return {page for pages in witness.state(at).tables.values() for page in pages}


@vouches("slots.filled.total")
def slots_filled_total(witness: Witness, at: int) -> int:
    """Filled slots of pages in tables, a shared page once."""
    return sum(witness.slots(page, at) for page in held(witness, at))


@vouches("slots.reserved.total")
def slots_reserved_total(witness: Witness, at: int) -> int:
    return len(held(witness, at)) * witness.page_size


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
def meters(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[int, int]]:
    return {task: (slots_filled(witness, task, at), slots_reserved(witness, task, at)) for task in shown["meters"]}


@shows("meters_shared")
def meters_shared(witness: Witness, at: int, shown: Mapping) -> dict[str, int]:
    return {task: slots_shared(witness, task, at) for task in shown["meters_shared"]}


@shows("meters_total")
def meters_total(witness: Witness, at: int, shown: Mapping) -> tuple[int, int]:
    return slots_filled_total(witness, at), slots_reserved_total(witness, at)


@shows("tokens")
def tokens(witness: Witness, at: int, shown: Mapping) -> dict[str, tuple[int, int]]:
    return {task: (task_tokens(witness, task, at), task_cached(witness, task, at)) for task in shown["tokens"]}
