"""Who holds which page when, as an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astrai_sim.tools.plot.palette import CACHED, FREE, SHARED, TASK_COLORS, rgb
from astrai_sim.trace import Series, Trace
from astrai_sim.trace.state import CACHED as CACHED_STATE

ROWS = 640
COLUMNS = 1400


@dataclass(frozen=True, eq=False)
class PlottedPages:
    """Colours of the pages over time, uint8 [rows, columns, 3], row 0 being page 0.

    `shared` and `cached` tell whether such pages are in the picture.
    """

    image: np.ndarray
    shared: bool
    cached: bool

    @classmethod
    def of(cls, trace: Trace, series: Series, columns: int = COLUMNS, rows: int = ROWS) -> PlottedPages:
        """From time 0 to the last step's end.

        A column shows the pages as the last step that ended within it, or before, left them. Beyond `rows` pages each
        row shows the first of several neighbours, equally many for each.
        """
        codes = _codes(trace, series, columns, rows)
        colors = [rgb(color) for color in (FREE, CACHED, SHARED, *TASK_COLORS)]
        image = np.array(colors, dtype=np.uint8)[codes]
        return cls(image, bool((codes == 2).any()), bool((codes == 1).any()))


def _codes(trace: Trace, series: Series, columns: int, rows: int) -> np.ndarray:
    """uint8 [rows, columns]: 0 free, 1 cached, 2 shared, from 3 on the owner's colour."""
    n_pages = trace.header.scenario.cache.n_pages
    per_row = -(-n_pages // rows)
    found = np.zeros((-(-n_pages // per_row), columns), dtype=np.uint8)
    ends = np.arange(1, columns + 1) * (series.end_ns[-1] / columns)
    ends[-1] = series.end_ns[-1]  # Rounding must not put the last step beyond the last column.
    steps = np.searchsorted(series.end_ns, ends, side="right") - 1
    for column, step in enumerate(steps.tolist()):
        if step < 0:
            continue
        if column and step == steps[column - 1]:
            found[:, column] = found[:, column - 1]
            continue
        state = trace.state_at(int(series.seq[step]))
        owner = state.first_owner()[::per_row]
        code = np.where(owner >= 0, 3 + owner % len(TASK_COLORS), state.page_states()[::per_row] == CACHED_STATE)
        found[:, column] = np.where(state.refs[::per_row] > 1, 2, code)
    return found
