"""The project's own type: fonts from `assets/fonts`, shaped by HarfBuzz.

Text never goes through the machine's font configuration, so a film looks the same wherever it is rendered. A shaped
line is returned as cubic outlines in em units, origin on the baseline at the left edge.
"""

from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
import uharfbuzz as hb

from astrai_sim.shipped import ASSETS
from scenes.measures import Said, joined

FOLDER = ASSETS / "fonts"
FACES = {
    "sans": "Inter-Regular.otf",
    "sans-medium": "Inter-Medium.otf",
    "sans-bold": "Inter-SemiBold.otf",
    "mono": "JetBrainsMono-Regular.ttf",
    "mono-bold": "JetBrainsMono-Bold.ttf",
}
Point = tuple[float, float]


class Metrics(NamedTuple):
    """Vertical measures of a face in em units, positive upwards."""

    cap_height: float
    x_height: float


class Shaped(NamedTuple):
    """One line of text: `points` [n, 2] are groups of four cubic control points, `advance` is the width to the next
    origin, both in em."""

    points: np.ndarray
    advance: float


@cache
def _font(face: str) -> hb.Font:
    if face not in FACES:
        raise KeyError(f"unknown face {face!r}: choose one of {', '.join(FACES)}")
    path = FOLDER / FACES[face]
    if not path.is_file():
        raise FileNotFoundError(f"{path}: font file is missing: restore assets/fonts")
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(path))))


@cache
def metrics(face: str) -> Metrics:
    """Metrics of `face`, from the outlines of H and x."""
    font = _font(face)
    glyphs = (font.get_nominal_glyph(ord(letter)) for letter in "Hx")
    return Metrics(*(font.get_glyph_extents(glyph).y_bearing / font.face.upem for glyph in glyphs))


class _Outline:
    """Pen that turns any outline into closed runs of cubic curves."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._start = self._at = (0.0, 0.0)

    def moveTo(self, point: Point) -> None:
        self._start = self._at = point

    def lineTo(self, point: Point) -> None:
        (x0, y0), (x1, y1) = self._at, point
        if self._at != point:
            self.curveTo(((2 * x0 + x1) / 3, (2 * y0 + y1) / 3), ((x0 + 2 * x1) / 3, (y0 + 2 * y1) / 3), point)

    def qCurveTo(self, control: Point, point: Point) -> None:
        (x0, y0), (cx, cy), (x1, y1) = self._at, control, point
        first = (x0 + 2 * (cx - x0) / 3, y0 + 2 * (cy - y0) / 3)
        self.curveTo(first, (x1 + 2 * (cx - x1) / 3, y1 + 2 * (cy - y1) / 3), point)

    def curveTo(self, first: Point, second: Point, point: Point) -> None:
        self.points += [self._at, first, second, point]
        self._at = point

    def closePath(self) -> None:
        self.lineTo(self._start)


@lru_cache(maxsize=4096)
def _glyph(face: str, glyph_id: int) -> np.ndarray:
    pen = _Outline()
    _font(face).draw_glyph_with_pen(glyph_id, pen)
    return np.array(pen.points, dtype=float).reshape(-1, 2)


@lru_cache(maxsize=65536)
def holds(char: str, face: str) -> bool:
    """Whether `face` has a glyph for `char`."""
    return bool(_font(face).get_nominal_glyph(ord(char)))


@lru_cache(maxsize=8192)
def shape(text: str, face: str) -> Shaped:
    """Shape `text` (kerned; ligatures off in the mono faces).

    Raises ValueError for a character that the face does not hold, so that no empty box reaches the screen.
    """
    font = _font(face)
    upem = font.face.upem
    if not text:
        return Shaped(points=np.zeros((0, 2)), advance=0.0)
    buffer = hb.Buffer()
    buffer.add_str(str(text))
    buffer.guess_segment_properties()
    ligatures = not face.startswith("mono")
    hb.shape(font, buffer, {"liga": ligatures, "calt": ligatures, "kern": True, "tnum": True})
    runs = []
    x = 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if info.codepoint == 0:
            raise ValueError(f"{FACES[face]} has no glyph for {text[info.cluster]!r} in {text!r}")
        outline = _glyph(face, info.codepoint)
        if len(outline):
            runs.append(outline + (x + position.x_offset, position.y_offset))
        x += position.x_advance
    points = np.concatenate(runs) if runs else np.zeros((0, 2))
    return Shaped(points=points / upem, advance=x / upem)


@cache
def has(letter: str) -> bool:
    """Whether every face has a glyph for `letter`, a single character."""
    return all(holds(letter, face) for face in FACES)


@lru_cache(maxsize=8192)
def ink(text: str, face: str) -> tuple[float, float, float, float]:
    """Left, bottom, right, top of the outlines of `text` in em, from its origin on the baseline; zeros without any."""
    points = shape(text, face).points
    return (*points.min(axis=0).tolist(), *points.max(axis=0).tolist()) if len(points) else (0.0, 0.0, 0.0, 0.0)


def width(text: str, face: str, px: float) -> float:
    """Width of `text` in pixels at an em size of `px`."""
    return shape(text, face).advance * px


def fit(text: str, face: str, px: float, room: float) -> str:
    """`text`, its middle left out where it is wider than `room` pixels; a `Said` stays one."""
    kept, shown = len(text) - 1, text
    while kept > 1 and width(shown, face, px) > room:
        head, tail = kept // 2, len(text) - (kept - kept // 2)
        if isinstance(text, Said):
            shown = joined("", (text.cut(0, head), "…", text.cut(tail, len(text))))
        else:
            shown = f"{text[:head]}…{text[tail:]}"
        kept -= 1
    return shown
