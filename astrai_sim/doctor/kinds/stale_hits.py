"""Stale and unchained hits: lookups that find pages with something else in them."""

from astrai_sim.doctor.contents import PARTLY
from astrai_sim.doctor.kind import Kind
from astrai_sim.trace import events as ev
from astrai_sim.trace.header import Header


class StaleHits(Kind):
    """A page is found by its tokens, but what it holds was computed after another prefix, or is not that any more."""

    name = "stale or unchained hit"
    looks_for = "pages found for a request whose content was computed after another prefix, or rewritten since"
    asks, shows = "Why does a lookup find the wrong content?", "Found, and not what was looked for: {pages}."

    @classmethod
    def blind(cls, header: Header) -> str | None:
        return NO_TOKENS if without_tokens(header) else None

    def on_prefix_hit(self, event: ev.PrefixHit) -> None:
        """A lookup found pages."""
        run, contents = self.run, self.run.contents
        wanted = contents.chain(event.task, len(event.pages))
        for logical, (page, chain) in enumerate(zip(event.pages, wanted, strict=False)):
            entry, log = run.index.entries.get(page), run.page(page)
            keyed = entry.content if entry else None
            held = contents.of.get(page, keyed)
            if held is None or held == chain:
                continue
            first = f"a lookup for {event.task} finds page {page} as its page {logical}"
            if held == PARTLY or (keyed == chain and held != keyed):
                says = f"{first}, but that was written to since it got its key"
            elif contents.alone(held) == contents.alone(chain):
                says = (
                    f"{first}: the tokens in it are the same, but it was computed after other tokens than those before"
                )
            else:
                says = f"{first}, but other tokens are in it"
            self.tell(says, (log.keyed, log.wrote, event.seq), [page], [event.task])


NO_TOKENS = "the trace does not record which tokens requests have"


def without_tokens(header: Header) -> bool:
    """Whether a trace records only how many tokens requests have."""
    return header.model == "none" and header.detail == "bulk"
