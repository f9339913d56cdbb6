"""Standing still, moving on, and bringing parts on stage."""

from __future__ import annotations

from scenes.stage.directions import plays
from scenes.story.beats import Advance, Hold, Reveal


@plays(Hold)
def hold(stage, beat: Hold) -> None:
    stage.animate([])
    stage.linger(max(beat.seconds, 0.0))


@plays(Advance)
def advance(stage, beat: Advance) -> None:
    stage.advance(beat.until, beat.seconds)


@plays(Reveal)
def reveal(stage, beat: Reveal) -> None:
    parts = [stage.bring(name) for name in beat.parts]
    stage.animate([animation for part in parts for animation in part.reveal(stage.scene)])
    for part in parts:
        part.revealed()
