"""Figures, bars and slots in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from scenes.old.mobjects.bars import BarsPanel
from scenes.old.mobjects.facts import FactsPanel
from scenes.old.mobjects.figures import FiguresPanel
from scenes.old.mobjects.gather import GatherPanel
from scenes.old.parts.pool import PoolPart
from scenes.old.stage.directions import plays
from scenes.story.beats import ClosePanel, ShowBars, ShowFacts, ShowGather


@plays(ClosePanel)
def close_panel(stage: Stage, beat: ClosePanel) -> None:
    if stage.panel is not None:
        stage.open_panel(None)


@plays(ShowFacts)
def show_facts(stage: Stage, beat: ShowFacts) -> None:
    if beat.large:
        panel = FiguresPanel(beat.title, beat.facts, stage.plan.room)
    else:
        panel = FactsPanel(beat.title, beat.facts, stage.panel_box)
    stage.open_panel(panel)


@plays(ShowBars)
def show_bars(stage: Stage, beat: ShowBars) -> None:
    panel = BarsPanel(beat.title, beat.bars, beat.scale, beat.places, stage.looks.colors, stage.panel_box)
    if isinstance(stage.panel, BarsPanel):
        stage.animate(stage.panel.extend(panel))
    else:
        stage.open_panel(panel)


@plays(ShowGather)
def show_gather(stage: Stage, beat: ShowGather) -> None:
    color = stage.looks.colors[beat.task]
    stage.open_panel(GatherPanel(beat.task, beat.runs, color, stage.looks.page_size, stage.panel_box))
    if "pool" in stage.parts:
        stage.animate(stage.shown(PoolPart).flash([run.page for run in beat.runs], pause=0.5))
