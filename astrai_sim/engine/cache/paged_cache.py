"""The page pool: tensors, free bitmask, refcounts, page tables."""

from collections import OrderedDict
from collections.abc import Sequence

import torch

from astrai_sim.engine.cache.prefix import Prefix, PrefixIndex, full_pages
from astrai_sim.engine.cache.queued import QueuedView
from astrai_sim.engine.cache.view import CacheView, pages_for


class OutOfPages(RuntimeError):
    """No page is free and none can be evicted."""


def owned(page: torch.Tensor) -> torch.Tensor:
    """`page` as it is; IndexError if it holds the -1 that pads tables: that is no page.

    As an index -1 would mean the last page, whoever owns it.
    """
    if bool((page < 0).any()):
        raise IndexError("a position lies beyond its page table")
    return page


WORDS = (torch.complex128, torch.int64, torch.int32, torch.int16, torch.int8)
"""Of 16 bytes to 1: the widest that tensors have, and what else the K or V of a token may be a multiple of."""


def wide(kv: torch.Tensor) -> torch.Tensor:
    """K or V [..., n_kv_heads, head_dim] of tokens as rows [N, words] of the widest words that fit, in the same memory.

    A GPU copies a word of 16 bytes with one thread, where it would take eight for as many numbers of 2 bytes.
    """
    rows = kv.contiguous().flatten(-2).flatten(0, -2)
    size = rows.shape[1] * rows.itemsize
    return rows.view(next(word for word in WORDS if size % word.itemsize == 0))


def word_of(mask: int, index: int) -> int:
    """Bits 64 x `index` to 64 x `index` + 63 of a mask."""
    return mask >> 64 * index & 0xFFFFFFFFFFFFFFFF


class PagedCache:
    """KV cache in pages of `page_size` token slots.

    A page is free (refcount 0, mask bit 1), in use (refcount >= 1), or cached: refcount 0 but its content is keyed, so
    that it stays in the LRU until it is hit again or evicted. With `prefix_caching` off no page is ever cached.
    `k_cache` and `v_cache` have shape [n_layers, n_pages, page_size, n_kv_heads, head_dim]; `tables` has the page table
    of each task: logical page index -> physical page.
    """

    _counted = (0, 0)
    """A mask, and how many of its bits are 1."""

    # Films show this function line by line.
    # fmt: off
    def __init__(
        self, n_layers, n_pages, page_size,
        n_kv_heads, head_dim, device, dtype,
        *, prefix_caching=False,
    ):
        """Reserve the whole pool at once. Raises ValueError for a size below 1."""
        sizes = (n_layers, n_pages, page_size, n_kv_heads, head_dim)
        if min(sizes) < 1:
            raise ValueError(f"every size must be at least 1, got {sizes}")
        self.k_cache = torch.zeros(sizes, device=device, dtype=dtype)
        self.v_cache = torch.zeros(sizes, device=device, dtype=dtype)
        self._free_mask = (1 << n_pages) - 1
        self._refs = [0] * n_pages
        self.tables = {}
        self.n_pages, self.page_size = n_pages, page_size
        self.prefix_caching = prefix_caching
        self._prefix = PrefixIndex()
        self._lru = OrderedDict()

    # fmt: on

    @property
    def free_mask(self) -> int:
        """Bit i is 1 where page i is free."""
        return self._free_mask

    @property
    def refs(self) -> list[int]:
        """Refcount of each page."""
        return self._refs

    @property
    def lru(self) -> list[int]:
        """Cached pages, least recently used first."""
        return list(self._lru)

    @property
    def n_free(self) -> int:
        """Pages that are free; counted when the mask has changed since the last time."""
        if self._counted[0] is not self._free_mask:
            self._counted = self._free_mask, self._free_mask.bit_count()
        return self._counted[1]

    def free_word(self, index: int) -> int:
        """Bits 64 x `index` to 64 x `index` + 63 of the free mask."""
        return word_of(self._free_mask, index)

    @property
    def n_available(self) -> int:
        """Pages that `alloc` can hand out: free ones and cached ones."""
        return self.n_free + len(self._lru)

    def alloc(self) -> int:
        """Take the lowest free page, or evict the least recently used cached one.

        Raises OutOfPages when every page is in use.
        """
        if self._free_mask == 0:
            return self.evict()
        lsb = self._free_mask & -self._free_mask
        idx = lsb.bit_length() - 1
        self._free_mask ^= lsb
        self._refs[idx] = 1
        return idx

    def evict(self) -> int:
        """Take the least recently used cached page; its key is forgotten.

        Raises OutOfPages when there is none.
        """
        if not self._lru:
            raise OutOfPages(f"all {self.n_pages} pages are in use")
        idx, _ = self._lru.popitem(last=False)
        self._prefix.forget(idx)
        self._refs[idx] = 1
        return idx

    def alloc_n(self, n: int) -> list[int]:
        """Take `n` pages or none: raises OutOfPages before any is taken."""
        if n > self.n_available:
            raise OutOfPages(f"{n} pages wanted, {self.n_available} available")
        return [self.alloc() for _ in range(n)]

    def inc_ref(self, page: int) -> None:
        """Hold `page` once more; a cached page leaves the LRU first.

        Raises ValueError for a free page: there is nothing in it to share.
        """
        if self._free_mask >> page & 1:
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
                self._free_mask |= 1 << page

    def lookup(self, tokens: Sequence[int]) -> list[int]:
        """Pages that already hold the longest prefix of `tokens`, in order.

        Stops at the first page's worth of tokens that no page holds. Never all of
        `tokens`: at least the last one is left to compute, since its logits are
        needed.
        """
        if not self.prefix_caching:
            return []
        hits, prefix = [], None
        for chunk in full_pages(tokens[:-1], self.page_size):
            prefix = self._prefix.find(Prefix(prefix, chunk))
            if prefix is None:
                break
            hits.append(self._prefix.page_of(prefix))
        return hits

    def admit(self, task: str, tokens: Sequence[int]) -> int:
        """Build the page table of a new task over its `tokens`; all or nothing.

        Returns how many leading tokens are cached already. Raises OutOfPages,
        leaving everything as it was, and ValueError for a task that has a table.
        """
        if task in self.tables:
            raise ValueError(f"task {task} has a page table already")
        hits = self.lookup(tokens)
        n_new = pages_for(len(tokens), self.page_size) - len(hits)
        revived = sum(self._refs[page] == 0 for page in hits)
        if n_new > self.n_available - revived:
            raise OutOfPages(f"{n_new} pages wanted, {self.n_available - revived} available")
        self.tables[task] = []
        for page in hits:
            self.share(task, page)
        for _ in range(n_new):
            self.extend(task)
        return len(hits) * self.page_size

    def share(self, task: str, page: int) -> None:
        """Append a page that others hold or that is cached to the table of `task`."""
        self.inc_ref(page)
        self.tables[task].append(page)

    def extend(self, task: str) -> int:
        """Append a newly allocated page to the table of `task`."""
        page = self.alloc()
        self.tables[task].append(page)
        return page

    def grow(self, task: str, n_tokens: int) -> list[int]:
        """Extend the table of `task` to cover `n_tokens`; all or nothing.

        Returns the new pages. Raises OutOfPages, leaving everything as it was.
        """
        held = len(self.tables[task])
        missing = pages_for(n_tokens, self.page_size) - held
        if missing > self.n_available:
            raise OutOfPages(f"{task} lacks {missing} pages")
        return [self.extend(task) for _ in range(missing)]

    def release(self, task: str) -> None:
        """Free the pages of `task`, last logical page first, and drop its table.

        Last first, so that of a cached prefix the tail is evicted before the head.
        """
        self._prefix.end_chain(task)
        for page in reversed(self.tables.pop(task)):
            self.free(page)

    def record_pages(self, task: str, tokens: Sequence[int]) -> None:
        """Key the full pages of `task`, whose KV holds exactly `tokens`.

        A page whose content another page already stands for stays unkeyed. Pages that an
        earlier call has seen are not looked at again.
        """
        if not self.prefix_caching:
            return
        chain = self._prefix.chain(task)
        for chunk in full_pages(tokens, self.page_size, first=len(chain)):
            page = self.tables[task][len(chain)]
            prefix = self._prefix.keyed(page)
            if prefix is None:
                prefix = Prefix(chain[-1] if chain else None, chunk)
                if self.record_page(page, prefix) is None:
                    prefix = self._prefix.find(prefix) or prefix
            chain.append(prefix)

    def record_page(self, page: int, prefix: Prefix) -> str | None:
        """Key the full page that ends `prefix`; None if the key is another page's."""
        return prefix.key if self._prefix.record(page, prefix) else None

    def reset_prefix_cache(self) -> None:
        """Forget all keys and free all cached pages. Raises RuntimeError while pages are in use."""
        if any(self._refs):
            raise RuntimeError("pages are in use: stop or finish their tasks first")
        for page in self._lru:
            self._make_free(page)
        self._lru.clear()
        self._prefix.clear()

    def _make_free(self, page: int) -> None:
        self._free_mask |= 1 << page

    def write(self, layer, page_table, positions, k, v):
        """Store `k`, `v` at `positions` of each sequence.

        page_table: int64 [B, P]; positions: int64 [B, S], -1 where there is no
        token; k, v: [B, S, n_kv_heads, head_dim]. Raises IndexError, with nothing
        written, where a position has no page.
        """
        row, col = (positions >= 0).nonzero().T
        pos = positions[row, col]
        page = owned(page_table[row, pos // self.page_size])
        slot = pos % self.page_size
        self.k_cache[layer, page, slot] = k[row, col]
        self.v_cache[layer, page, slot] = v[row, col]

    def gather(self, layer, page_table, lengths):
        """K and V of the first `lengths` positions, one sequence after the other.

        page_table: int64 [B, P]; lengths: int64 [B]. Returns two tensors of shape
        [sum(lengths), n_kv_heads, head_dim]: nothing is padded. Raises IndexError
        where a position within its length has no page.
        """
        pos = torch.arange(int(lengths.max())).to(lengths)
        row, col = (pos < lengths[:, None]).nonzero().T
        page = owned(page_table[row, col // self.page_size])
        slot = col % self.page_size
        k = self.k_cache[layer, page, slot]
        v = self.v_cache[layer, page, slot]
        return k, v

    @property
    def view_type(self) -> type[CacheView]:
        """What attention sees of this cache: `QueuedView` where the device works behind the host."""
        return CacheView if self.k_cache.device.type == "cpu" else QueuedView

    # Films of runs on a device that works behind the host show these two line by line.
    def put(self, layer: int, slot: torch.Tensor, token: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None:
        """Store the rows `token` of `k`, `v` in the slots `slot`: `write`, where both are known.

        slot, token: int64 [N], slots counted over the pool, rows over [B, S]; k, v: [B, S, n_kv_heads, head_dim].
        """
        wide(self.k_cache[layer])[slot] = wide(k)[token]
        wide(self.v_cache[layer])[slot] = wide(v)[token]

    def take(self, layer: int, slot: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """K and V in the slots `slot`: `gather`, where these are known.

        slot: int64 [N], counted over the pool. Returns two tensors [N, n_kv_heads, head_dim].
        """
        dtype, shape = self.k_cache.dtype, (len(slot), *self.k_cache.shape[-2:])
        k = wide(self.k_cache[layer])[slot].view(dtype).view(shape)
        v = wide(self.v_cache[layer])[slot].view(dtype).view(shape)
        return k, v
