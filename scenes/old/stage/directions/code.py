"""Source in the panel, executed line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.mobjects.code import CodePanel
from scenes.old.parts.mask import LINE_DELAY, MaskPart
from scenes.old.parts.pool import PoolPart
from scenes.old.stage.directions import plays
from scenes.story.beats import OpenCode, RunCode


@plays(OpenCode)
def open_code(stage: Stage, beat: OpenCode) -> None:
    stage.open_panel(CodePanel(beat.title, beat.lines, stage.panel_box))


@plays(RunCode)
def run_code(stage: Stage, beat: RunCode) -> None:
    for step in beat.steps:
        began = stage.scene.clock
        animations = stage.panel.step(step.line, step.values)
        touched = stage.shown(MaskPart).touched(step) if "mask" in stage.parts else []
        for part in stage.parts.values():
            animations += part.follow(step)
        if "pool" in stage.parts:
            animations += stage.shown(PoolPart).flash(touched, delay=LINE_DELAY)
        stage.animate(animations)
        stage.linger(beat.pace - (stage.scene.clock - began))
    stage.advance(beat.until, beat.seconds)
