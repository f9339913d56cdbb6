"""The film `ChunkedPrefill`: what a long prompt does to requests that are decoding."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import chunked_prefill
from scenes.story.beats import Storyboard


class ChunkedPrefill(FilmScene):
    """Recorded times between tokens while a long prompt is computed, whole and in chunks."""

    default_trace = "chunked_prefill.jsonl.gz"
    summary = "Times between tokens while a long prompt is prefilled, whole and in chunks."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return chunked_prefill.tell(trace)
