"""The events of a trace and the fields that each must have.

Every event also has `seq` (from 0), `step` (-1 before the first), `phase` (None
outside the four phases) and `ns` (monotonic, since the start of the recording).

`mask` is the whole free mask in hex for pools of up to `WHOLE_MASK` pages; for
larger ones `word` holds [index, hex] of the 64-bit word with the page. `lru` is
left out beyond `WHOLE_LRU` entries. `page_cached` stands instead of `page_free`
when a page that reaches refcount 0 stays cached, `page_revived` instead of
`page_ref` when a cached page is hit; `page_evicted` comes right before the
`page_alloc` of the same page. Frees come before the `table` event that empties
their task's table. Where the model knows text, `task_submitted` has `texts`, the text
of each prompt token, and `token` has `text`: in order they concatenate to the text, a
character whose bytes come in several tokens standing at the last. `setting` comes before
the first step that has the new value.
"""

from __future__ import annotations

from typing import Any

SCHEMA = "astrai-trace"
VERSION = 1
WHOLE_MASK = 1024
WHOLE_LRU = 1024

COMMON = ("seq", "step", "phase", "ns", "event")
PHASES = (None, "cleanup", "refill", "prefill", "decode")

PAGE = ("page", "task", "logical", "ref")
FIELDS: dict[str, tuple[str, ...]] = {
    "task_submitted": ("task", "prompt", "max_tokens", "arrival_step"),
    "task_admitted": ("task", "tokens", "cached_tokens", "pages"),
    "task_prefilled": ("task", "start", "end"),
    "chunk": ("task", "start", "end", "total"),
    "token": ("task", "id", "index", "position", "source"),
    "task_finished": ("task", "reason", "tokens", "generated"),
    "task_preempted": ("task", "tokens", "pages"),
    "setting": ("name", "value"),
    "step_begin": ("waiting", "running"),
    "step_end": ("duration_ns", "waiting", "running"),
    "phase_begin": (),
    "phase_end": ("duration_ns", "tasks"),
    "page_alloc": PAGE,
    "page_ref": PAGE,
    "page_free": PAGE,
    "page_cached": PAGE,
    "page_revived": PAGE,
    "page_evicted": ("page", "key"),
    "page_keyed": ("page", "task", "logical", "key", "parent"),
    "prefix_hit": ("task", "pages", "tokens"),
    "prefix_miss": ("task", "logical"),
    "prefix_reset": ("mask",),
    "table": ("task", "pages"),
    "kv_write": ("layer", "spans"),
    "gather": ("layer", "rows"),
    "kv_lengths": ("tasks", "counts", "lengths"),
    "snapshot": ("refs", "tables", "lengths"),
    "lines": ("function", "task", "args", "steps", "result"),
}


class Event:
    """One event: its fields as attributes, and the line of the file it came from."""

    __slots__ = ("data", "line")

    def __init__(self, data: dict[str, Any], line: int) -> None:
        self.data = data
        self.line = line

    def __getattr__(self, name: str) -> Any:
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or `default` where the event has none of that name."""
        return self.data.get(name, default)

    def __repr__(self) -> str:
        return f"Event({self.data})"
