"""What publishers put on the wire: structs of our own, encoded by msgspec as the engines have theirs encoded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import msgspec


def structs(arrays: bool, batch_arrays: bool = True) -> SimpleNamespace:
    """A batch and its events: as `arrays` or as maps, the batch around them as an array or as a map."""
    form = {"omit_defaults": True, "gc": False}
    batch = [("ts", float), ("events", list[Any]), ("data_parallel_rank", int | None, None)]
    stored: list[Any] = [
        ("block_hashes", list[int | bytes]),
        ("parent_block_hash", int | bytes | None),
        ("token_ids", list[Any]),
        ("block_size", int),
        ("lora_id", int | None, None),
        ("medium", str | None, None),
        ("lora_name", Any, None),
        ("extra_keys", list[Any] | None, None),
        ("group_idx", int | None, None),
        ("kv_cache_spec_kind", str | None, None),
        ("kv_cache_spec_sliding_window", int | None, None),
        ("locality", str | None, None),
        ("ownership", str | None, None),
        ("session_id", str | None, None),
        ("origin", str | None, None),
    ]
    removed: list[Any] = [
        ("block_hashes", list[int | bytes]),
        ("medium", str | None, None),
        ("group_idx", int | None, None),
        ("locality", str | None, None),
        ("ownership", str | None, None),
    ]

    def event(name: str, fields: list[Any]) -> Any:
        return msgspec.defstruct(name, fields, tag=True, array_like=arrays, **form)

    return SimpleNamespace(
        Batch=msgspec.defstruct("EventBatch", batch, array_like=batch_arrays, **form),
        Stored=event("BlockStored", stored),
        Removed=event("BlockRemoved", removed),
        Cleared=event("AllBlocksCleared", []),
        Inactive=event("BlockInactive", [("block_hashes", list[int])]),
    )


def packed(*values: Any) -> bytes:
    """MessagePack values one after another."""
    return b"".join(map(msgspec.msgpack.encode, values))


def recorded(number: int, batch: Any, topic: str = "kv-events") -> list[Any]:
    """A message as a subscriber keeps it: topic, number, payload."""
    return [topic, number, msgspec.msgpack.encode(batch)]


def tokens(count: int, first: int = 0) -> list[int]:
    """Token ids of so many blocks of four."""
    return list(range(first, first + 4 * count))
