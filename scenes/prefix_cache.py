"""The film `PrefixCache`: two requests share a pool of pages, from admission to release."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import prefix_cache
from scenes.story.beats import Storyboard


class PrefixCache(FilmScene):
    """A paged KV cache at work: pages, bitmask, refcounts and tables of a recorded run."""

    default_trace = "promo.jsonl.gz"
    summary = "Pages, free mask, refcounts and page tables of a paged KV cache at work."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return prefix_cache.tell(trace)
