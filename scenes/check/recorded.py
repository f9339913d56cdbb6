"""What a state should look like, found without asking the mobjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from astrai_sim.trace import State, Trace
from scenes import theme


@dataclass(frozen=True)
class Difference:
    """One thing shown that was not recorded so."""

    field: str
    shown: object
    recorded: object


@dataclass(frozen=True)
class Recorded:
    """What a state should look like; colours follow the order of submission in `tasks`.

    `trace` is there for what a state does not tell by itself, such as times; `until` is
    the event whose state is compared, `beyond` how many steps what is computed from the
    trace has gone on after its last event. `has_norms` tells whether writes are recorded
    slot by slot, with norms; else only lengths are.
    """

    tasks: Sequence[str]
    trace: Trace | None = None
    until: int = -1
    beyond: int = 0
    has_norms: bool = True

    @classmethod
    def of(cls, trace: Trace) -> Recorded:
        """For comparing with `trace`."""
        tasks = [event.task for event in trace.find(event="task_submitted")]
        has_norms = next(trace.find(event="kv_write"), None) is not None
        return cls(tasks, trace, has_norms=has_norms)

    def at(self, until: int, beyond: int = 0) -> Recorded:
        """The same, for the state after event `until` and `beyond` steps more."""
        return replace(self, until=until, beyond=beyond)

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
        if self.has_norms:
            return ~np.isnan(state.norms(page))
        return np.arange(state.page_size) < state.fill()[page]

    def tables(self, state: State) -> dict[str, list[int]]:
        """Page tables that are not empty."""
        return {task: list(pages) for task, pages in state.tables.items() if pages}
