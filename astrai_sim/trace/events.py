"""The events of a trace and the fields that each must have.

Every event also has `seq` (from 0), `step` (-1 before the first), `phase` (None
outside the four phases) and `ns`: monotonic nanoseconds since the start, the engine's
own time (reading back and writing by the recorder is not in it), or the cost model's.
`task_submitted` has `arrival_s` where a request is due at a second of that clock.

Full detail (`FULL`)
    `mask` is the whole free mask in hex for pools of up to `WHOLE_MASK` pages; for
    larger ones `word` holds [index, hex] of the 64-bit word with the page. `lru` is
    left out beyond `WHOLE_LRU` entries. `page_cached` stands instead of `page_free`
    when a page that reaches refcount 0 stays cached, `page_revived` instead of
    `page_ref` when a cached page is hit; `page_evicted` comes right before the
    `page_alloc` of the same page. Each page that a task gets is followed by its
    `table`; frees, from the last logical page to the first, come before the `table`
    event that empties their task's table. `setting` comes before the first step that
    has the new value. `kv_write` has `spans` of new tokens with the L2 norm of each
    token's K, read back from the cache tensor, to 4 significant digits; `gather` has
    `rows` with the [first slot, count] of each page, counted over the whole pool.
    Without a model `kv_lengths` stands instead of `kv_write` and
    `gather`. Where the model knows text, `task_submitted` has `texts`, the text of each
    prompt token, and `token` has `text`: in order they concatenate to the text, a
    character whose bytes come in several tokens standing at the last.

Bulk detail (`BULK`)
    `task_submitted` has `prompt_len`, and the ids in `prompt` only where a model runs.
    `runs` are [first, count] of pages in the order in which they were taken or let go,
    a negative count counting down. `logical` is the table's entry of the first of them;
    entries go up where pages come, and down, from the table's end, where they are let
    go, so that tables follow from these events. `refs` is the refcount of every page
    afterwards, one number where all are equal. `free` is how many pages are free
    afterwards, `words` a digest of the mask's words that hold the pages' bits
    (`trace.digests`). `pages_evicted` (with `cached`, the length of the LRU afterwards)
    comes right before the `pages_alloc` of the same pages. `pages_keyed` gives the key
    of the last page of its run and the parent key of the first. `kv_lengths` says that
    a forward pass computed `counts` tokens (one number where all are equal) of `tasks`;
    `lengths` is a digest of their tokens in the cache afterwards. `tokens` says that
    `tasks` got one token each (`ids` where a model gave them); `counts` is a digest of
    their tokens afterwards. `table` is a digest of a task's table. Phases in which
    nothing happened are left out. A snapshot has the whole mask and digests of the rest.
"""

from __future__ import annotations

from typing import Any

SCHEMA = "astrai-trace"
VERSION = 1
WHOLE_MASK = 1024
WHOLE_LRU = 1024

COMMON = ("seq", "step", "phase", "ns", "event")
PHASES = (None, "cleanup", "refill", "prefill", "decode")

BOTH: dict[str, tuple[str, ...]] = {
    "task_prefilled": ("task", "start", "end"),
    "chunk": ("task", "start", "end", "total"),
    "task_finished": ("task", "reason", "tokens", "generated"),
    "setting": ("name", "value"),
    "step_end": ("duration_ns", "waiting", "running"),
    "phase_begin": (),
    "prefix_miss": ("task", "logical"),
    "prefix_reset": ("mask",),
    "kv_lengths": ("tasks", "counts", "lengths"),
}
PAGE = ("page", "task", "logical", "ref")
FULL: dict[str, tuple[str, ...]] = {
    **BOTH,
    "task_submitted": ("task", "prompt", "max_tokens", "arrival_step"),
    "task_admitted": ("task", "tokens", "cached_tokens", "pages"),
    "token": ("task", "id", "index", "position", "source"),
    "task_preempted": ("task", "tokens", "pages"),
    "step_begin": ("waiting", "running"),
    "phase_end": ("duration_ns", "tasks"),
    "page_alloc": PAGE,
    "page_ref": PAGE,
    "page_free": PAGE,
    "page_cached": PAGE,
    "page_revived": PAGE,
    "page_evicted": ("page", "key"),
    "page_keyed": ("page", "task", "logical", "key", "parent"),
    "prefix_hit": ("task", "pages", "tokens"),
    "table": ("task", "pages"),
    "kv_write": ("layer", "spans"),
    "gather": ("layer", "rows"),
    "snapshot": ("mask", "refs", "tables", "lengths"),
    "lines": ("function", "task", "args", "steps", "result"),
}
PAGES = ("task", "logical", "runs", "refs", "free", "words")
BULK: dict[str, tuple[str, ...]] = {
    **BOTH,
    "task_submitted": ("task", "prompt_len", "max_tokens", "arrival_step"),
    "task_admitted": ("task", "tokens", "cached_tokens", "n_pages", "table"),
    "tokens": ("tasks", "source", "counts"),
    "task_preempted": ("task", "tokens", "n_pages", "table"),
    "step_begin": (),
    "phase_end": ("duration_ns", "n_tasks"),
    "pages_alloc": PAGES,
    "pages_ref": PAGES,
    "pages_free": PAGES,
    "pages_cached": PAGES,
    "pages_revived": PAGES,
    "pages_evicted": ("task", "logical", "runs", "cached"),
    "pages_keyed": ("task", "logical", "runs", "parent", "key"),
    "prefix_hit": ("task", "runs", "tokens"),
    "snapshot": ("mask", "cached", "digests"),
}
FIELDS = {"full": FULL, "bulk": BULK}


class Event:
    """One event: its fields as attributes, and the line of the file it came from."""

    __slots__ = ("data", "line")

    def __init__(self, data: dict[str, Any], line: int) -> None:
        self.data = data
        self.line = line

    def __getattr__(self, name: str) -> Any:
        if name == "data":  # not there yet while an event is being copied
            raise AttributeError(name)
        try:
            return self.data[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """A field, or `default` where the event has none of that name."""
        return self.data.get(name, default)

    def __repr__(self) -> str:
        return f"Event({self.data})"
