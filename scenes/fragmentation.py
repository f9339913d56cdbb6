"""The film `Fragmentation`: the same requests in one piece each, and in pages."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import fragmentation
from scenes.story.beats import Storyboard


class Fragmentation(FilmScene):
    """Reserved, used and wasted slots of a recorded run, beside the same without pages."""

    default_trace = "fragmentation.jsonl.gz"
    summary = "Reserved, used and wasted KV cache slots, with pages and without."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return fragmentation.tell(trace)
