"""From a replayed state to how mobjects should look."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from astrai_sim.trace import State, Trace
from scenes import theme
from scenes.old.mobjects.page import PageLook
from scenes.old.mobjects.table import TableLook

DARKEST = 0.42
PLAIN = 0.85
"""Share of its owner's colour in a slot whose norm is not recorded."""


class Looks:
    """Turns states of one trace into looks; colours follow the order of submission."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.page_size = trace.header.scenario.cache.page_size
        self.tasks = [event.task for event in trace.find(event="task_submitted")]
        self.colors = {task: theme.task_color(i) for i, task in enumerate(self.tasks)}
        self.rounds = {task: i // len(theme.TASK_COLORS) for i, task in enumerate(self.tasks)}
        self._order = {task: i for i, task in enumerate(self.tasks)}
        self._seen: State | None = None
        self._fill: Any = None

    @classmethod
    def of(cls, trace: Trace) -> Looks:
        """The looks of a trace, gone through once for all its sections."""
        if trace not in _LOOKS:
            _LOOKS[trace] = cls(trace)
        return _LOOKS[trace]

    @cached_property
    def norms(self) -> tuple[float, float] | None:
        """Norms shown darkest and brightest; None where the trace records none."""
        return norm_range(self.trace)

    @cached_property
    def longest(self) -> int:
        """Slots of the longest page table of the run."""
        return longest_table(self.trace) * self.page_size

    def _holders(self, state: State) -> dict[int, list[str]]:
        """Tasks that hold a page, in order of submission, for every page held."""
        if self._seen is not state:
            self._seen, self._held = state, {}
            for task in sorted(state.tables, key=self._order.__getitem__):
                for page in state.tables[task]:
                    self._held.setdefault(page, []).append(task)
            self._fill = state.fill() if self.norms is None else None
        return self._held

    def page(self, state: State, page: int) -> PageLook:
        """Look of one page: colour of its first owner, cells shaded by the recorded norms.

        Where none are recorded the filled slots have the owner's plain colour.
        """
        owners = tuple(self._holders(state).get(page, ()))
        color = self.colors[owners[0]] if owners else None
        cells = np.ones((self.page_size, 4))
        cells[:, :3] = theme.rgb(theme.EMPTY)
        cached = state.page_state(page) == "cached"
        if owners or cached:
            amount = self._amount(state, page)
            filled = ~np.isnan(amount)
            base = np.array(theme.rgb(color or theme.CACHED))
            dark = np.array(theme.rgb(theme.PANEL))
            cells[filled, :3] = dark + (base - dark) * amount[filled, None]
        outline = color or (theme.CACHED if cached else None)
        return PageLook(
            ref=state.refs[page],
            owners=owners,
            owner_colors=tuple(self.colors[task] for task in owners),
            color=outline,
            cells=cells,
            cached=cached,
        )

    def _amount(self, state: State, page: int) -> np.ndarray:
        """How much of the owner's colour each slot has, shape [page_size]; NaN where empty."""
        if self.norms is None:
            return np.where(np.arange(self.page_size) < self._fill[page], PLAIN, np.nan)
        low, high = self.norms
        share = np.clip((state.norms(page) - low) / max(high - low, 1e-9), 0.0, 1.0)
        return DARKEST + (1.0 - DARKEST) * share

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
            for task in sorted(state.tables, key=self._order.__getitem__)
            if state.tables[task]
        ]


def norm_range(trace: Trace) -> tuple[float, float] | None:
    """5th and 95th percentile of the recorded K norms, from up to 200 writes."""
    norms: list[float] = []
    for count, event in enumerate(trace.find(event="kv_write")):
        for span in event.spans:
            norms += span.norms
        if count >= 200:
            break
    if not norms:
        return None
    low, high = np.percentile(norms, [5, 95])
    return float(low), float(high)


def longest_table(trace: Trace) -> int:
    """Pages in the longest page table of the run (at least 1)."""
    longest = max((len(event.pages) for event in trace.find(event="table")), default=1)
    for kind in ("pages_alloc", "pages_ref", "pages_revived"):
        for event in trace.find(event=kind):
            longest = max(longest, (event.logical or 0) + len(event.pages))
    return max(longest, 1)


_LOOKS: WeakKeyDictionary[Trace, Looks] = WeakKeyDictionary()
