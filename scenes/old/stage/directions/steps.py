"""What single steps computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.mobjects.steps import StepsPanel
from scenes.old.stage.directions import plays
from scenes.story.beats import ShowSteps


@plays(ShowSteps)
def show_steps(stage: Stage, beat: ShowSteps) -> None:
    if isinstance(stage.panel, StepsPanel):
        stage.animate(stage.panel.reveal(beat.shown))
    else:
        stage.open_panel(StepsPanel(beat, stage.looks.colors, stage.panel_box))
