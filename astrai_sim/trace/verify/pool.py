"""The pool of pages as the rules have it, and its free mask."""

from collections import Counter

import numpy as np

from astrai_sim.trace.digests import WORD
from astrai_sim.trace.verify.checks import Checks
from astrai_sim.trace.verify.prefixes import Prefixes


class Pool:
    """Free pages, refcounts, tables, LRU and keys, changed page by page by the rules.

    `holders` counts tables that name a page, apart from its refcount, so that the two can be compared. `keys` has the
    key and the chain (`Prefixes`) of each keyed page, None where they are not told, `page_of_key` and `page_of` the
    page that has them. `expected` are evicted pages that must be handed out next.
    """

    def __init__(self, checks: Checks, n_pages: int, page_size: int) -> None:
        self.paging, self.policy = checks.paging, checks.policy
        self.n_pages, self.size = n_pages, page_size
        self.free = FreeMask(n_pages)
        self.prefixes = Prefixes(page_size)
        self.refs = [0] * n_pages
        self.holders = [0] * n_pages
        self.tables: dict[str, list[int]] = {}
        self.lru: dict[int, None] = {}
        self.keys: dict[int, tuple[str | None, int | None]] = {}
        self.page_of_key: dict[str | None, int] = {}
        self.page_of: dict[int | None, int] = {}
        self.expected: list[int] = []
        self.touched: set[int] = set()

    def page(self, page: int) -> int:
        """The page, if there is one of that number. Raises Lie."""
        return self.paging.number("page", page, 0, self.n_pages)

    def pages_for(self, n_tokens: int) -> int:
        """Pages that so many tokens need."""
        return -(-n_tokens // self.size)

    def table(self, task: str) -> list[int]:
        """A task's pages, maybe none."""
        return self.tables.get(task, [])

    # one page

    def take(self, page: int) -> None:
        """Hand out an evicted page, or the lowest free one."""
        if self.expected:
            self.paging.same("evicted page", page, self.expected.pop(0))
        else:
            self.policy["lowest-page-first"].same("lowest free page", page, self.free.lowest())
            self.paging.true("free before", page in self.free, f"page {page} is not free")
            self.free.put(page, False)
        self.paging.same("refcount before", self.refs[page], 0)
        self._hold(page)

    def ref(self, page: int) -> None:
        """Hold a page that others hold."""
        self.paging.true("refcount before", self.refs[page] > 0, f"nobody holds page {page}")
        self._hold(page)

    def revive(self, page: int) -> None:
        """Hold a cached page."""
        self.paging.true("cached before", page in self.lru, f"page {page} is not cached")
        del self.lru[page]
        self._hold(page)

    def _hold(self, page: int) -> None:
        self.refs[page] += 1
        self.touched.add(page)

    def let_go(self, page: int) -> None:
        """Let go of a page that becomes free if nobody else holds it."""
        self._drop(page)
        if self.refs[page] == 0:
            keyed = page in self.keys
            self.policy["keyed-pages-stay"].true("unkeyed", not keyed, f"page {page} is keyed: it must stay cached")
            if keyed:
                self._forget(page)
            self.free.put(page, True)

    def keep(self, page: int) -> None:
        """Let go of a page that stays cached."""
        self._drop(page)
        self.paging.same("refcount", self.refs[page], 0)
        self.paging.true("keyed", page in self.keys, f"page {page} has no key: it cannot stay cached")
        self.lru[page] = None

    def _drop(self, page: int) -> None:
        self.paging.true("refcount before", self.refs[page] > 0, f"page {page} is let go at refcount 0")
        self.refs[page] -= 1
        self.touched.add(page)

    def evict(self, page: int) -> str | None:
        """Take the least recently used cached page from the cache; returns its key."""
        self.policy["cached-pages-last"].same("free pages at eviction", self.free.count, 0)
        self.paging.true("cached before", page in self.lru, f"page {page} is not cached")
        self.policy["least-recently-used"].same("least recently used", page, next(iter(self.lru)))
        del self.lru[page]
        self.expected.append(page)
        self.touched.add(page)
        return self._forget(page)

    def set_key(self, page: int, key: str | None, chain: int | None) -> None:
        """Give a key to a page that has none, and note what it ends.

        Another page of the same content loses it; one that is cached keeps the name until it is evicted.
        """
        self.paging.true("key", page not in self.keys, f"page {page} has a key already")
        owner = None if key is None else self.page_of_key.get(key)
        if owner is not None:
            message = f"the key {key} is that of page {owner}"
            self.paging.true("key", chain is not None and self.keys[owner][1] == chain, message)
            self.policy["full-pages-keyed"].true("key", False, message)
            if owner not in self.lru:
                del self.keys[owner]
        if key is not None:
            self.page_of_key[key] = page
        self.keys[page], self.page_of[chain] = (key, chain), page

    def _forget(self, page: int) -> str | None:
        """Take a page's key from it."""
        key, chain = self.keys.pop(page)
        if self.page_of_key.get(key) == page:
            del self.page_of_key[key]
        if self.page_of.get(chain) == page:
            del self.page_of[chain]
        return key

    def reset(self) -> None:
        """Empty the prefix cache."""
        self.paging.same("pages in use at reset", self.n_pages - self.free.count - len(self.lru), 0)
        for page in self.lru:
            self.free.put(page, True)
        self.touched.update(self.lru)
        for held in (self.lru, self.keys, self.page_of_key, self.page_of):
            held.clear()

    # tables

    def enter(self, task: str, page: int) -> None:
        """Append a page to a task's table."""
        table = self.tables.setdefault(task, [])
        twice = self.holders[page] > 0 and page in table
        self.paging.true("table", not twice, f"page {page} is in the table of {task} twice")
        table.append(page)
        self.holders[page] += 1
        self.touched.add(page)

    def leave(self, task: str, count: int) -> None:
        """Take the last entries off a task's table; an empty table is gone."""
        table = self.tables[task]
        for page in table[-count:]:
            self.holders[page] -= 1
            self.touched.add(page)
        del table[-count:]
        if not table:
            del self.tables[task]

    # what must always hold

    def check_touched(self) -> None:
        """The invariants of every page that was touched since the last check."""
        for page in self.touched:
            self._check(page)
        self.touched.clear()

    def sweep(self) -> None:
        """The invariants of all pages, with holders counted anew from the tables."""
        held = Counter(page for table in self.tables.values() for page in table)
        self.paging.same("tables holding each page", self.holders, [held[page] for page in range(self.n_pages)])
        for page in range(self.n_pages):
            self._check(page)

    def _check(self, page: int) -> None:
        counts, refs, free, cached = self.paging.counts, self.refs[page], page in self.free, page in self.lru
        counts["refcount = tables holding it"] += 1
        if refs != self.holders[page]:
            raise self.paging.lie(f"page {page} has refcount {refs}, but {self.holders[page]} tables hold it")
        counts["free = refcount 0 and not cached"] += 1
        if free != (refs == 0 and not cached) or (cached and refs):
            raise self.paging.lie(f"page {page}: refcount {refs}, mask bit {int(free)}, cached {cached}")


class FreeMask:
    """Which pages are free, bool [n_pages]. Taking, returning and finding the lowest cost alike in any pool."""

    def __init__(self, n_pages: int) -> None:
        self.bits = np.ones(n_pages, bool)
        self.count = n_pages
        self._low = 0

    def __contains__(self, page: int) -> bool:
        return bool(self.bits[page])

    def lowest(self) -> int | None:
        """The lowest free page, or None."""
        if not self.count:
            return None
        self._low += int(self.bits[self._low :].argmax())
        return self._low

    def put(self, page: int, free: bool) -> None:
        """Make a free page not free, or one free that was not."""
        self.bits[page] = free
        self.count += 1 if free else -1
        self._low = min(self._low, page)

    def whole(self) -> int:
        """The mask as one number: bit i is page i."""
        return _number(self.bits)

    def word(self, index: int) -> int:
        """64 bits of it."""
        return _number(self.bits[WORD * index : WORD * (index + 1)])


def _number(bits: np.ndarray) -> int:
    return int.from_bytes(np.packbits(bits, bitorder="little").tobytes(), "little")
