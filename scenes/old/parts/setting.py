"""What a part is given: where it stands and what the section is about."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Trace
from scenes.draw.layout import FRAME
from scenes.old.parts.looks import Looks
from scenes.old.parts.plan import StagePlan
from scenes.story.beats import Reveal, Section

ALWAYS = ("phases",)
"""Parts of every section that wants `phases`."""


@dataclass(frozen=True)
class Setting:
    """A section of a trace's film, the looks of its states, and the plan of the stage.

    `cast` names the parts that the section shows at any time.
    """

    trace: Trace
    section: Section
    looks: Looks
    plan: StagePlan
    cast: frozenset[str]

    @classmethod
    def of(cls, trace: Trace, section: Section) -> Setting:
        """The setting of `section` in a film of `trace`."""
        revealed = [name for beat in section.beats if isinstance(beat, Reveal) for name in beat.parts]
        cast = frozenset({*(ALWAYS if section.phases else ()), *section.stage, *revealed})
        plan = StagePlan.of(FRAME, trace.header.scenario.cache.n_pages, cast)
        return cls(trace, section, Looks.of(trace), plan, cast)

    @property
    def n_pages(self) -> int:
        """Pages of the pool."""
        return self.trace.header.scenario.cache.n_pages
