"""Standing still, moving on, and bringing parts on stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.stage.directions import plays
from scenes.story.beats import Advance, Hold, Reveal


@plays(Hold)
def hold(stage: Stage, beat: Hold) -> None:
    stage.animate([])
    stage.linger(max(beat.seconds, 0.0))


@plays(Advance)
def advance(stage: Stage, beat: Advance) -> None:
    stage.advance(beat.until, beat.seconds)


@plays(Reveal)
def reveal(stage: Stage, beat: Reveal) -> None:
    parts = [stage.bring(name) for name in beat.parts]
    stage.animate([animation for part in parts for animation in part.reveal(stage.scene)])
    for part in parts:
        part.revealed()
