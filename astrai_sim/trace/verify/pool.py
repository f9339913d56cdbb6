"""The pool of pages as the rules have it, and its free mask."""

from collections.abc import Collection, Sequence
from itertools import chain

import numpy as np

from astrai_sim.trace.digests import WORD
from astrai_sim.trace.verify.checks import Checks
from astrai_sim.trace.verify.prefixes import Prefixes

ONES = (1 << WORD) - 1


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

    def known(self, pages: list[int]) -> list[int]:
        """The pages, if there are such. Raises Lie."""
        if min(pages) < 0 or max(pages) >= self.n_pages:
            for page in pages:
                self.paging.number("page", page, 0, self.n_pages)
        return pages

    def pages_for(self, n_tokens: int) -> int:
        """Pages that so many tokens need."""
        return -(-n_tokens // self.size)

    def table(self, task: str) -> list[int]:
        """A task's pages, maybe none."""
        return self.tables.get(task, [])

    # the pages of one event

    def take(self, pages: list[int]) -> None:
        """Hand out evicted pages, or each time the lowest free one."""
        paging, rule, free, refs = self.paging, self.policy["lowest-page-first"], self.free, self.refs
        taken = 0 if self.expected else free.take(pages)
        evicted = 0
        for page in pages[taken:]:
            if self.expected:
                paging.same("evicted page", page, self.expected.pop(0))
                evicted += 1
            else:
                if page != (lowest := free.lowest()):
                    rule.same("lowest free page", page, lowest)
                    if page not in free:
                        raise paging.lie(f"page {page} is not free")
                free.remove(page)
        for page in pages:
            if refs[page]:
                paging.same("refcount before", refs[page], 0)
            refs[page] = 1
        rule.held("lowest free page", len(pages) - evicted)
        paging.held("free before", len(pages) - evicted)
        paging.held("refcount before", len(pages))
        self.touched.update(pages)

    def ref(self, pages: list[int]) -> None:
        """Hold pages that others hold."""
        for page in pages:
            self.paging.true("refcount before", self.refs[page] > 0, f"nobody holds page {page}")
            self.refs[page] += 1
        self.touched.update(pages)

    def revive(self, pages: list[int]) -> None:
        """Hold cached pages."""
        for page in pages:
            self.paging.true("cached before", page in self.lru, f"page {page} is not cached")
            del self.lru[page]
            self.refs[page] += 1
        self.touched.update(pages)

    def let_go(self, pages: list[int]) -> None:
        """Let go of pages that become free where nobody else holds them."""
        rule, keys, freed = self.policy["keyed-pages-stay"], self.keys, []
        for page in pages:
            if self._drop(page) == 0:
                if page in keys:
                    rule.true("unkeyed", False, f"page {page} is keyed: it must stay cached")
                    self._forget(page)
                freed.append(page)
        self.free.add(freed)
        rule.held("unkeyed", len(freed))
        self.paging.held("refcount before", len(pages))
        self.touched.update(pages)

    def keep(self, pages: list[int]) -> None:
        """Let go of pages that stay cached."""
        for page in pages:
            self.paging.same("refcount", self._drop(page), 0)
            self.paging.true("keyed", page in self.keys, f"page {page} has no key: it cannot stay cached")
            self.lru[page] = None
        self.paging.held("refcount before", len(pages))
        self.touched.update(pages)

    def _drop(self, page: int) -> int:
        """Let go of a page once; returns how many hold it still."""
        left = self.refs[page] - 1
        if left < 0:
            raise self.paging.lie(f"page {page} is let go at refcount 0")
        self.refs[page] = left
        return left

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
        self.free.add(self.lru)
        self.touched.update(self.lru)
        for held in (self.lru, self.keys, self.page_of_key, self.page_of):
            held.clear()

    # tables

    def enter(self, task: str, pages: list[int]) -> None:
        """Append pages to a task's table."""
        table, holders = self.tables.setdefault(task, []), self.holders
        for page in pages:
            if holders[page] > 0 and page in table:
                raise self.paging.lie(f"page {page} is in the table of {task} twice")
            table.append(page)
            holders[page] += 1
        self.paging.held("table", len(pages))

    def leave(self, task: str, count: int) -> None:
        """Take the last entries off a task's table; an empty table is gone."""
        table, holders = self.tables[task], self.holders
        self.touched.update(left := table[-count:])
        for page in left:
            holders[page] -= 1
        del table[-count:]
        if not table:
            del self.tables[task]

    # what must always hold

    def check_touched(self) -> None:
        """The invariants of every page that was touched since the last check."""
        self._check(self.touched)
        self.touched.clear()

    def sweep(self) -> None:
        """The invariants of all pages, with holders counted anew from the tables."""
        held = np.fromiter(chain.from_iterable(self.tables.values()), np.int64)
        counted = np.bincount(held, minlength=self.n_pages).tolist()
        self.paging.same("tables holding each page", self.holders, counted)
        self._check(range(self.n_pages))

    def _check(self, pages: Collection[int]) -> None:
        refs, holders, free, cached = self.refs, self.holders, self.free.flags, self.lru
        for page in pages:
            ref = refs[page]
            if ref != holders[page]:
                message = f"page {page} has refcount {ref}, but {holders[page]} tables hold it"
                raise self.paging.lie(message)
            if free[page] + (page in cached) + (ref > 0) != 1:
                told = f"refcount {ref}, mask bit {free[page]}, cached {page in cached}"
                raise self.paging.lie(f"page {page}: {told}")
        self.paging.held("refcount = tables holding it", len(pages))
        self.paging.held("free = refcount 0 and not cached", len(pages))


class FreeMask:
    """Which pages are free: `words` of 64 bits, and `flags` of a byte each, 1 where a page is free, to look it up."""

    def __init__(self, n_pages: int) -> None:
        whole, rest = divmod(n_pages, WORD)
        self.words = [ONES] * whole + [(1 << rest) - 1] * bool(rest)
        self.flags = bytearray(b"\1" * n_pages)
        self.count = n_pages
        self._low = 0

    def __contains__(self, page: int) -> bool:
        return self.flags[page] == 1

    def lowest(self) -> int | None:
        """The lowest free page, or None."""
        if not self.count:
            return None
        self._low = self.flags.find(1, self._low)
        return self._low

    def take(self, pages: Sequence[int]) -> int:
        """Make pages not free, up to the first that is not the lowest free one then; returns how many."""
        words, flags, low, taken = self.words, self.flags, self._low, 0
        for page in pages:
            if page != flags.find(1, low):
                break
            flags[page] = 0
            words[page // WORD] ^= 1 << page % WORD
            low = page + 1
            taken += 1
        self._low = low
        self.count -= taken
        return taken

    def remove(self, page: int) -> None:
        """Make a free page not free."""
        self.flags[page] = 0
        self.words[page // WORD] ^= 1 << page % WORD
        self.count -= 1

    def add(self, pages: Collection[int]) -> None:
        """Make pages free that are not."""
        words, flags = self.words, self.flags
        for page in pages:
            flags[page] = 1
            words[page // WORD] ^= 1 << page % WORD
        self.count += len(pages)
        self._low = min((self._low, *pages))

    def whole(self) -> int:
        """The mask as one number: bit i is page i."""
        return int.from_bytes(np.array(self.words, "<u8").tobytes(), "little")
