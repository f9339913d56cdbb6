"""The parts of the picture; each draws one thing onto axes that it is given. Units of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from astrai_sim.tools.plot import palette
from astrai_sim.trace import RequestTimes, Series, Trace
from astrai_sim.trace.state import CACHED

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

ROWS, COLUMNS = 640, 1400
COLORS = (palette.FREE, palette.CACHED, palette.SHARED, *palette.TASK_COLORS)
PAGE_COLORS = np.array([[*bytes.fromhex(color[1:])] for color in COLORS], np.uint8)
"""Free, cached, shared, and from 3 on those of owners."""
MOST_POINTS = 1200
MOST_STEPS = 300
MOST_NAMES = len(palette.TASK_COLORS)
MOST_LINES = 48
PAUSE = 0.002
GAP = 5
WIDE = 30


@dataclass(frozen=True)
class Unit:
    """A unit of time: its sign, and how many nanoseconds it has."""

    sign: str
    ns: float

    def text(self, ns: float) -> str:
        """`ns` with three significant digits and the sign."""
        return f"{three_digits(ns / self.ns)} {self.sign}"


UNITS = (Unit("µs", 1e3), Unit("ms", 1e6), Unit("s", 1e9), Unit("min", 60e9), Unit("h", 3600e9))


def unit_for(ns: float) -> Unit:
    """The unit to show times up to `ns` in: the largest that leaves at least 2 of it."""
    return next((unit for unit in reversed(UNITS) if ns >= 2 * unit.ns), UNITS[0])


def short_unit(ns: float) -> Unit:
    """The largest unit up to seconds that leaves at least 1 of it."""
    return next((unit for unit in reversed(UNITS[:3]) if ns >= unit.ns * (1 - 1e-9)), UNITS[0])


def three_digits(value: float) -> str:
    """A number with three significant digits, whole where it is 100 or more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def counted(number: int, what: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number:,} {what}" + ("" if number == 1 else "s")


def page_codes(trace: Trace, series: Series, columns: int = COLUMNS, rows: int = ROWS) -> np.ndarray:
    """Indices into `PAGE_COLORS` of the pages from time 0 to the last step's end, uint8 [rows, columns], page 0 first.

    A column shows the pages as the last step that ended within it, or before, left them. Beyond `rows` pages each row
    shows the first of several neighbours, equally many for each.
    """
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
        code = np.where(owner >= 0, 3 + owner % len(palette.TASK_COLORS), state.page_states()[::per_row] == CACHED)
        found[:, column] = np.where(state.refs[::per_row] > 1, 2, code)
    return found


def page_map(axes: Axes, trace: Trace, series: Series, unit: Unit) -> np.ndarray:
    """Every page over time, without title and legend; returns its `page_codes`."""
    n_pages = trace.header.scenario.cache.n_pages
    end = series.end_ns[-1] / unit.ns
    codes = page_codes(trace, series)
    axes.imshow(
        PAGE_COLORS[codes], aspect="auto", origin="lower", interpolation="nearest", extent=(0, end, -0.5, n_pages - 0.5)
    )
    if n_pages <= MOST_LINES:
        axes.hlines(np.arange(n_pages - 1) + 0.5, 0, end, color=palette.BACKGROUND, linewidth=1)
    axes.set_ylabel("page")
    whole(axes)
    return codes


def pages(axes: Axes, trace: Trace, series: Series, requests: RequestTimes, unit: Unit) -> None:
    """The page map with its legend."""
    from matplotlib.patches import Patch

    codes = page_map(axes, trace, series, unit)
    handles = []
    title = "Pages by owner"
    if len(requests) <= MOST_NAMES:
        handles += [Patch(color=palette.TASK_COLORS[i], label=_short(name)) for i, name in enumerate(requests.names)]
    else:
        title += f": {len(requests):,} requests, {MOST_NAMES} colours in turn"
    axes.set_title(title)
    if (codes == 2).any():
        handles.append(Patch(color=palette.SHARED, label="shared"))
    if (codes == 1).any():
        handles.append(Patch(color=palette.CACHED, label="cached"))
    handles.append(Patch(facecolor=palette.FREE, edgecolor=palette.OUTLINE, label="free"))
    legend(axes, handles)


def pool(axes: Axes, trace: Trace, series: Series, unit: Unit) -> None:
    """Pages in use and cached, and how much of the pages in use holds K and V."""
    cache = trace.header.scenario.cache
    time, (in_use, cached, kv) = after(series, series.in_use, series.cached, series.kv_slots / cache.page_size)
    x = time / unit.ns
    scale = 100 / cache.n_pages
    fill = {"step": "post", "linewidth": 0}
    axes.fill_between(x, 0, in_use * scale, color=palette.TASK_COLORS[0], alpha=0.45, label="in use", **fill)
    if cached.any():
        axes.fill_between(
            x, in_use * scale, (in_use + cached) * scale, color=palette.CACHED, alpha=0.6, label="cached", **fill
        )
    axes.step(x, kv * scale, where="post", color=palette.TEXT, linewidth=1.2, label="K and V stored")
    axes.set_ylim(0, 105)
    axes.set_yticks([0, 50, 100])
    axes.set_ylabel("% of the pool")
    axes.set_title("Pool")
    legend(axes)


def queue(axes: Axes, series: Series, unit: Unit) -> None:
    """Waiting and running requests; a mark for each step with preemptions."""
    time, (waiting, running) = after(series, series.waiting, series.running)
    x = time / unit.ns
    axes.step(x, running, where="post", color=palette.BATCH, linewidth=1.5, label="running")
    axes.step(x, waiting, where="post", color=palette.QUEUE, linewidth=1.5, label="waiting")
    hit = series.preemptions > 0
    if hit.any():
        times = series.end_ns[hit] / unit.ns
        mark = {"color": palette.WARNING, "markersize": 6, "markeredgewidth": 0, "clip_on": False}
        above = axes.get_xaxis_transform()
        axes.plot(times, np.full(len(times), 1.0), "v", transform=above, label="preemption", **mark)
    axes.set_ylim(bottom=0)
    axes.set_ylabel("requests")
    whole(axes)
    axes.set_title("Queue and batch")
    legend(axes)


def tokens(axes: Axes, series: Series, unit: Unit) -> None:
    """Prompt tokens computed and tokens generated by each step."""
    from matplotlib.ticker import NullLocator

    time, (prompt, answer) = during(series, series.prompt_tokens, series.generated)
    x = time / unit.ns
    axes.fill_between(x, 0, prompt, color=palette.PROMPT, alpha=0.55, linewidth=0, label="prefill")
    axes.plot(x, answer, color=palette.ANSWER, linewidth=1.2, label="generated")
    most = max(prompt.max(), answer.max(), 1.0)
    # Linear up to 1, so that a step without any is at 0.
    axes.set_yscale("symlog", linthresh=1, linscale=1)
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, most * 1.6)
    powers = [10**power for power in range(int(np.log10(most)) + 1)]
    axes.set_yticks([0, *(powers if len(powers) <= 3 else powers[::-2])])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylabel("tokens per step")
    averaged = "" if len(series) <= MOST_STEPS else ", mean of neighbouring steps"
    axes.set_title(f"Work{averaged}")
    legend(axes)


def histogram(axes: Axes, title: str, ns: np.ndarray, color: str) -> None:
    """How often a latency came, with median and 95th percentile."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    axes.set_title(title)
    if not len(ns):
        axes.text(0.5, 0.5, "none recorded", transform=axes.transAxes, ha="center", va="center", color=palette.MUTED)
        axes.set_xticks([])
        axes.set_yticks([])
        return
    middle, high = np.percentile(ns, [50, 95])
    low, top = ns.min(), ns.max()
    if low > 0 and top / low > WIDE:
        bins = np.geomspace(low, top, 41)
        axes.set_xscale("log")
        decades = np.log10(top / low)
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < 2.5 else (1,)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(lambda value, _: short_unit(value).text(value))
    else:
        unit = unit_for(middle)
        spread = max(top - low, top * 0.1, 1e3)
        start = max(0.0, (low + top) / 2 - 0.55 * spread)
        bins = np.linspace(start, start + 1.1 * spread, 31)
        axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value / unit.ns:,g}")
        axes.set_xlabel(unit.sign)
    axes.hist(ns, bins=bins, color=color, alpha=0.85, linewidth=0)
    for name, value in (("median", middle), ("95%", high)):
        label, style = f"{name} {unit_for(value).text(value)}", "-" if name == "median" else (0, (3, 2))
        axes.axvline(value, color=palette.TEXT, linewidth=1.2, linestyle=style, label=label)
    axes.set_ylabel("count")
    whole(axes)
    legend(axes)


def _short(name: str) -> str:
    return name if len(name) <= 14 else f"{name[:13]}…"


def whole(axes: Axes) -> None:
    """Whole numbers up the side, thousands apart."""
    from matplotlib.ticker import MaxNLocator

    locator = axes.yaxis.get_major_locator()
    assert isinstance(locator, MaxNLocator)
    locator.set_params(integer=True, min_n_ticks=1)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def legend(axes: Axes, handles: list[Artist] | None = None) -> None:
    """Right above the axes, beside the title."""
    from matplotlib.transforms import ScaledTranslation

    handles = axes.get_legend_handles_labels()[0] if handles is None else handles
    above = axes.transAxes + ScaledTranslation(0, GAP / 72, axes.figure.dpi_scale_trans)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1), "bbox_transform": above, "ncols": len(handles)}
    axes.legend(handles=handles, borderpad=0, borderaxespad=0, handletextpad=0.5, **place)


def after(series: Series, *values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times (ns) and values of `_binned` to draw as steps: 0 at first, then as each step left them."""
    _, ends, means = _binned(series, MOST_POINTS, *values)
    return np.append(0, ends), [np.append(0.0, mean) for mean in means]


def during(series: Series, *values: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Times (ns) and values of `_binned` to draw as a line: level through each step, 0 while none runs."""
    starts, ends, means = _binned(series, MOST_STEPS, *values)
    idle = np.append(starts[1:] - ends[:-1] > PAUSE * series.end_ns[-1], False)
    # Of each step its start and end, then both ends of a pause after it, at 0.
    times = np.column_stack([starts, ends, ends, np.append(starts[1:], ends[-1])])
    keep = np.column_stack([np.ones((len(idle), 2), bool), idle, idle])
    lines = [np.column_stack([mean, mean, 0 * mean, 0 * mean])[keep] for mean in means]
    return np.append(starts[0], times[keep]), [np.append(0.0, line) for line in lines]


def _binned(series: Series, most: int, *values: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Starts and ends (ns) and values of the steps; of more than `most`, means over equally many neighbours."""
    per_bin = -(-len(series) // most)
    first = np.arange(0, len(series), per_bin)
    counts = np.diff(np.append(first, len(series)))
    means = [np.add.reduceat(value.astype(float), first) / counts for value in values]
    return series.start_ns[first], series.end_ns[first + counts - 1], means
