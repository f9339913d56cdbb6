"""How like one film is to another: structural similarity, frame by frame."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np

from scenes.film.filters import pulled
from scenes.film.sheet import opened


def likeness(film: Path, other: Path) -> float:
    """Mean structural similarity of all frames of two films of one size and length, 1 where they are the same.

    Brightness and colours together, each by its samples, as FFmpeg's filter `ssim` has it (Wang et al., 2004). Raises
    ValueError where they have not as many frames.
    """
    found: list[float] = []
    with opened(film) as (first, a), opened(other) as (second, b):
        graph = av.filter.Graph()
        tick = Fraction(1, 1000)
        size: dict[str, Any] = {"width": a.width, "height": a.height, "format": "yuv420p", "time_base": tick}
        ends = [graph.add_buffer(**size) for _ in "ab"]
        measured, sink = graph.add("ssim"), graph.add("buffersink")
        for place, end in enumerate(ends):
            end.link_to(measured, 0, place)
        measured.link_to(sink)
        graph.configure()
        for count, pair in enumerate(zip(first.decode(a), second.decode(b), strict=True)):
            for end, frame in zip(ends, pair, strict=True):
                frame.pts, frame.time_base = count, tick
                end.push(frame)
            found += _likenesses(graph)
        for end in ends:
            end.push(None)
        found += _likenesses(graph)
    return float(np.mean(found))


def _likenesses(graph: av.filter.Graph) -> list[float]:
    return [float(frame.metadata["lavfi.ssim.All"]) for frame in pulled(graph)]
