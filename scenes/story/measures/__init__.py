"""What storyboards ask a run for: numbers with names, which `scenes.truth` can work out again.

A measure of a state has `at`, the event after which it holds. Names are those of the measures:
`ask.pool_free(at)` gives `pool.free(at=…)`.
"""

from scenes.story.measures.contiguous import ContiguousMeasures
from scenes.story.measures.lives import Phases

__all__ = ["Ask"]


class Ask(Phases, ContiguousMeasures):
    """Everything that storyboards ask a trace for."""
