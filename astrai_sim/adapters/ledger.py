"""Pages of an engine that takes and frees many in one call: as they are told, one by one, and as they are."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Ledger:
    """The pool as the events so far have it: refcounts, the free mask and cached pages, of which nobody holds one."""

    def __init__(self, n_pages: int, page_size: int) -> None:
        self.n_pages, self.page_size = n_pages, page_size
        self.free_mask, self.refs = 2**n_pages - 1, [0] * n_pages
        self._cached: dict[int, None] = {}

    @property
    def lru(self) -> list[int]:
        return [*self._cached]

    def cached(self, page: int) -> bool:
        """Whether a page is kept for its content alone."""
        return page in self._cached

    def hold(self, page: int) -> None:
        """A page is taken, shared or revived."""
        self._cached.pop(page, None)
        self.free_mask &= ~(1 << page)
        self.refs[page] += 1

    def drop(self, page: int, keep: bool) -> None:
        """A page is let go: where nobody else holds it, `keep` says whether it stays cached."""
        self.refs[page] = max(self.refs[page] - 1, 0)
        if not self.refs[page] and keep:
            self._cached[page] = None
        elif not self.refs[page]:
            self.free_mask |= 1 << page

    def evict(self, page: int) -> None:
        """A cached page loses its content."""
        self._cached.pop(page, None)


class Slots:
    """The pool as the `manager` has it: a queue of free slots, and maybe a radix tree whose nodes hold slots.

    Pages in the tree have its node's count of locks as refcount, others that of the `tables` that name them.
    """

    def __init__(self, manager: Any, tables: Callable[[], Iterable[list[int]]] = tuple) -> None:
        self.manager, self._tables = manager, tables
        self.n_pages, self.page_size = manager.num_pages, manager.page_size

    def pages(self, slots: Any) -> list[int]:
        """Pages that begin with `slots`, a tensor [n]."""
        return (slots // self.page_size).tolist()

    def _nodes(self) -> Iterator[Any]:
        left = [*getattr(getattr(self.manager.prefix_cache, "root_node", None), "children", {}).values()]
        while left:
            yield (node := left.pop())
            left += node.children.values()

    def _held(self, node: Any) -> list[int]:
        return self.pages(node.value[:: self.page_size])

    @property
    def free_mask(self) -> int:
        bits = bytearray(self.n_pages // 8 + 1)
        for page in self.pages(self.manager.free_slots):
            bits[page // 8] |= 1 << page % 8
        return int.from_bytes(bits, "little")

    @property
    def refs(self) -> list[int]:
        refs = [0] * self.n_pages
        for page in (page for table in self._tables() for page in table):
            refs[page] += 1
        for node in self._nodes():
            for page in self._held(node):
                refs[page] = node.ref_count
        return refs

    @property
    def lru(self) -> list[int]:
        unlocked = sorted((node for node in self._nodes() if not node.ref_count), key=lambda node: node.timestamp)
        return [page for node in unlocked for page in self._held(node)]
