"""Unreachable cached pages: pages that stay in the cache and that no lookup comes to."""

from collections import defaultdict

from astrai_sim.doctor.index import Lost
from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.kinds.stale_hits import NO_TOKENS, without_tokens
from astrai_sim.doctor.run import Run
from astrai_sim.doctor.words import of_pages
from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev
from astrai_sim.trace.header import Header


class Unreachable(Kind):
    """Lookups go from page to page: without the one before, under the key of another one, or passed by, a page takes
    room and is never found."""

    name = "unreachable cached page"
    looks_for = "pages that stay in the cache though no lookup that begins at the first page comes to them"
    asks, shows = "Which cached pages does nobody find?", "Cached, and out of reach: {pages}."

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.vain: defaultdict[Lost, dict[int, int]] = defaultdict(dict)

    exact = False
    """Whether the engine's index was read back."""

    @classmethod
    def blind(cls, header: Header) -> str | None:
        if not header.scenario.cache.prefix_caching:
            return "the engine caches no prefixes"
        return NO_TOKENS if without_tokens(header) else None

    def before_pages_evicted(self, event: ev.PagesEvicted) -> None:
        """A page has been cached in vain if it could not be found."""
        for page in event.pages:
            self._in_vain(page)

    def on_prefix_miss(self, event: ev.PrefixMiss) -> None:
        """A lookup ends; what it was to find may be there all the same."""
        chain = self.run.contents.chain(event.task, event.logical + 1)
        if 0 <= event.logical < len(chain):
            page = self.run.index.with_content(chain[event.logical])
            if page is not None:
                self.run.index.pass_by(page, event.seq)

    def on_snapshot(self, event: ev.Snapshot) -> None:
        """The engine's index, read back."""
        if event.reached is not None:
            self.exact = True
            self.run.index.read({*event.reached}, event.seq)

    def _in_vain(self, page: int) -> None:
        lost = self.run.index.lost.get(page)
        if lost is not None and self.run.state.page_state(page) == "cached":
            self.vain[lost][page] = self.run.page(page).keyed

    def end(self, trace: Trace) -> None:
        index, state = self.run.index, self.run.state
        for page in index.lost:
            self._in_vain(page)
        for lost, pages in self.vain.items():
            stay, it = ("stay", "them") if len(pages) > 1 else ("stays", "it")
            why = {
                "parent": f"the page before, {lost.page}, went" if lost.page >= 0 else "the page before was not there",
                "replaced": f"page {lost.page} got the same key",
                "read": "the engine's own tree, read back, does not lead there",
                "missed": f"a lookup passed by page {lost.page}, which holds what it was to find",
            }[lost.why]
            says = f"{of_pages(sorted(pages))} {stay} cached, and no lookup comes to {it}: {why}"
            self.tell(says, (*pages.values(), lost.seq), sorted(pages))
        cached, lost = state.n_cached, sum(state.page_state(page) == "cached" for page in index.lost)
        if lost:
            least = "" if self.exact else "at least "
            self.note = f"at the end {least}{lost:,} of {cached:,} cached pages ({lost / cached:.0%}) cannot be found"
