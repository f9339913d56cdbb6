"""The film `PoolAtScale`: a load of hundreds of requests on a pool of thousands of pages."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import pool_at_scale
from scenes.story.beats import Storyboard


class PoolAtScale(FilmScene):
    """A big pool under a production load: a map of its pages, the queue, the batch, the waste."""

    default_trace = "pool_at_scale.jsonl.gz"
    summary = "A production load on a big pool: occupancy map, queue, batch, KV use and waste."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return pool_at_scale.tell(trace)
