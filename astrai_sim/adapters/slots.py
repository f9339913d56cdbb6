"""Slots of tokens, counted over the whole pool, as the spans and rows of events."""

from collections.abc import Sequence
from typing import Any

import torch


def runs(slots: Sequence[int], page_size: int) -> list[list[int]]:
    """[page, first slot, end] for each run of slots of one page."""
    found: list[list[int]] = []
    for slot in slots:
        page, at = divmod(slot, page_size)
        if found and found[-1][0] == page and found[-1][2] == at:
            found[-1][2] += 1
        else:
            found.append([page, at, at + 1])
    return found


def written(task: str, slots: Sequence[int], new: Sequence[int], keys: torch.Tensor) -> dict[str, Any]:
    """What was written for a task whose tokens are in `slots`, the last ones in the slots `new`.

    The norms are those that `keys`, [n_pages, page_size, n_kv_heads, head_dim], has there now.
    """
    size = keys.shape[1]
    norms = keys.flatten(0, 1)[list(new)].float().flatten(1).norm(dim=1).tolist()
    start, told = len(slots) - len(new), [float(f"{norm:.4g}") for norm in norms]
    return {"task": task, "start": start, "count": len(new), "slots": runs(new, size), "norms": told}


def read(task: str, table: Sequence[int], slots: Sequence[int], page_size: int) -> dict[str, Any]:
    """What was read for a task whose pages are `table`, and whose tokens are in `slots`."""
    places = [[page * page_size + low, high - low] for page, low, high in runs(slots, page_size)]
    return {"task": task, "length": len(slots), "pages": list(table), "slots": places}
