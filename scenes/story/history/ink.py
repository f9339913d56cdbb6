"""Whose K and V stand in which slot, also after the page was given back: until they are overwritten."""

from bisect import bisect_right

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import KvLengths, KvWrite


class Ink:
    """What was written where, in order: rows of (event, page, first slot, end, task by index, logical page)."""

    def __init__(self, trace: Trace) -> None:
        cache = trace.header.scenario.cache
        self.shape = cache.n_pages, cache.page_size
        self._rows: list[tuple[int, int, int, int, int, int]] = []
        state = trace.state_at(-1).copy()
        for event in trace:
            state.apply(event)
            if isinstance(event, KvWrite):
                for span in event.spans:
                    table, task = state.tables[span.task], state.tasks[span.task].index
                    for page, low, end in span.slots:
                        self._rows.append((event.seq, page, low, end, task, table.index(page)))
            elif isinstance(event, KvLengths):
                for task, count in zip(event.tasks, event.counts, strict=True):
                    end = state.tasks[task].kv_len
                    self._run(event.seq, state.tables.get(task, []), state.tasks[task].index, end - count, end)
        self._seqs = [row[0] for row in self._rows]
        self._known: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def _run(self, seq: int, table: list[int], task: int, start: int, end: int) -> None:
        size = self.shape[1]
        for logical in range(start // size, -(-end // size)):
            low, high = max(start, logical * size), min(end, (logical + 1) * size)
            self._rows.append((seq, table[logical], low - logical * size, high - logical * size, task, logical))

    def at(self, seq: int) -> tuple[np.ndarray, np.ndarray]:
        """Who computed what stands in each slot after event `seq`, by index, and the place in its table of the page
        that it was computed for: int32 [n_pages, page_size] each, -1 for never written. Not to be changed."""
        rows = bisect_right(self._seqs, seq)
        if rows not in self._known:
            near = max((k for k in self._known if k < rows), default=0)
            who, where = self._known.get(near, (np.full(self.shape, -1, np.int32), np.full(self.shape, -1, np.int32)))
            who, where = who.copy(), where.copy()
            for _, page, low, end, task, logical in self._rows[near:rows]:
                who[page, low:end], where[page, low:end] = task, logical
            self._known[rows] = who, where
        return self._known[rows]
