"""Recorded lines as the events that are to come; goes once the reader gives those."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from astrai_sim.trace import Event
from astrai_sim.trace.runs import from_runs


class _Event(SimpleNamespace):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return None


def typed(event: Event) -> Any:
    """One vocabulary for full and bulk traces."""
    data = dict(event.data)
    kind = data["event"]
    if kind == "task_submitted" and "prompt_len" not in data:
        data["prompt_len"] = len(data["prompt"])
    if kind == "token":
        data |= {"event": "tokens", "tasks": [data["task"]]}
    if kind == "phase_end" and "n_tasks" not in data:
        data["n_tasks"] = len(data["tasks"])
    if kind == "kv_lengths" and isinstance(data["counts"], int):
        data["counts"] = [data["counts"]] * len(data["tasks"])
    if kind == "kv_write":
        data["spans"] = [SimpleNamespace(**span) for span in data["spans"]]
    if kind.startswith("page_"):
        data["event"] = kind.replace("page_", "pages_")
        data["pages"] = [data["page"]]
        if "ref" in data:
            data["refs"] = [data["ref"]]
        if "key" in data and kind == "page_evicted":
            data["keys"] = [data["key"]]
        data["entries"] = [data.get("logical")]
    elif kind.startswith("pages_"):
        data["pages"] = pages = from_runs(data["runs"])
        if isinstance(data.get("refs"), int):
            data["refs"] = [data["refs"]] * len(pages)
        down = -1 if kind in ("pages_free", "pages_cached") else 1
        data["entries"] = [data["logical"] + down * i for i in range(len(pages))]
    return _Event(**data)
