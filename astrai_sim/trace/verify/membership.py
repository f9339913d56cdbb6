"""What can be checked of a trace that knows only which blocks are cached, and what cannot."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.checks import Checks, Lie
from astrai_sim.trace.verify.policy import RULES
from astrai_sim.trace.verify.pool import FreeMask
from astrai_sim.trace.verify.time import Time

STOPPED = "imported"


@dataclass
class Counts:
    """What the events leave open, counted."""

    messages: int = 0
    missing: int = 0
    again: int = 0
    orphans: int = 0
    unknown: int = 0
    unnumbered: int = 0


@dataclass
class Cached:
    """The cache as the events have it: `place` of each cached key, `seen` all keys that were stored since it was
    emptied, `free` the places without a block."""

    free: FreeMask
    place: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)


class MembershipModel:
    """Takes in one event after the other; raises Lie at the first that cannot be. No rule of a policy applies."""

    rules: tuple[str, ...] = ()
    own = True
    """Whoever imports writes the digest, so it must be there."""
    of_each = ("ns",)

    def __init__(self, header: Header) -> None:
        if header.imported is None:
            raise Lie("the header knows membership only, but does not say what it was imported from")
        self.header, self.imported = header, header.imported
        self.checks = Checks(RULES, ())
        self.format, self.paging = self.checks.format, self.checks.paging
        self.n_pages, self.size = header.scenario.cache.n_pages, header.scenario.cache.page_size
        self.cache = Cached(FreeMask(self.n_pages))
        self.time = Time(self.format, header)
        self.seq = self.step = 0
        self.number = -1
        self.most = 0
        self.open = False
        self.counts = Counts()

    def take(self, event: Event) -> None:
        """Check the next event."""
        self.format.same("seq", event.seq, self.seq)
        self.format.same("step", event.step, self.step)
        self.format.same("phase", event.phase, None)
        self.time.check(event)
        self.open = True
        getattr(self, f"on_{event.event}")(event)
        self.seq += 1

    def on_messages_missed(self, event: Event) -> None:
        self.format.same("first missing message", event.number, self.number + 1)
        self.number += self.format.number("missing messages", event.count, 1)
        self.counts.missing += event.count

    def on_block_stored(self, event: Event) -> None:
        cache, again = self.cache, []
        self.format.same("places of blocks", len(event.pages), len(event.keys))
        self.format.true("blocks", bool(event.keys), "no block is stored")
        self.format.true("tokens of a block", event.size != self.size, f"a size of {event.size}, which all blocks have")
        self.paging.same("orphan", event.orphan, bool(event.parent) and event.parent not in cache.seen)
        for key, page in zip(event.keys, event.pages, strict=True):
            self.format.number("page", page, 0, self.n_pages)
            self.format.true("key", bool(key), "a block without a key")
            if key in cache.place:
                self.paging.same("place of a cached block", page, cache.place[key])
                again.append(key)
                continue
            self.paging.true("one block a place", page in cache.free, f"page {page} holds another block")
            self.format.same("lowest free place", page, cache.free.lowest())
            cache.free.remove(page)
            cache.place[key] = page
            cache.seen.add(key)
        self.paging.same("blocks stored again", event.again, again)
        self.counts.again += len(again)
        self.counts.orphans += event.orphan
        self.most = max(self.most, len(cache.place))

    def on_block_removed(self, event: Event) -> None:
        self.format.same("places of blocks", len(event.pages), len(event.keys))
        for key, page in zip(event.keys, event.pages, strict=True):
            self.paging.true("removed blocks are cached", key in self.cache.place, f"block {key:.64} is not cached")
            self.paging.same("place of a removed block", page, self.cache.place.pop(key))
            self.cache.free.add([page])
        for key in event.unknown:
            self.paging.true("unknown blocks", key not in self.cache.place, f"block {key:.64} is cached")
        self.counts.unknown += len(event.unknown)

    def on_all_blocks_cleared(self, event: Event) -> None:
        self.cache.free.add(self.cache.place.values())
        self.cache.place.clear()
        self.cache.seen.clear()
        if event.restart:
            self.number = -1

    def on_message_end(self, event: Event) -> None:
        if event.number is None:
            self.counts.unnumbered += 1
        else:
            self.format.same("number of the message", event.number, self.number + 1)
            self.number = event.number
        self.format.same("places and blocks", self.n_pages - self.cache.free.count, len(self.cache.place))
        self.counts.messages += 1
        self.step += 1
        self.open = False

    def end(self, stopped: str) -> None:
        """Check that the trace may end here, and what its header counts."""
        self.format.true("last message", not self.open, "the trace ends inside a message")
        self.format.same("reason to stop", stopped, STOPPED)
        self.format.same("messages", self.imported.messages, self.counts.messages)
        self.format.same("missing messages", self.imported.missing, self.counts.missing)
        if self.imported.places == "most":
            self.paging.same("pages, which are the blocks cached at most", self.n_pages, max(1, self.most))

    def trusted(self) -> Iterator[str]:
        """What is not known, and what nothing is tied to."""
        header, counts, imported = self.header, self.counts, self.imported
        yield "refcounts, requests, page tables and pages in use: not known, events tell only which blocks are cached"
        yield "which page of the engine a block is in: not known, places are handed out on import, the lowest first"
        yield "what a block's key stands for, and whether equal contents have equal keys: keys are as published"
        yield f"who published them, where and when: engine {header.engine.name}, {imported.source}, {header.started}"
        yield "times, but for their order: they are the publisher's"
        if counts.unnumbered:
            yield f"whether messages are missing: {counts.unnumbered:,} of {counts.messages:,} have no number"
        if counts.missing:
            yield f"what {counts.missing:,} missing messages said: blocks may have come and gone with them"
        if counts.again:
            yield f"whether {counts.again:,} blocks that were stored again were copies: each is taken as one block"
        if counts.orphans:
            yield f"what comes before the blocks of {counts.orphans:,} events: no event stored the block that they name"
        if counts.unknown:
            yield f"{counts.unknown:,} removed blocks that no event stored, or that had been removed before"
        for what, number in imported.left_out.items():
            yield f"{number:,} {what}: left out on import"
