"""The parts of the picture of a trace that knows only which blocks are cached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from astrai_sim.tools.plot import palette
from astrai_sim.tools.plot.panels import Unit, after, counted, during, legend, page_map, unit_for, whole
from astrai_sim.trace import Series, Trace
from astrai_sim.trace.blocks import BlockStored

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NOT_RECORDED = "cache events: refcounts, requests and page tables not recorded"


def stored_by_message(trace: Trace) -> np.ndarray:
    """Blocks that each message stored, those left out that were cached already, int64 [messages]."""
    found = np.zeros(trace.kinds()["message_end"], np.int64)
    for event in trace.find(event="block_stored"):
        assert isinstance(event, BlockStored)
        if event.step < len(found):
            found[event.step] += len(event.keys) - len(event.again)
    return found


def facts(trace: Trace, series: Series) -> list[str]:
    """The whole trace in numbers."""
    cache, end = trace.header.scenario.cache, series.end_ns[-1]
    told = [
        f"{counted(cache.n_pages, 'place')} for blocks of {counted(cache.page_size, 'token')}",
        f"{counted(len(series), 'message')} in {unit_for(end).text(end)}",
        f"{counted(int(stored_by_message(trace).sum()), 'block')} stored",
        f"{int(series.evictions.sum()):,} removed",
        f"at most {int(series.cached.max()):,} cached",
    ]
    if trace.header.imported and trace.header.imported.missing:
        told.append(f"{counted(trace.header.imported.missing, 'message')} missing")
    return told


def places(axes: Axes, trace: Trace, series: Series, unit: Unit) -> None:
    """Which places have a block."""
    from matplotlib.patches import Patch

    page_map(axes, trace, series, unit)
    axes.set_ylabel("place")
    axes.set_title("Places with a cached block, handed out on import")
    empty = Patch(facecolor=palette.FREE, edgecolor=palette.OUTLINE, label="no cached block")
    legend(axes, [Patch(color=palette.CACHED, label="cached, refcount not recorded"), empty])


def cached(axes: Axes, trace: Trace, series: Series, unit: Unit) -> None:
    """How many blocks are cached."""
    time, (known,) = after(series, series.cached)
    axes.fill_between(time / unit.ns, 0, known, color=palette.CACHED, alpha=0.6, step="post", linewidth=0)
    axes.set_ylim(0, 1.05 * trace.header.scenario.cache.n_pages)
    axes.set_ylabel("blocks")
    axes.set_title("Cached blocks")
    whole(axes)


def traffic(axes: Axes, trace: Trace, series: Series, unit: Unit) -> None:
    """Blocks that messages store and remove."""
    time, (come, gone) = during(series, stored_by_message(trace), series.evictions)
    axes.plot(time / unit.ns, come, color=palette.PROMPT, linewidth=1.2, label="stored")
    axes.plot(time / unit.ns, gone, color=palette.WARNING, linewidth=1.2, label="removed")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("blocks a message")
    axes.set_title("Stored and removed")
    legend(axes)
