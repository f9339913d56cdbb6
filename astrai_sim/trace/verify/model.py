"""What holds in traces of both levels of detail."""

from collections.abc import Mapping

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.requests import Tracked
from astrai_sim.trace.verify.serving import Serving


class Model(Serving):
    """Steps, serving, and the prefix cache: `hits` are pages that a lookup found for a task until it
    is admitted, `missed` tasks for whom it found fewer than there are."""

    trusted_calls: Mapping[str, int] = {}

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.hits: dict[str, list[int]] = {}
        self.missed: set[str] = set()

    def _found(self, event: Event, request: Tracked, table: list[int]) -> None:
        hits = self.hits.pop(event.task, [])
        self.paging.same("cached tokens", event.cached_tokens, len(hits) * self.size)
        self.paging.same("hit pages in the table", table[: len(hits)], hits)
        more = self.caching and len(hits) < (event.tokens - 1) // self.size
        self.policy["longest-prefix"].same("miss", event.task in self.missed, more)
        self.missed.discard(event.task)

    def _shared(self, name: str, logical: int, pages: list[int]) -> None:
        """Only pages that a lookup found are shared or revived."""
        found = self.hits.get(name, [])[logical : logical + len(pages)]
        self.paging.same("hit pages", pages, found)

    def _hit(self, name: str, pages: list[int], tokens: int) -> None:
        """A lookup that found pages: the longest prefix that is there."""
        paging, request = self.paging, self.requests[name]
        self._looking(name)
        paging.same("hit tokens", tokens, len(pages) * self.size)
        message = f"{tokens} tokens found of {request.n_tokens}: one must be left to compute"
        paging.true("hit tokens", 0 < tokens < request.n_tokens, message)
        for page in pages:
            paging.true("hit page keyed", page in self.pool.keys, f"page {page} has no key")
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, request.n_tokens // self.size)
            for page, chain in zip(pages, request.chain, strict=False):
                paging.same("content of a hit", self.prefixes.chain_on(page), chain)
            self._missed(request, len(pages))
        self.hits[name] = pages

    def _looking(self, name: str) -> None:
        """A lookup is for the one who is being admitted."""
        self.format.true("prefix caching", self.caching, "prefix caching is off")
        self.policy["four-phases"].same("phase of a lookup", self.phase, "refill")
        self.requests.next_to_admit(name)

    def _missed(self, request: Tracked, logical: int) -> None:
        """No page holds the prefix that ends with full page `logical`."""
        if logical < (request.n_tokens - 1) // self.size:
            page = self.prefixes.page_of.get(request.chain[logical])
            message = f"page {page} holds the next {self.size} tokens of {request.name}"
            self.policy["longest-prefix"].true("longest hit", page is None, message)

    def on_prefix_miss(self, event: Event) -> None:
        request, paging = self.requests[event.task], self.paging
        self._looking(event.task)
        paging.same("missed page", event.logical, len(self.hits.get(event.task, ())))
        paging.true("missed page", event.logical < (request.n_tokens - 1) // self.size, "no full page is left to miss")
        self.missed.add(event.task)
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, request.n_tokens // self.size)
            self._missed(request, event.logical)

    def _keyed(self, name: str, logical: int, page: int, key: str | None) -> None:
        """A full page of a task gets its key (None where it is not told)."""
        paging, request = self.paging, self.requests[name]
        self.format.true("prefix caching", self.caching, "prefix caching is off")
        table = self.pool.tables.get(name, [])
        paging.true("table entry", logical < len(table), f"{name} has no page {logical}")
        paging.same("table entry", page, table[logical])
        paging.true("full page", request.kv >= (logical + 1) * self.size, f"page {page} is not full")
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, logical + 1)
            chain = request.chain[logical]
            if key is not None:
                self.policy["chained-keys"].same("key of the content", key, self.prefixes.key(chain))
            message = f"page {self.prefixes.page_of.get(chain)} holds the same already"
            self.policy["full-pages-keyed"].true("one page for a content", chain not in self.prefixes.page_of, message)
            self.prefixes.put(page, chain)
        self.pool.set_key(page, key)

    def _all_keyed(self, request: Tracked) -> None:
        """Pages that the last pass filled are keyed, unless another has the same content."""
        if not self.caching or request.ids is None:
            return
        table = self.pool.tables[request.name]
        full = request.kv // self.size
        self.prefixes.extend(request.chain, request.ids, full)
        for logical in range(request.start // self.size, full):
            page = table[logical]
            known = page in self.pool.keys or request.chain[logical] in self.prefixes.page_of
            self.policy["full-pages-keyed"].true("full pages keyed", known, f"page {page} is full, but got no key")

    def _parent(self, name: str, logical: int, parent: str) -> None:
        """The key of the page before, or of the one that stands for the same content."""
        chained = self.policy["chained-keys"]
        if logical == 0:
            chained.same("parent key", parent, "")
            return
        request = self.requests[name]
        table = self.pool.tables.get(name, [])
        self.paging.true("table entry", logical < len(table), f"{name} has no page {logical}")
        expected = self.pool.keys.get(table[logical - 1])
        if expected is None and request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, logical)
            expected = self.prefixes.key(request.chain[logical - 1])
        if expected is not None:
            chained.same("parent key", parent, expected)

    def _evicted(self, page: int) -> str | None:
        self.format.true("prefix caching", self.caching, "prefix caching is off")
        key = self.pool.evict(page)
        self.prefixes.drop(page)
        return key

    def on_prefix_reset(self, event: Event) -> None:
        self.pool.reset()
        self.prefixes.clear()
        self.paging.same("mask", event.mask, self.pool.free.whole())
