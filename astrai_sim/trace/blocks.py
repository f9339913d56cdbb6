"""Events of traces that know only which blocks are cached: what an engine's cache events tell."""

from typing import Any

from astrai_sim.trace.events import Event


class MessagesMissed(Event):
    """Messages that did not come: `count` from `number` on, as the publisher counts them."""

    number: int
    count: int


class BlockStored(Event):
    """Blocks can be found from now on.

    `keys` are their hashes as text, `pages` the place of each (see `places` in `trace.header.Imported`), and `parent`
    is the key of the block before the first, "" where there is none; `orphan` says that no event stored that one.
    `again` are those of `keys` that are cached already: one block that is reported once more, not a second copy.
    `size` is how many tokens a block has where that is not the page size, `token_ids` what was published as those of
    all blocks, and `said` what else was, by its name.
    """

    pages: list[int]
    keys: list[str]
    parent: str
    again: list[str] = []
    orphan: bool = False
    size: int | None = None
    token_ids: list[Any] = []
    said: dict[str, Any] = {}


class BlockRemoved(Event):
    """The blocks of `keys` cannot be found any more, and their `pages` are given back; `unknown` are the keys of
    removed blocks that were not cached as far as the events before tell."""

    pages: list[int]
    keys: list[str]
    unknown: list[str] = []
    said: dict[str, Any] = {}


class AllBlocksCleared(Event):
    """The cache is empty: the publisher says so, or it was started anew (`restart`)."""

    restart: bool = False
    said: dict[str, Any] = {}


class MessageEnd(Event):
    """A message of the publisher ends, with the events since the one before; `step` counts messages from 0.

    `number` is the publisher's where it has one, `ts` its time in seconds since 1970, `said` what else it said.
    """

    number: int | None
    ts: float
    said: dict[str, Any] = {}


BLOCK_EVENTS: tuple[type[Event], ...] = (MessagesMissed, BlockStored, BlockRemoved, AllBlocksCleared, MessageEnd)
for kind in BLOCK_EVENTS:
    kind.event = str(kind.__struct_config__.tag)
