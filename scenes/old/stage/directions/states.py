"""The states of a page, explained in the panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage


from collections import Counter

from scenes import theme
from scenes.old.mobjects.states import STATES, StatesPanel
from scenes.old.stage.directions import plays
from scenes.story.beats import ShowStates


@plays(ShowStates)
def show_states(stage: Stage, beat: ShowStates) -> None:
    state = stage.state
    counts = Counter(state.page_state(page) for page in range(state.n_pages))
    stage.open_panel(StatesPanel({name: counts[name] for name in STATES}, theme.task_color(0), stage.panel_box))
