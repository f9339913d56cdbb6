"""Live pages in the LRU: pages that somebody holds stand among those that may be evicted."""

from collections.abc import Collection, Iterable

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.words import listed
from astrai_sim.trace import events as ev


class LiveInLru(Kind):
    """A page has a holder and is cached: sooner or later it is evicted under that holder."""

    name = "live page in the LRU"
    looks_for = "pages that a request holds and that are still among the cached ones, to be evicted"
    asks, shows = "Why can a page in use be evicted?", "In use, and among those to be evicted: {pages}."

    told: Collection[int] = ()
    """Pages that were told of and have been in the LRU since."""

    def on_pages_revived(self, event: ev.PagesRevived) -> None:
        """A page is held again."""
        if event.lru is not None:
            self._live([page for page in event.pages if page in event.lru], event.seq)

    on_pages_ref = on_pages_revived

    def on_pages_cached(self, event: ev.PagesCached) -> None:
        """A page is cached."""
        self._live([page for page, ref in zip(event.pages, event.refs, strict=True) if ref > 0], event.seq)

    def before_pages_alloc(self, event: ev.PagesAlloc) -> None:
        """A page of the LRU is handed out without leaving it."""
        self._live([page for page in event.pages if self.run.state.page_state(page) == "cached"], event.seq)

    def on_snapshot(self, event: ev.Snapshot) -> None:
        """What was read back."""
        if event.lru is not None and event.refs is not None:
            self.told = {*self.told} & {*event.lru}
            self._live([page for page in event.lru if 0 <= page < len(event.refs) and event.refs[page] > 0], event.seq)

    def before_pages_evicted(self, event: ev.PagesEvicted) -> None:
        """A page is evicted."""
        for page in event.pages:
            log, holders = self.run.page(page), self.run.holders.get(page, [])
            if holders:
                says = f"page {page} is evicted while {listed(holders)} hold{'s' * (len(holders) == 1)} it"
                self.tell(says, (log.went, log.came, event.seq), [page], holders)
        self.told = {*self.told} - {*event.pages}

    def _live(self, pages: Iterable[int], seq: int) -> None:
        for page in pages:
            if page in self.told:
                continue
            self.told = {*self.told, page}
            log, holders = self.run.page(page), self.run.holders.get(page, [])
            says = f"page {page} is in use, by {listed(holders)}, and still in the LRU: it can be evicted under them"
            self.tell(says, (log.went, log.came, seq), [page], holders)
