"""Making a storyboard shorter or longer: what is left out, and what is stretched.

A beat's weight is its `detail`, or its section's where that is higher. Whole weights are left out section by section,
so that beats which need one another (a function opened, stepped through, closed) share their weight and go together.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from scenes.stage.shot import Section, Shot, Storyboard


class Layer(NamedTuple):
    """The beats of one `weight` in the section at index `section` of a storyboard."""

    weight: int
    section: int


def weight(section: Section, beat: Shot) -> int:
    """How early a beat is left out: the higher, the earlier; 0 never."""
    return max(section.detail, beat.detail)


def layers(storyboard: Storyboard) -> list[Layer]:
    """Everything that can be left out or kept as one, the most needed first."""
    sections = enumerate(storyboard.sections)
    return sorted({Layer(weight(section, beat), index) for index, section in sections for beat in section.beats})


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
    """The storyboard with every shot's pace `factor` times what it is."""

    def stretched(shot: Shot) -> Shot:
        return replace(shot, pace=round(shot.pace * factor, 3))

    sections = [replace(one, beats=tuple(map(stretched, one.beats)), slowed=factor) for one in storyboard.sections]
    return replace(storyboard, sections=tuple(sections))
