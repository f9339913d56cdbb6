"""Cached blocks, where nothing else is known: how many were stored and removed, and how many there were at most."""

from collections import Counter
from functools import lru_cache

from astrai_sim.trace import Trace
from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


@lru_cache(maxsize=4)
def _counted(trace: Trace) -> Counter[str]:
    """From one pass over the events, by the keys of the blocks."""
    found, cached = Counter[str](), set[str]()
    for event in trace:
        match event.event:
            case "block_stored":
                found["blocks.stored"] += len(set(event.keys) - cached)
                cached.update(event.keys)
            case "block_removed":
                found["blocks.removed"] += len(cached.intersection(event.keys))
                cached.difference_update(event.keys)
            case "all_blocks_cleared":
                cached.clear()
            case "message_end":
                found["messages"] += 1
                found["blocks.peak"] = max(found["blocks.peak"], len(cached))
            case "messages_missed":
                found["messages.missed"] += event.count
    return found


for _name in ("blocks.stored", "blocks.removed", "blocks.peak", "messages", "messages.missed"):
    vouches(_name)(lambda witness, name=_name: _counted(witness.trace)[name])


@vouches("engine.name")
def engine_name(witness: Witness) -> str:
    return witness.trace.header.engine.name
