"""Single frames and chapters of a film, and contact sheets of them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image, ImageDraw, ImageFont

from astrai_sim.files import whole
from scenes import theme
from scenes.draw import fonts

GAP = 12
LINE = 30
TEXT = 18


@dataclass(frozen=True)
class Snapshot:
    """A frame at `time` seconds and the title of its chapter ('' where there is none)."""

    time: float
    chapter: str
    image: Image.Image


class NoVideo(ValueError):
    """What there should be a film in, or a moment of one, has none; the message says what to name instead."""


@contextmanager
def opened(film: Path) -> Iterator[tuple[InputContainer, av.VideoStream]]:
    """The file at `film` and the pictures in it. Raises NoVideo where it is not a video, whole and of some length."""
    try:
        with av.open(str(film)) as container:
            if not (container.streams.video and container.duration):
                raise NoVideo(f"{film} is no video: name a rendered film")
            yield container, container.streams.video[0]
    except FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise NoVideo(f"{film} is no video, or a broken one: name a rendered film") from None


def duration(film: Path) -> float:
    """Length of the film in seconds."""
    with opened(film) as (container, _):
        return container.duration / av.time_base  # type: ignore[operator]


def chapters(film: Path) -> list[tuple[float, float, str]]:
    """Start and end in seconds and the title of each chapter."""
    with opened(film) as (container, _):
        found: Any = container.chapters()
        grid = [(chapter["time_base"], chapter) for chapter in found]
        return [(float(c["start"] * tick), float(c["end"] * tick), c["metadata"].get("title", "")) for tick, c in grid]


def shots(film: Path, times: Iterable[float]) -> Iterator[Snapshot]:
    """The frames shown at `times`, which must rise."""
    marks = chapters(film)
    with opened(film) as (container, stream):
        for time in times:
            container.seek(int(time / stream.time_base), stream=stream)  # type: ignore[operator]
            shown: Any = None
            for frame in container.decode(stream):
                if shown is not None and frame.time > time + 1e-6:
                    break
                shown = frame
            if shown is None:
                raise NoVideo(f"{film} has no picture at {time:.2f} s: render it again")
            title = next((t for a, b, t in marks if a <= time < b), "")
            yield Snapshot(time, title, shown.to_image())


class Sheet:
    """Pictures of one size, `columns` in a row, each `width` pixels wide with its time and chapter below."""

    def __init__(self, columns: int = 4, width: int = 480) -> None:
        self.columns = columns
        self.width = width
        self._cells: list[tuple[Image.Image, str]] = []
        self._font = ImageFont.truetype(str(fonts.FOLDER / fonts.FACES["mono"]), TEXT)

    def add(self, shot: Snapshot) -> None:
        """Put a picture in the next place."""
        height = round(self.width * shot.image.height / shot.image.width)
        small = shot.image.convert("RGB").resize((self.width, height), Image.Resampling.LANCZOS)
        self._cells.append((small, self._label(shot)))

    def save(self, output: Path) -> None:
        """Write the PNG; there must be a picture."""
        height = self._cells[0][0].height
        across, down = self.width + GAP, height + LINE + GAP
        rows = -(-len(self._cells) // self.columns)
        wide = min(self.columns, len(self._cells)) * across + GAP
        sheet = Image.new("RGB", (wide, rows * down + GAP), theme.PANEL)
        draw = ImageDraw.Draw(sheet)
        for place, (image, label) in enumerate(self._cells):
            row, column = divmod(place, self.columns)
            x, y = GAP + column * across, GAP + row * down
            sheet.paste(image, (x, y))
            draw.text((x, y + height + 5), label, theme.TEXT, self._font)
        with whole(output) as partial:
            sheet.save(partial)

    def _label(self, shot: Snapshot) -> str:
        minutes, seconds = divmod(shot.time, 60)
        text = f"{int(minutes)}:{seconds:05.2f}  {shot.chapter}"
        while self._font.getlength(text) > self.width:
            text = text[:-2].rstrip() + "…"
        return text


def contact_sheet(film: Path, output: Path, frames: int = 24, columns: int = 4, width: int = 480) -> None:
    """Write a PNG of `frames` evenly spaced frames of a rendered film, `width` pixels each, with their times."""
    length = duration(film)
    sheet = Sheet(columns, width)
    for shot in shots(film, [length * (i + 0.5) / frames for i in range(frames)]):
        sheet.add(shot)
    sheet.save(output)
