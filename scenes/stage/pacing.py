"""Making a storyboard shorter or longer: what is left out, and what is stretched.

A beat's weight is its `detail`, or its section's where that is higher. Whole
weights are left out section by section, so that beats which need one another
(a function opened, stepped through, closed) share their weight and go together.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields, replace

from scenes.stage.shot import Section, Shot, Storyboard

ELASTIC = ("seconds", "pace")


@dataclass(frozen=True, order=True)
class Layer:
    """The beats of one `weight` in the section at index `section` of a storyboard."""

    weight: int
    section: int


def weight(section: Section, beat: Shot) -> int:
    """How early a beat is left out: the higher, the earlier; 0 never."""
    return max(section.detail, beat.detail)


def layers(storyboard: Storyboard) -> list[Layer]:
    """Everything that can be left out or kept as one, the most needed first."""
    return sorted(
        {
            Layer(weight(section, beat), index)
            for index, section in enumerate(storyboard.sections)
            for beat in section.beats
        }
    )


def keep(storyboard: Storyboard, kept: Collection[Layer]) -> Storyboard:
    """The storyboard with only the layers in `kept`.

    Sections without beats are gone; one that does not go on where what is left before it ends is a cut.
    """
    wanted = set(kept)
    sections: list[Section] = []
    for index, section in enumerate(storyboard.sections):
        beats = tuple(b for b in section.beats if Layer(weight(section, b), index) in wanted)
        if beats:
            torn = bool(sections) and sections[-1].beats[-1].until != section.start
            sections.append(replace(section, beats=beats, cut=section.cut or torn))
    return replace(storyboard, sections=tuple(sections))


def stretch(storyboard: Storyboard, factor: float) -> Storyboard:
    """Every elastic second becomes `factor` seconds."""
    return replace(
        storyboard,
        sections=tuple(
            replace(section, beats=tuple(_stretched(beat, factor) for beat in section.beats))
            for section in storyboard.sections
        ),
    )


def _stretched(beat: Shot, factor: float) -> Shot:
    changes = {
        field.name: round(getattr(beat, field.name) * factor, 3) for field in fields(beat) if field.name in ELASTIC
    }
    return replace(beat, **changes) if changes else beat
