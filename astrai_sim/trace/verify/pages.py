"""What pages go through: into tables and out of them, into the prefix cache and out of it."""

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.requests import Tracked
from astrai_sim.trace.verify.steps import StepRules

CHANGES = {
    **{"pages_alloc": Pool.take, "pages_ref": Pool.ref, "pages_revived": Pool.revive},
    **{"pages_free": Pool.let_go, "pages_cached": Pool.keep},
}


class Pages(StepRules):
    """Events about pages, one page each in full detail. `hits` are pages that a lookup found for a task until it is
    admitted, `missed` tasks for whom it found fewer than there are."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.hits: dict[str, list[int]] = {}
        self.missed: set[str] = set()

    def _live(self, event: Event, pages: list[int]) -> None:
        """The recorded refcounts, mask and LRU against the model's."""
        raise NotImplementedError

    def _enter(self, name: str, pages: list[int]) -> None:
        """Pages that came are in the task's table."""
        raise NotImplementedError

    def _leave(self, event: Event, pages: list[int]) -> None:
        """Pages are those at the end of a task's table, and leave it."""
        raise NotImplementedError

    def _pages(self, event: Event) -> list[int]:
        self.format.true("pages", bool(event.pages), "an event about no page")
        return self.pool.known(event.pages)

    def on_pages_alloc(self, event: Event) -> None:
        """Pages come to the end of a task's table."""
        pages = self._pages(event)
        CHANGES[event.event](self.pool, pages)
        if event.task is not None:
            self._receiver(event.task, event.logical, len(pages))
            if event.event != "pages_alloc":
                found = self.hits.get(event.task, [])[event.logical : event.logical + len(pages)]
                self.paging.same("hit pages", pages, found)
            self._enter(event.task, pages)
        self._live(event, pages)

    on_pages_ref = on_pages_revived = on_pages_alloc

    def _receiver(self, name: str, logical: int, count: int) -> None:
        """Pages go to the end of a table: of who is being admitted, or of who decodes."""
        request, held, needed = self.requests[name], len(self.pool.table(name)), self.policy["pages-on-demand"]
        after = held + count
        if request.status in ("waiting", "preempted"):
            self.policy["four-phases"].same("phase of admission", self.phase, "refill")
            self.requests.next_to_admit(name)
        else:
            self.policy["four-phases"].same("phase of growth", self.phase, "decode")
            needed.same("status", request.status, "running")
        if after > self.pool.pages_for(request.n_tokens):
            message = f"{name} has {request.n_tokens} tokens: they do not need page {after} of its table"
            needed.true("page needed", False, message)
        needed.held("page needed", 1)
        self.paging.same("logical page", logical, held)

    def on_pages_free(self, event: Event) -> None:
        """A task lets go of pages."""
        pages = self._pages(event)
        if event.task is not None:
            self._leave(event, pages)
        CHANGES[event.event](self.pool, pages)
        self._live(event, pages)

    on_pages_cached = on_pages_free

    # the prefix cache

    def _cached(self) -> None:
        self.format.true("prefix caching", self.caching, "prefix caching is off")

    def _chain(self, request: Tracked, full_pages: int) -> list[int]:
        """Numbers of a task's first full pages by content; none where its tokens are not recorded."""
        return [] if request.ids is None else self.prefixes.extend(request.chain, request.ids, full_pages)

    def _evict(self, event: Event) -> list[str | None]:
        """Pages lose their keys, which are returned."""
        self._cached()
        return [self.pool.evict(page) for page in self._pages(event)]

    def _looking(self, name: str) -> Tracked:
        """A lookup is for the one who is being admitted."""
        request = self.requests[name]
        self._cached()
        self.policy["four-phases"].same("phase of a lookup", self.phase, "refill")
        self.requests.next_to_admit(name)
        return request

    def on_prefix_hit(self, event: Event) -> None:
        paging, pages, tokens, request = self.paging, self._pages(event), event.tokens, self._looking(event.task)
        paging.same("hit tokens", tokens, len(pages) * self.size)
        message = f"{tokens} tokens found of {request.n_tokens}: one must be left to compute"
        paging.true("hit tokens", 0 < tokens < request.n_tokens, message)
        for page in pages:
            paging.true("hit page keyed", page in self.pool.keys, f"page {page} has no key")
        for page, chain in zip(pages, self._chain(request, len(pages)), strict=False):
            paging.same("content of a hit", self.pool.keys[page][1], chain)
        self._longest(request, len(pages))
        self.hits[event.task] = pages

    def on_prefix_miss(self, event: Event) -> None:
        paging, request = self.paging, self._looking(event.task)
        paging.same("missed page", event.logical, len(self.hits.get(event.task, ())))
        paging.true("missed page", event.logical < (request.n_tokens - 1) // self.size, "no full page is left to miss")
        self.missed.add(event.task)
        self._longest(request, event.logical)

    def _longest(self, request: Tracked, found: int) -> None:
        """No page holds the prefix that ends with the full page after those that were `found`."""
        if found < (request.n_tokens - 1) // self.size and (chain := self._chain(request, found + 1)):
            page = self.pool.page_of.get(chain[found])
            message = f"page {page} holds the next {self.size} tokens of {request.name}"
            self.policy["longest-prefix"].true("longest hit", page is None, message)

    def on_pages_keyed(self, event: Event) -> None:
        pages, request = self._pages(event), self.requests[event.task]
        first = self.paging.number("logical page", event.logical, 0)
        self._cached()
        for what, said in (("key", event.key), ("parent key", event.parent)):
            if said is None:
                self.told(self.format, what, said, "a key")
        for logical, page in enumerate(pages, first):
            self._keyed(request, logical, page, event.key if logical == first + len(pages) - 1 else None)
        if event.parent is not None:
            self._parent(request, first, event.parent)

    def _entry(self, name: str, logical: int) -> int:
        """The page in that entry of a task's table."""
        table = self.pool.table(name)
        self.paging.true("table entry", logical < len(table), f"{name} has no page {logical}")
        return table[logical]

    def _parent(self, request: Tracked, logical: int, parent: str) -> None:
        """The key of the page before, or of the one that stands for the same content."""
        expected = "" if logical == 0 else self.pool.keys.get(self._entry(request.name, logical - 1), (None,))[0]
        if expected is None and request.ids is not None:
            expected = self.prefixes.key[self._chain(request, logical)[logical - 1]]
        if expected is not None:
            self.policy["chained-keys"].same("parent key", parent, expected)

    def _keyed(self, request: Tracked, logical: int, page: int, key: str | None) -> None:
        """A full page of a task gets its key (None where it is not told)."""
        paging = self.paging
        paging.same("table entry", page, self._entry(request.name, logical))
        paging.true("full page", request.kv >= (logical + 1) * self.size, f"page {page} is not full")
        chain = None
        if request.ids is not None:
            chain, owners = self._chain(request, logical + 1)[logical], self.pool.page_of
            if key is not None:
                self.policy["chained-keys"].same("key of the content", key, self.prefixes.key[chain])
            message = f"page {owners.get(chain)} holds the same already"
            self.policy["full-pages-keyed"].true("one page for a content", chain not in owners, message)
        self.pool.set_key(page, key, chain)

    def on_prefix_reset(self, event: Event) -> None:
        self.pool.reset()
        self.told(self.paging, "mask", event.mask, self.pool.free.whole())
