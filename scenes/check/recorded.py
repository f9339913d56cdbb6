"""What a state should look like, found without asking the mobjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from astrai_sim.trace import State
from scenes import theme


@dataclass(frozen=True)
class Difference:
    """One thing shown that was not recorded so."""

    field: str
    shown: object
    recorded: object


class Recorded:
    """What a state should look like; colours follow the order of submission in `tasks`."""

    def __init__(self, tasks: Sequence[str]) -> None:
        self.tasks = list(tasks)

    def owners(self, state: State, page: int) -> list[str]:
        """Tasks whose tables hold `page`, sorted by name."""
        return sorted({task for task, _ in state.owners(page)})

    def color(self, state: State, page: int) -> str | None:
        """Outline colour: the first submitted owner's, grey where cached, None where free."""
        owners = self.owners(state, page)
        if owners:
            return theme.task_color(min(self.tasks.index(task) for task in owners))
        return theme.CACHED if state.page_state(page) == "cached" else None

    def filled(self, state: State, page: int) -> np.ndarray:
        """Which slots hold KV that a table or the prefix cache reaches, shape [page_size]."""
        if not state.owners(page) and state.page_state(page) != "cached":
            return np.zeros(state.page_size, dtype=bool)
        return ~np.isnan(state.norms(page))

    def tables(self, state: State) -> dict[str, list[int]]:
        """Page tables that are not empty."""
        return {task: list(pages) for task, pages in state.tables.items() if pages}
