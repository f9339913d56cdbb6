"""Cache events as vLLM and SGLang publish them: a batch of them is one message, made of arrays or of maps.

The form is that of `vllm/distributed/kv_events.py` and of SGLang's `srt/disaggregation/kv_events.py`, whose structs
msgspec encodes: a batch is `[ts, events, rank]`, an event an array with its kind first (both engines once) or a map
with its kind under "type" (both today). A block's hash is a number of 64 bits, or bytes; as JSON also text.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from astrai_sim.command_line import printable
from astrai_sim.imports.frames import DEEPEST
from astrai_sim.trace.header import MOST_SLOTS
from astrai_sim.trace.wire import plain

MOST_EVENTS = 100_000
"""Of a batch."""
LATEST = 9e9
"""Seconds since 1970, so that nanoseconds fit into 63 bits."""
MOST_HASH, MOST_NAME = 64, 60
"""Bytes of a hash, twice as many characters of text, and characters of a name of the publisher's."""
STORED = (
    *("block_hashes", "parent_block_hash", "token_ids", "block_size", "lora_id", "medium", "lora_name", "extra_keys"),
    *("group_idx", "kv_cache_spec_kind", "kv_cache_spec_sliding_window", "locality", "ownership", "session_id"),
)
REMOVED = ("block_hashes", "medium", "group_idx", "locality", "ownership")
FIELDS: dict[str, tuple[str, ...]] = {"BlockStored": STORED, "BlockRemoved": REMOVED, "AllBlocksCleared": ()}
"""Fields of each kind of event, in the order in which arrays have them."""
BATCH = ("ts", "events", "data_parallel_rank")
RANKS = ("data_parallel_rank", "attn_dp_rank")
GPU = "GPU"

Count = Annotated[int, Meta(ge=0, le=1 << 31)]


class BadMessage(ValueError):
    """A message that is no batch of cache events: what is wrong, and where in it."""


class _Stored(Struct):
    block_hashes: list[Any]
    block_size: Annotated[int, Meta(ge=0, le=MOST_SLOTS)]
    parent_block_hash: Any = None
    token_ids: list[int | list[int]] = []
    medium: str | None = None
    group_idx: Count | None = None


class _Removed(Struct):
    block_hashes: list[Any]
    medium: str | None = None
    group_idx: Count | None = None


@dataclass(frozen=True)
class Stored:
    """Blocks are cached: their `keys`, that of the block before the first ("": none), tokens of a block, the tokens of
    all of them. `medium` says in which memory (absent: GPU), `group` in which group of layers (absent: 0)."""

    keys: tuple[str, ...]
    parent: str
    size: int
    tokens: list[int | list[int]]
    medium: str
    group: int
    said: dict[str, Any]


@dataclass(frozen=True)
class Removed:
    """Blocks are not cached any more."""

    keys: tuple[str, ...]
    medium: str
    group: int
    said: dict[str, Any]


@dataclass(frozen=True)
class Cleared:
    """No block is cached any more."""

    said: dict[str, Any]


@dataclass(frozen=True)
class Other:
    """An event of a kind that is not known here."""

    kind: str


CacheEvent = Stored | Removed | Cleared | Other


@dataclass(frozen=True)
class Batch:
    """What one message says: `ts` in seconds since 1970, the data-parallel `rank` of the engine (absent: 0), events in
    their order, and what else is `said`."""

    ts: float
    rank: int
    events: tuple[CacheEvent, ...]
    said: dict[str, Any] = field(default_factory=dict)


def batch_of(value: Any) -> Batch:
    """The batch that a decoded message is. Raises BadMessage."""
    fields = _named(value, BATCH, "the batch")
    for name in ("ts", "events"):
        if name not in fields:
            raise BadMessage(f"the batch has no {name}")
    ts, events = fields.pop("ts"), fields.pop("events")
    if type(ts) not in (int, float) or not 0 <= ts <= LATEST:
        raise BadMessage(f"ts is {ts!r:.40}: it must be seconds since 1970")
    if not isinstance(events, list):
        raise BadMessage("events is no list")
    if len(events) > MOST_EVENTS:
        raise BadMessage(f"{len(events):,} events in one batch: at most {MOST_EVENTS:,} are read")
    ranks = [fields.pop(name) for name in RANKS if name in fields]
    rank = next((rank for rank in ranks if rank is not None), 0)
    if type(rank) is not int or not 0 <= rank < 1 << 31:
        raise BadMessage(f"the rank is {rank!r:.40}: it must be a number")
    return Batch(float(ts), rank, tuple(_event(event, i) for i, event in enumerate(events)), said_of(fields))


def _event(value: Any, place: int) -> CacheEvent:
    kind = value.get("type") if isinstance(value, dict) else value[0] if isinstance(value, list) and value else None
    if not isinstance(kind, str):
        raise BadMessage(f"event {place} is no map with a type, and no array that begins with one")
    if kind not in FIELDS:
        return Other(name_of(kind))
    where = f"event {place} ({kind})"
    rest = value[1:] if isinstance(value, list) else {name: one for name, one in value.items() if name != "type"}
    fields = _named(rest, FIELDS[kind], where)
    if isinstance(extra := fields.get("lora_name"), dict):  # SGLang 0.5.18, as an array, has a map of metadata there
        fields = {**fields, "lora_name": None, **_named(extra, (), where)}
    try:
        if kind == "BlockStored":
            found = msgspec.convert(fields, _Stored)
            keys = tuple(map(key_of, found.block_hashes))
            parent = "" if found.parent_block_hash is None else key_of(found.parent_block_hash)
            cache = found.medium or GPU, found.group_idx or 0
            said = said_of(fields, ("block_hashes", "parent_block_hash", "token_ids", "block_size"))
            return Stored(keys, parent, found.block_size, found.token_ids, *cache, said)
        if kind == "BlockRemoved":
            gone = msgspec.convert(fields, _Removed)
            keys = tuple(map(key_of, gone.block_hashes))
            return Removed(keys, gone.medium or GPU, gone.group_idx or 0, said_of(fields, ("block_hashes",)))
        return Cleared(said_of(fields))
    except msgspec.ValidationError as error:
        raise BadMessage(f"{where}: {plain(error)}") from None
    except BadMessage as error:
        raise BadMessage(f"{where}: {error}") from None


def _named(value: Any, names: Sequence[str], what: str) -> dict[str, Any]:
    """Fields by name: a map's own, an array's by their places, those beyond the known ones as `field_7`."""
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise BadMessage(f"{what} has a field whose name is no text")
        return dict(value)
    if not isinstance(value, list):
        raise BadMessage(f"{what} is neither an array nor a map")
    return {names[i] if i < len(names) else f"field_{i}": one for i, one in enumerate(value)}


def key_of(value: Any) -> str:
    """A block's hash as text: 16 hex digits of a number, the hex digits of bytes, text as it is. Raises BadMessage."""
    if type(value) is int and -(1 << 63) <= value < 1 << 64:
        return f"{value % (1 << 64):016x}"
    if isinstance(value, bytes) and 0 < len(value) <= MOST_HASH:
        return value.hex()
    if isinstance(value, str) and 0 < len(value) <= 2 * MOST_HASH and value.isprintable():
        return value
    raise BadMessage(f"a block's hash is {value!r:.40}: it must be a number of 64 bits, or 1 to {MOST_HASH} bytes")


def name_of(text: str) -> str:
    """A name of the publisher's, short and printable."""
    return printable(text)[:MOST_NAME]


def said_of(fields: Mapping[str, Any], without: Sequence[str] = ()) -> dict[str, Any]:
    """What else is said, by name, as JSON can have it; what is None is not said."""
    return {name_of(name): _json(one) for name, one in fields.items() if name not in without and one is not None}


def _json(value: Any, deep: int = 2) -> Any:
    """`value`, which is within `deep` others, in the forms that JSON has."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, list | dict):
        if deep >= DEEPEST:
            raise BadMessage(f"more than {DEEPEST} values within one another")
        if isinstance(value, list):
            return [_json(one, deep + 1) for one in value]
        return {_text(name): _json(one, deep + 1) for name, one in value.items()}
    if isinstance(value, int) and abs(value) < 1 << 63:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _text(value)


def _text(value: Any) -> str:
    """What JSON has no form for: bytes in hex, an extension as its number and bytes, the rest in words."""
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, msgspec.msgpack.Ext):
        return f"ext {value.code}: 0x{bytes(value.data).hex()}"
    return value.isoformat() if isinstance(value, datetime) else str(value)
