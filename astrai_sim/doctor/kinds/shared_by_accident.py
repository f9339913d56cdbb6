"""Pages shared by accident: two requests own one page, and no prefix hit says why."""

from collections.abc import Iterable

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.words import listed
from astrai_sim.trace import events as ev


class SharedByAccident(Kind):
    """A page comes to a table while another one names it, and no lookup found it for the request."""

    name = "shared by accident"
    looks_for = "pages in two tables, or twice in one, that no prefix hit put there"
    asks, shows = "Why do two requests own one page?", "Two tables, and no prefix hit: {pages}."

    def before_pages_alloc(self, event: ev.PagesAlloc) -> None:
        """A page is handed out as a free one."""
        self._comes(event.task, event.pages, event.seq)

    def before_pages_ref(self, event: ev.PagesRef) -> None:
        """A page that somebody holds, or that is cached, comes to a table."""
        if event.task is not None:
            hits = self.run.hits.get(event.task, ())
            self._comes(event.task, [page for page in event.pages if page not in hits], event.seq)

    before_pages_revived = before_pages_ref

    def before_table(self, event: ev.Table) -> None:
        """A table is what it is."""
        known = set(self.run.tables.get(event.task, ()))
        self._comes(event.task, [page for page in event.pages if page not in known], event.seq)

    def _comes(self, task: str | None, pages: Iterable[int], seq: int) -> None:
        for page in pages:
            holders, log = self.run.holders.get(page, []), self.run.page(page)
            if not holders:
                continue
            others = [name for name in dict.fromkeys(holders) if name != task]
            whose = f"{listed(others)} hold{'s' * (len(others) == 1)}" if others else "it holds already"
            says = f"page {page} is given to {task or 'no request'}, which no lookup found it for, while {whose} it"
            says = says if others else f"page {page} is given to {task} a second time"
            went = (log.went, log.evicted) if max(log.went, log.evicted) > log.came else ()
            self.tell(says, (log.came, *went, seq), [page], filter(None, (*others, task)))
