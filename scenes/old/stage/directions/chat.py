"""Laying out the transcript, pointing at words, reading cards."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.parts.cards import CardsPart
from scenes.old.parts.tiles import TilesPart
from scenes.old.parts.transcript import TranscriptPart
from scenes.old.stage.directions import plays
from scenes.old.stage.reading import STILL
from scenes.story.beats import MakeRoom, PointAt, PointAway, ReadCard


@plays(MakeRoom)
def make_room(stage: Stage, beat: MakeRoom) -> None:
    stage.animate(stage.shown(TranscriptPart).make_room(stage.scene, beat.tasks, beat.room))


@plays(PointAt)
def point_at(stage: Stage, beat: PointAt) -> None:
    transcript = stage.shown(TranscriptPart)
    animations = transcript.point_at(beat.task, beat.position, beat.reach)
    if beat.reach == "slot":
        animations += stage.shown(TilesPart).flash([transcript.page_of(beat.task, beat.position)])
    stage.animate(animations)


@plays(PointAway)
def point_away(stage: Stage, beat: PointAway) -> None:
    stage.animate(stage.shown(TranscriptPart).point_away())


@plays(ReadCard)
def read_card(stage: Stage, beat: ReadCard) -> None:
    left = beat.seconds
    while left > 1e-6:
        began = stage.scene.clock
        stage.animate(stage.shown(CardsPart).flash(beat.task))
        stage.scene.hold(min(left, STILL) - (stage.scene.clock - began))
        left -= max(min(left, STILL), stage.scene.clock - began)
