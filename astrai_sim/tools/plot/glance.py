"""Putting the picture together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from astrai_sim.command_line import printable
from astrai_sim.extras import require
from astrai_sim.files import whole
from astrai_sim.tools.plot import blocks, palette, panels
from astrai_sim.tools.plot.panels import counted, three_digits, unit_for
from astrai_sim.trace import RequestTimes, Series, Trace, TraceError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (16.0, 12.0)
DPI = 120
LEFT, RIGHT = 0.07, 0.975


def plot(trace: Trace, path: Path) -> None:
    """Draw the whole run of `trace` into the PNG `path`; raises as `draw`, and OSError."""
    figure = draw(trace)
    with whole(path) as partial:
        figure.savefig(partial, format="png")


def draw(trace: Trace) -> Figure:
    """The picture. Raises TraceError where no step was finished or no time passed, MissingExtra without matplotlib."""
    require("matplotlib", "plot")
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    series, requests = Series.of(trace), RequestTimes.of(trace)
    known = trace.header.membership_only
    if not len(series):
        raise TraceError(trace.path, None, "no step was finished: there is nothing to plot")
    if known and not series.end_ns[-1]:
        raise TraceError(trace.path, None, "all messages came at one time: there is nothing to plot over time")
    with mpl.rc_context(palette.style()):
        figure = Figure(figsize=SIZE, dpi=DPI)
        FigureCanvasAgg(figure)
        if known:
            _blocks_over_time(figure, trace, series)
            _frame_of(figure, trace, blocks.facts(trace, series), [blocks.NOT_RECORDED, *_engine(trace)])
        else:
            _over_time(figure, trace, series, requests)
            _latencies(figure, requests)
            _texts(figure, trace, series, requests)
    return figure


def _over_time(figure: Figure, trace: Trace, series: Series, requests: RequestTimes) -> None:
    unit = unit_for(series.end_ns[-1])
    rows = figure.add_gridspec(
        4, 1, left=LEFT, right=RIGHT, top=0.875, bottom=0.335, hspace=0.42, height_ratios=(3.4, 1.3, 1.3, 1.3)
    )
    axes = [figure.add_subplot(rows[0])]
    axes += [figure.add_subplot(rows[i], sharex=axes[0]) for i in (1, 2, 3)]
    panels.pages(axes[0], trace, series, requests, unit)
    panels.pool(axes[1], trace, series, unit)
    panels.queue(axes[2], series, unit)
    panels.tokens(axes[3], series, unit)
    for each in axes[:-1]:
        each.tick_params(labelbottom=False)
    for each in axes[1:]:
        each.grid(axis="y")
    clock = "engine time" if trace.header.clock == "real" else "time by the cost model"
    axes[-1].set_xlabel(f"{clock}, {unit.sign}")
    figure.align_ylabels(axes)


def _blocks_over_time(figure: Figure, trace: Trace, series: Series) -> None:
    unit = unit_for(series.end_ns[-1])
    rows = figure.add_gridspec(
        3, 1, left=LEFT, right=RIGHT, top=0.875, bottom=0.095, hspace=0.3, height_ratios=(3.4, 1.3, 1.3)
    )
    axes = [figure.add_subplot(rows[0])]
    axes += [figure.add_subplot(rows[i], sharex=axes[0]) for i in (1, 2)]
    blocks.places(axes[0], trace, series, unit)
    blocks.cached(axes[1], trace, series, unit)
    blocks.traffic(axes[2], trace, series, unit)
    for each in axes[:-1]:
        each.tick_params(labelbottom=False)
    for each in axes[1:]:
        each.grid(axis="y")
    axes[-1].set_xlabel(f"the publisher's time, {unit.sign}")
    figure.align_ylabels(axes)


def _latencies(figure: Figure, requests: RequestTimes) -> None:
    columns = figure.add_gridspec(1, 2, left=LEFT, right=RIGHT, top=0.235, bottom=0.095, wspace=0.24)
    waits = requests.time_to_first_token_ns
    gaps = np.concatenate([np.empty(0, np.int64), *requests.gaps])
    panels.histogram(figure.add_subplot(columns[0]), "Time to first token", waits[waits >= 0], palette.PROMPT)
    panels.histogram(figure.add_subplot(columns[1]), "Between one token and the next", gaps, palette.ANSWER)


def _texts(figure: Figure, trace: Trace, series: Series, requests: RequestTimes) -> None:
    header = trace.header
    cache = header.scenario.cache
    end, made = series.end_ns[-1], int(series.generated.sum())
    facts = [
        counted(len(requests), "request"),
        f"{counted(cache.n_pages, 'page')} of {counted(cache.page_size, 'slot')}",
        f"{counted(len(series), 'step')} in {unit_for(end).text(end)}",
        counted(int(requests.prompt_len.sum()), "prompt token"),
        f"{made:,} generated" + (f", {three_digits(made / end * 1e9)} a second" if end else ""),
        counted(int(series.preemptions.sum()), "preemption"),
        counted(int(series.evictions.sum()), "eviction"),
    ]
    ran = "scheduler only, no model" if header.model == "none" else f"{header.device.name}, {header.dtype}"
    _frame_of(figure, trace, facts, [ran, *_engine(trace)])


def _engine(trace: Trace) -> list[str]:
    """Which engine ran, and when."""
    engine = trace.header.engine
    version = engine.name if trace.header.membership_only else f"{engine.name} {engine.version} {engine.commit}"
    return [version, trace.header.started]


def _frame_of(figure: Figure, trace: Trace, facts: list[str], where: list[str]) -> None:
    """Title and facts above the picture, and below it where it comes from."""
    title = trace.header.scenario.title or trace.header.scenario_name
    _fitted(figure, LEFT, 0.957, title, fontsize=24, fontweight="semibold", va="center")
    small: dict[str, Any] = {"color": palette.MUTED, "va": "center"}
    _fitted(figure, LEFT, 0.923, "  ·  ".join(facts), fontsize=13, **small)
    _fitted(figure, LEFT, 0.025, "  ·  ".join(where), share=0.8, fontsize=11, **small)
    digest = f"trace {trace.computed_sha256[:16]}" if trace.complete else "recording cut short"
    figure.text(RIGHT, 0.025, digest, fontsize=11, ha="right", **small)


def _fitted(figure: Figure, x: float, y: float, text: str, share: float = 1.0, **style: Any) -> None:
    """A line of text, smaller where it would be longer than `share` of the picture's width."""
    line = figure.text(x, y, printable(text), parse_math=False, **style)
    most = share * (RIGHT - LEFT) * figure.bbox.width
    wide = line.get_window_extent().width
    line.set_fontsize(float(line.get_fontsize()) * min(1.0, 0.99 * most / wide))
