"""The film `Eviction`: cached pages make room for a newcomer, least recently used first."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import eviction
from scenes.story.beats import Storyboard


class Eviction(FilmScene):
    """The pool fills with cached pages; the least recently used are evicted."""

    default_trace = "eviction.jsonl.gz"
    summary = "The pool fills with cached pages; the least recently used make room."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return eviction.tell(trace)
