"""A pool without pages beside the recorded one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.mobjects.loads import LoadsPanel
from scenes.old.mobjects.versus import COLORS, VersusPanel
from scenes.old.stage.directions import plays
from scenes.story.beats import RunOn, ShowLoads, ShowVersus


@plays(RunOn)
def run_on(stage: Stage, beat: RunOn) -> None:
    stage.run_on(beat.step - stage.trace.state_at(beat.until).step)
    stage.advance(beat.until, beat.seconds)


@plays(ShowLoads)
def show_loads(stage: Stage, beat: ShowLoads) -> None:
    if not isinstance(stage.panel, LoadsPanel):
        stage.open_panel(LoadsPanel(beat.title, beat.loads, stage.looks.colors, stage.looks.rounds, stage.panel_box))
    if beat.used:
        stage.animate(stage.panel.fill())


@plays(ShowVersus)
def show_versus(stage: Stage, beat: ShowVersus) -> None:
    one, other = (stage.looks.colors.get(owner, plain) for owner, plain in zip(beat.owners, COLORS, strict=True))
    stage.open_panel(VersusPanel(beat.title, beat.sides, beat.rows, stage.panel_box, (one, other)))
