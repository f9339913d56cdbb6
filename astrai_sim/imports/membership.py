"""From messages of a publisher to a trace that knows which blocks were cached, and nothing else."""

import heapq
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from astrai_sim.imports.kv_events import GPU, Cleared, Other, Removed, Stored
from astrai_sim.imports.messages import Message
from astrai_sim.imports.sequence import Sequence
from astrai_sim.trace import SCHEMA, VERSION, TraceWriter
from astrai_sim.trace.header import MEMBERSHIP, MOST_PAGES, UNKNOWN, Device, Engine, Imported
from astrai_sim.trace.verify.membership import STOPPED

MOST_REASONS = 40
"""Different things that are left out; others are counted together."""


class NothingToShow(ValueError):
    """Messages of which no trace can be made; the message says why."""


@dataclass(frozen=True)
class Asked:
    """Which cache to take: its memory, the engine's data-parallel rank (None: that of the first message), its group of
    layers; how many places there are (None: as many as blocks at most at once); the engine's name and a title."""

    medium: str = GPU
    rank: int | None = None
    group: int = 0
    pages: int | None = None
    engine: str = UNKNOWN
    title: str = ""


@dataclass
class Ledger:
    """What becomes of messages that are taken one by one: the `events` of the trace, and counts of what was in them.

    `place` has where each cached block is, `most` how many were cached at most at once.
    """

    asked: Asked
    events: list[dict[str, Any]] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    missing: int = 0
    stored: int = 0
    again: int = 0
    removed: int = 0
    unknown: int = 0
    most: int = 0
    page_size: int = 0
    place: dict[str, int] = field(default_factory=dict)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    began: float = 0.0
    _rank: int | None = None
    _ns: int = 0
    _seen: set[str] = field(default_factory=set)
    _free: list[int] = field(default_factory=list)
    _topic: str = ""
    _sequence: Sequence = field(default_factory=Sequence)

    @property
    def rank(self) -> int:
        """The rank that is taken."""
        return self.asked.rank if self.asked.rank is not None else self._rank or 0

    def take(self, message: Message) -> None:
        """The next message; one of another rank or topic than the first, and one that came before, are left out."""
        batch = message.batch
        if self._rank is None:
            self._rank = batch.rank
        if batch.rank != self.rank:
            return self._leave_out(f"events of rank {batch.rank}", len(batch.events))
        if not self.messages:
            self._topic, self.began = message.topic, batch.ts
        if message.topic != self._topic:
            return self._leave_out("messages of another topic")
        found = self._sequence.take(message)
        if found.what in ("again", "late"):
            return self._leave_out("messages that came again" if found.what == "again" else "messages that came late")
        self._ns = max(self._ns, round((batch.ts - self.began) * 1e9))
        if found.what == "restart":
            self._clear(True, {})
        if found.missing:
            self._event("messages_missed", number=found.first, count=found.missing)
            self.missing += found.missing
            self.gaps.append((found.first, found.missing))
        for event in batch.events:
            self._take(event)
        self._event("message_end", number=message.number, ts=batch.ts, **_said(batch.said))
        self.messages += 1

    def _take(self, event: Stored | Removed | Cleared | Other) -> None:
        asked = self.asked
        if isinstance(event, Cleared):
            return self._clear(False, event.said)
        if isinstance(event, Other):
            return self._leave_out(f"events of the kind {event.kind}")
        if event.medium != asked.medium:
            return self._leave_out(f"events of the medium {event.medium:.40}")
        if event.group != asked.group:
            return self._leave_out(f"events of the group {event.group}")
        if isinstance(event, Removed):
            return self._remove(event)
        if not event.keys:
            return self._leave_out("stored events without a block")
        return self._store(event)

    def _store(self, event: Stored) -> None:
        self.page_size = self.page_size or event.size
        orphan = bool(event.parent) and event.parent not in self._seen
        again, pages = [], []
        for key in event.keys:
            if key in self.place:
                again.append(key)
            else:
                self.place[key] = heapq.heappop(self._free) if self._free else len(self.place)
                self._seen.add(key)
            pages.append(self.place[key])
        self.stored += len(event.keys) - len(again)
        self.again += len(again)
        self.most = max(self.most, len(self.place))
        told: dict[str, Any] = {"pages": pages, "keys": list(event.keys), "parent": event.parent}
        told |= {"again": again} if again else {}
        told |= {"orphan": True} if orphan else {}
        self._event("block_stored", **told, size=event.size, token_ids=event.tokens, **_said(event.said))

    def _remove(self, event: Removed) -> None:
        known: list[str] = []
        pages: list[int] = []
        unknown: list[str] = []
        for key in event.keys:
            page = self.place.pop(key, None)
            if page is None:
                unknown.append(key)
                continue
            heapq.heappush(self._free, page)
            known.append(key)
            pages.append(page)
        self.removed += len(known)
        self.unknown += len(unknown)
        told = {"unknown": unknown} if unknown else {}
        self._event("block_removed", pages=pages, keys=known, **told, **_said(event.said))

    def _clear(self, restart: bool, said: dict[str, Any]) -> None:
        self.place.clear()
        self._free.clear()
        self._seen.clear()
        self._event("all_blocks_cleared", **({"restart": True} if restart else {}), **_said(said))

    def _event(self, kind: str, **fields: Any) -> None:
        self.events.append({"step": self.messages, "phase": None, "ns": self._ns, "event": kind, **fields})

    def _leave_out(self, what: str, count: int = 1) -> None:
        if what not in self.left_out and len(self.left_out) >= MOST_REASONS:
            what = "other things"
        if count:
            self.left_out[what] += count


def _said(said: dict[str, Any]) -> dict[str, Any]:
    return {"said": said} if said else {}


def taken(messages: Iterable[Message], asked: Asked) -> Ledger:
    """What becomes of `messages`. Raises NothingToShow where no block of the cache that is asked for is among them, or
    more at once than there are places."""
    ledger = Ledger(asked)
    for message in messages:
        ledger.take(message)
    if not ledger.stored:
        seen = ", ".join(f"{count:,} {what}" for what, count in ledger.left_out.items())
        cache = f"medium {asked.medium}, rank {ledger.rank}, group {asked.group}"
        others = f"; left out: {seen}" if seen else ""
        raise NothingToShow(f"no block is stored in {cache} by {ledger.messages:,} messages{others}")
    if not ledger.page_size:
        raise NothingToShow(f"no stored block of medium {asked.medium} says how many tokens it has")
    for event in ledger.events:
        if event.get("size") == ledger.page_size:
            del event["size"]
    places = asked.pages or ledger.most
    if ledger.most > places or places > MOST_PAGES:
        raise NothingToShow(
            f"{ledger.most:,} blocks are cached at once: --pages must be that many, up to {MOST_PAGES:,}"
        )
    return ledger


def write_trace(path: Path, ledger: Ledger, source: str) -> str:
    """Write the trace; returns its SHA-256. Raises OSError, and leaves nothing behind then."""
    writer = TraceWriter(path, header_of(ledger, source))
    try:
        for event in ledger.events:
            writer.event(event)
        return writer.finish(STOPPED)
    except BaseException:
        with suppress(OSError):
            writer.discard()
        raise


def header_of(ledger: Ledger, source: str) -> dict[str, Any]:
    """The header of such a trace: what cache events do not tell is unknown, or absent."""
    asked = ledger.asked
    cache = {"n_pages": asked.pages or ledger.most, "page_size": ledger.page_size, "prefix_caching": True}
    imported = Imported(
        source,
        asked.medium,
        ledger.rank,
        asked.group,
        ledger.messages,
        ledger.missing,
        dict(ledger.left_out),
        "asked" if asked.pages else "most",
    )
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "knows": [MEMBERSHIP],
        "engine": to_builtins(Engine(asked.engine, UNKNOWN)),
        "device": to_builtins(Device(UNKNOWN, UNKNOWN)),
        "dtype": UNKNOWN,
        "model": UNKNOWN,
        "clock": "real",
        "scenario": {"name": source, "title": asked.title, "cache": cache},
        "scenario_name": source,
        "seed": 0,
        "started": datetime.fromtimestamp(ledger.began, UTC).isoformat(timespec="seconds"),
        "sources": {},
        "kv_layer": 0,
        "detail": "bulk",
        "imported": to_builtins(imported),
    }
