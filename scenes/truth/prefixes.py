"""Prefixes that a request asked the cache for and did not find."""

from __future__ import annotations

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


@vouches("prefix.found")
def found(witness: Witness, task: str, at: int) -> int:
    """Tokens that the cache had before the page at which event `at` missed."""
    miss = witness.trace[at]
    if miss.event != "prefix_miss" or miss.task != task:
        raise LookupError(f"event {at} is no miss of {task}")
    return miss.logical * witness.page_size


@vouches("prefix.once")
def once(witness: Witness, task: str, at: int) -> int:
    """The same and those behind it, in whole pages, that any request's page had got a key for; at
    least one token of the request is always computed."""
    tasks, size = witness.state(at).tasks, witness.page_size
    keyed = {
        tuple(tasks[event.task].tokens[: (event.logical + 1) * size])
        for event in witness.events("pages_keyed", before=at)
    }
    n, text = found(witness, task, at), tasks[task].tokens
    while n + size < len(text) and tuple(text[: n + size]) in keyed:
        n += size
    return n
