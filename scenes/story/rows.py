"""The pages' worth of text of each request, and which page holds its K and V at what time."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from astrai_sim.trace import Trace

RowKey = tuple[str, int]


@dataclass
class TextRows:
    """`(task, logical)` names the tokens of one logical page of a request.

    Rows whose K and V a request never computes, since it takes over a page that holds
    them, are told by the row that the page was written for: `homes` maps every row to
    that one, and to itself where it was written for its own.
    """

    page_size: int
    homes: dict[RowKey, RowKey] = field(default_factory=dict)
    _times: dict[RowKey, list[int]] = field(default_factory=dict)
    _pages: dict[RowKey, list[int | None]] = field(default_factory=dict)

    @classmethod
    def of(cls, trace: Trace) -> TextRows:
        """Follow every page through allocation, sharing, caching, eviction and release."""
        rows = cls(trace.header.scenario.cache.page_size)
        content: dict[int, RowKey] = {}
        for event in trace:
            kind = event.event
            if kind == "pages_alloc":
                key = (event.task, event.logical)
                rows._put(content.pop(event.page, None), event.seq, None, event.page)
                rows.homes[key] = key
                content[event.page] = key
                rows._put(key, event.seq, event.page)
            elif kind in ("pages_ref", "pages_revived"):
                home = content.get(event.page)
                if home is not None:
                    rows.homes.setdefault((event.task, event.logical), home)
            elif kind == "pages_evicted" or (kind == "pages_free" and event.ref == 0):
                rows._put(content.pop(event.page, None), event.seq, None, event.page)
            elif kind == "prefix_reset":
                held = {p for pages in trace.state_at(event.seq).tables.values() for p in pages}
                for page in [page for page in content if page not in held]:
                    rows._put(content.pop(page), event.seq, None, page)
        return rows

    def _put(self, key: RowKey | None, seq: int, page: int | None, leaving: int | None = None) -> None:
        if key is None or (page is None and self._pages.get(key, [None])[-1] != leaving):
            return
        self._times.setdefault(key, []).append(seq)
        self._pages.setdefault(key, []).append(page)

    def page_at(self, key: RowKey, seq: int) -> int | None:
        """The page that holds a row's K and V after event `seq`; None where none does."""
        home = self.homes.get(key)
        if home not in self._times:
            return None
        place = bisect_right(self._times[home], seq)
        return self._pages[home][place - 1] if place else None

    def first_pages(self, count: int) -> list[int]:
        """The first `count` pages that were allocated, by number."""
        taken = sorted(
            (seq, page)
            for key, times in self._times.items()
            for seq, page in zip(times, self._pages[key], strict=True)
            if page is not None
        )
        return sorted([*dict.fromkeys(page for _, page in taken)][:count])
