"""The film `PrefixSharing`: requests with one system prompt share its pages."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import prefix_sharing
from scenes.story.beats import Storyboard


class PrefixSharing(FilmScene):
    """One prefix, computed once: hits, refcounts, cached pages and time to first token."""

    default_trace = "prefix_sharing.jsonl.gz"
    summary = "Requests with one system prompt share its pages; hits, refcounts, cached pages."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return prefix_sharing.tell(trace)
