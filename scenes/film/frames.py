"""Reading single frames and chapters back from a film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from PIL import Image


@dataclass(frozen=True)
class Snapshot:
    """A frame at `time` seconds and the title of its chapter ('' where there is none)."""

    time: float
    chapter: str
    image: Image.Image


def duration(film: Path) -> float:
    """Length of the film in seconds, from its frames' timestamps."""
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        return float(stream.duration * stream.time_base)  # type: ignore[operator]


def chapters(film: Path) -> list[tuple[float, float, str]]:
    """Start and end in seconds and the title of each chapter."""
    with av.open(str(film)) as container:
        return [
            (
                float(chapter["start"] * chapter["time_base"]),  # type: ignore[operator]
                float(chapter["end"] * chapter["time_base"]),  # type: ignore[operator]
                chapter["metadata"].get("title", ""),
            )
            for chapter in container.chapters()
        ]


def shots(film: Path, times: Iterable[float]) -> Iterator[Snapshot]:
    """The frames shown at `times`, which must rise."""
    marks = chapters(film)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        for time in times:
            container.seek(int(time / stream.time_base), stream=stream)  # type: ignore[operator]
            shown: Any = None
            for frame in container.decode(stream):
                if shown is not None and frame.time > time + 1e-6:
                    break
                shown = frame
            title = next((t for a, b, t in marks if a <= time < b), "")
            yield Snapshot(time, title, shown.to_image())
