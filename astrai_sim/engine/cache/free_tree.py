"""Free pages of large pools: a tree of words in place of one long integer, and the cache that uses it."""

from astrai_sim.engine.cache.paged_cache import PagedCache

WORD, BYTES = 64, 8
SHIFT, WITHIN = 6, 63
"""A page's word is `page >> SHIFT`, its bit there `page & WITHIN`."""
SINGLE_MASK = 16_384
"""Most pages whose mask is one integer: the largest pool that a film is about. A pair of `alloc` and `free` goes over
all of it and takes here four times what it does at 8 pages, down a tree two to three times (docs/performance.md)."""


def _words_of(mask: int) -> list[int]:
    """The bits of `mask`, 64 in a word, the lowest first."""
    content = mask.to_bytes(-(-mask.bit_length() // WORD) * BYTES, "little")
    return [int.from_bytes(content[start : start + BYTES], "little") for start in range(0, len(content), BYTES)]


def _any(words: list[int]) -> int:
    """Bit i is 1 where word i has a bit."""
    return int("".join("1" if word else "0" for word in reversed(words)) or "0", 2)


class FreeTree:
    """A set of pages that finds its lowest in three steps: the bits of `mask`, whose highest is the last page there is.

    A hierarchical bitmap: bit i of `_words` says whether page i is in the set, bit i of `_groups` whether word i has
    any bit, bit i of `_top` whether group i has any. Words have 64 bits; the top has one bit for each 4,096 pages.
    `count` is how many pages there are, kept.
    """

    __slots__ = ("_groups", "_top", "_words", "count")

    def __init__(self, mask: int) -> None:
        self._words = _words_of(mask)
        self._groups = _words_of(_any(self._words))
        self._top = _any(self._groups)
        self.count = mask.bit_count()

    def __contains__(self, page: int) -> bool:
        return self._words[page >> SHIFT] >> (page & WITHIN) & 1 == 1

    def pop_lowest(self) -> int:
        """Take the lowest page out. Raises KeyError when there is none."""
        top = self._top
        if not top:
            raise KeyError("no page is in the set")
        group = (top & -top).bit_length() - 1
        words = self._groups[group]
        lowest = words & -words
        index = (group << SHIFT) + lowest.bit_length() - 1
        word = self._words[index]
        bit = word & -word
        if word != bit:
            self._words[index] = word ^ bit
        else:
            self._words[index] = 0
            self._groups[group] = words ^ lowest
            if words == lowest:
                self._top = top ^ 1 << group
        self.count -= 1
        return (index << SHIFT) + bit.bit_length() - 1

    def add(self, page: int) -> None:
        """Put `page` in. Raises KeyError if it is there already."""
        index, bit = page >> SHIFT, 1 << (page & WITHIN)
        word = self._words[index]
        if word & bit:
            raise KeyError(f"page {page} is in the set")
        self._words[index] = word | bit
        if not word:
            group = index >> SHIFT
            words = self._groups[group]
            self._groups[group] = words | 1 << (index & WITHIN)
            if not words:
                self._top |= 1 << group
        self.count += 1

    def word(self, index: int) -> int:
        """Bits of pages 64 x `index` and on, the lowest first."""
        return self._words[index]

    def mask(self) -> int:
        """All pages in one integer: bit i is 1 where page i is in the set."""
        return int.from_bytes(b"".join(word.to_bytes(BYTES, "little") for word in self._words), "little")


class LargePagedCache(PagedCache):
    """A `PagedCache` that takes and returns a page of a million in as many steps as one of a thousand.

    Which page `alloc` gives, what is raised, and `free_mask` are the same.
    """

    # `PagedCache.__init__` sets it, to all pages; whoever asks gets it made anew.
    @property
    def _free_mask(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return self._free.mask()

    @_free_mask.setter
    def _free_mask(self, mask: int) -> None:
        self._free = FreeTree(mask)

    @property
    def n_free(self) -> int:
        """Pages that are free."""
        return self._free.count

    def free_word(self, index: int) -> int:
        """Bits 64 x `index` to 64 x `index` + 63 of the free mask."""
        return self._free.word(index)

    def alloc(self) -> int:
        """Take the lowest free page, or evict the least recently used cached one.

        Raises OutOfPages when every page is in use.
        """
        if self._free.count == 0:
            return self.evict()
        idx = self._free.pop_lowest()
        self._refs[idx] = 1
        return idx

    def inc_ref(self, page: int) -> None:
        """Hold `page` once more; a cached page leaves the LRU first.

        Raises ValueError for a free page: there is nothing in it to share.
        """
        if page < 0 or page in self._free:
            raise ValueError(f"page {page} is free: nothing to share")
        self._lru.pop(page, None)
        self._refs[page] += 1

    def free(self, page: int) -> None:
        """Let go of `page` once; at refcount 0 it becomes free, or cached if keyed.

        Raises ValueError at refcount 0 and for the -1 that pads page tables.
        """
        if page < 0 or self._refs[page] == 0:
            raise ValueError(f"page {page} is not in use")
        self._refs[page] -= 1
        if self._refs[page] == 0:
            if page in self._prefix:
                self._lru[page] = None
            else:
                self._free.add(page)

    def _make_free(self, page: int) -> None:
        self._free.add(page)


def cache_type(n_pages: int) -> type[PagedCache]:
    """The cache for a pool of `n_pages`."""
    return PagedCache if n_pages <= SINGLE_MASK else LargePagedCache
