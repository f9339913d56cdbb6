"""The film `Preemption`: memory runs out in decode, one request waits, nothing is lost."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import preemption
from scenes.story.beats import Storyboard


class Preemption(FilmScene):
    """Memory runs out in decode: who is preempted, what is computed again."""

    default_trace = "preemption.jsonl.gz"
    summary = "Memory runs out in decode: who is preempted, and what is computed again."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return preemption.tell(trace)
