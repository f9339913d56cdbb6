"""Figures, bars and slots in the panel."""

from __future__ import annotations

from scenes.mobjects.bars import BarsPanel
from scenes.mobjects.facts import FactsPanel
from scenes.mobjects.gather import GatherPanel
from scenes.stage.directions import plays
from scenes.storyboard.beats import ClosePanel, ShowBars, ShowFacts, ShowGather


@plays(ClosePanel)
def close_panel(stage, beat: ClosePanel) -> None:
    if stage.panel is not None:
        stage.open_panel(None)


@plays(ShowFacts)
def show_facts(stage, beat: ShowFacts) -> None:
    stage.open_panel(FactsPanel(beat.title, beat.facts, stage.panel_box))


@plays(ShowBars)
def show_bars(stage, beat: ShowBars) -> None:
    panel = BarsPanel(
        beat.title, beat.bars, beat.scale, beat.places, stage.looks.colors, stage.panel_box
    )
    if isinstance(stage.panel, BarsPanel):
        stage.animate(stage.panel.extend(panel))
    else:
        stage.open_panel(panel)


@plays(ShowGather)
def show_gather(stage, beat: ShowGather) -> None:
    color = stage.looks.colors[beat.task]
    stage.open_panel(
        GatherPanel(beat.task, beat.runs, color, stage.looks.page_size, stage.panel_box)
    )
    if "pool" in stage.parts:
        stage.animate(stage.parts["pool"].flash([run.page for run in beat.runs], pause=0.5))
