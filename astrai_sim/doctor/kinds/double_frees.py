"""Double frees: pages that are let go by somebody who does not hold them."""

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.words import listed
from astrai_sim.trace import events as ev


class DoubleFrees(Kind):
    """A page is let go that nobody holds any more, or by a request that does not hold it."""

    name = "double free"
    looks_for = "pages let go at refcount 0, or by a request that does not hold them"
    asks, shows = "Who lets go of a page that is not held?", "Let go without being held: {pages}."

    def before_pages_free(self, event: ev.PagesFree) -> None:
        """A page is let go."""
        for page, after in zip(event.pages, event.refs, strict=True):
            log, holders = self.run.page(page), self.run.holders.get(page, [])
            if self.run.state.refs[page] <= 0:
                says = f"page {page} is let go by {event.task or 'nobody'} at refcount {self.run.state.refs[page]}"
            elif event.task is not None and event.task not in holders:
                says = f"page {page} is let go by {event.task}, which does not hold it: {listed(holders)} does"
            else:
                continue
            left = f", and its refcount becomes {after}" if after < 0 else ""
            self.tell(says + left, (log.came, log.went, event.seq), [page], filter(None, (*holders, event.task)))

    before_pages_cached = before_pages_free
