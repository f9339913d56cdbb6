"""From a replayed state to how mobjects should look."""

from __future__ import annotations

import numpy as np

from astrai_sim.trace import State, Trace
from scenes import theme
from scenes.mobjects.page import PageLook
from scenes.mobjects.table import TableLook

DARKEST = 0.42


class Looks:
    """Turns states of one trace into looks; colours follow the order of submission."""

    def __init__(self, trace: Trace) -> None:
        self.page_size = trace.header.scenario["cache"]["page_size"]
        self.tasks = [event.task for event in trace.find(event="task_submitted")]
        self.colors = {task: theme.task_color(i) for i, task in enumerate(self.tasks)}
        self.low, self.high = norm_range(trace)
        self.longest = longest_table(trace) * self.page_size

    def page(self, state: State, page: int) -> PageLook:
        """Look of one page: colour of its first owner, cells shaded by the recorded norms."""
        holders = {task for task, _ in state.owners(page)}
        owners = tuple(task for task in self.tasks if task in holders)
        color = self.colors[owners[0]] if owners else None
        cells = np.ones((self.page_size, 4))
        cells[:, :3] = theme.rgb(theme.EMPTY)
        norms = state.norms(page)
        filled = ~np.isnan(norms)
        cached = state.page_state(page) == "cached"
        if filled.any() and (owners or cached):
            base = np.array(theme.rgb(color or theme.CACHED))
            dark = np.array(theme.rgb(theme.PANEL))
            span = max(self.high - self.low, 1e-9)
            share = np.clip((norms[filled] - self.low) / span, 0.0, 1.0)[:, None]
            amount = DARKEST + (1.0 - DARKEST) * share
            cells[filled, :3] = dark + (base - dark) * amount
        outline = color or (theme.CACHED if cached else None)
        return PageLook(
            ref=state.refs[page],
            owners=owners,
            owner_colors=tuple(self.colors[task] for task in owners),
            color=outline,
            cells=cells,
            cached=cached,
        )

    def tables(self, state: State) -> list[TableLook]:
        """Looks of all tables that the state holds, in order of submission."""
        fill = state.fill()
        return [
            TableLook(
                task=task,
                color=self.colors[task],
                pages=tuple(state.tables[task]),
                tokens=state.tasks[task].n_tokens,
                kv=state.tasks[task].kv_len,
                status=state.tasks[task].status,
                filled=tuple(fill[state.tables[task]].tolist()),
            )
            for task in self.tasks
            if task in state.tables and state.tables[task]
        ]


def norm_range(trace: Trace) -> tuple[float, float]:
    """5th and 95th percentile of the recorded K norms, from up to 200 writes."""
    norms: list[float] = []
    for count, event in enumerate(trace.find(event="kv_write")):
        for span in event.spans:
            norms += span["norms"]
        if count >= 200:
            break
    if not norms:
        return 0.0, 1.0
    low, high = np.percentile(norms, [5, 95])
    return float(low), float(high)


def longest_table(trace: Trace) -> int:
    """Pages in the longest page table of the run (at least 1)."""
    return max((len(event.pages) for event in trace.find(event="table")), default=1) or 1
