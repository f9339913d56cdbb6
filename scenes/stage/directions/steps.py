"""What single steps computed."""

from __future__ import annotations

from scenes.draw.mobjects.steps import StepsPanel
from scenes.stage.directions import plays
from scenes.story.beats import ShowSteps


@plays(ShowSteps)
def show_steps(stage, beat: ShowSteps) -> None:
    if isinstance(stage.panel, StepsPanel):
        stage.animate(stage.panel.reveal(beat.shown))
    else:
        stage.open_panel(StepsPanel(beat, stage.looks.colors, stage.panel_box))
