"""Mobjects that draw atoms: one class for each kind, put into any state by a vector of numbers."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import Any

import cairo
import numpy as np
from manim import Mobject

from scenes.draw import fonts
from scenes.draw.atoms import ALIGN, Atom, Block, Cells, Grid, Line, Text
from scenes.draw.cells import CellField, coverage, image_of, paint
from scenes.draw.layout import UNIT, Box, Frame
from scenes.draw.shape import DrawnShape
from scenes.measures import Said

ROUND = 0.5522847498
"""Length of the handles of a cubic curve that is a quarter of a circle of radius 1."""
DASH = 9.0
CORNER = 36.0
"""Radius, in pixels, at which a curved line takes its corners."""
SIDES = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], dtype=float)


class DrawnText(DrawnShape):
    """A `Text` that can be moved, recoloured and told to say something else.

    `said` is the text with its measures, by which others can vouch for what is drawn; None where it was given as a
    plain string. The first four points are the anchor itself (a curve of no length), which moves with the text.
    """

    def __init__(self, atom: Text, frame: Frame) -> None:
        super().__init__(stroke_width=0, fill_opacity=1)
        self.frame = frame
        self.points = np.repeat(frame.point(*atom.at)[None, :], 4, axis=0)
        self.align, self.px, self.face, self.text = atom.align, atom.px, atom.face, ""
        self.set_text(atom.text)
        self.say(atom)
        self.put(atom.vector())

    def say(self, atom: Text) -> None:
        """Take over everything of `atom` that cannot be blended."""
        self.align = atom.align
        if (atom.text, atom.px, atom.face) != (self.text, self.px, self.face):
            self.px, self.face = atom.px, atom.face
            self.set_text(atom.text)
        self.said = atom.text if isinstance(atom.text, Said) else None

    def put(self, v: np.ndarray, fade: float = 1.0) -> None:
        """Stand where the vector says, in its colour and size."""
        anchor = self.frame.point(v[0], v[1])
        if abs(v[2] - self.px) > 1e-6:
            self.px = float(v[2])
            self.points[:4] = anchor
            self.set_text(self.text if self.said is None else self.said)
        elif np.any(np.abs(anchor - self.points[0]) > 1e-9):
            self.points = self.points + (anchor - self.points[0])
        self.fill_rgbas = np.array([[*v[3:6], v[6] * fade]])

    def outline(self, text: str) -> np.ndarray:
        """Points, shape [n, 3], that `text` would have in this one's place."""
        anchor, shaped = self.points[0], fonts.shape(text, self.face)
        origin = -ALIGN[self.align] * shaped.advance, -fonts.metrics(self.face).cap_height / 2
        glyphs = np.zeros((len(shaped.points), 3))
        glyphs[:, :2] = (shaped.points + origin) * (self.px / UNIT)
        return np.concatenate([np.repeat(anchor[None, :], 4, axis=0), glyphs + anchor])

    def set_text(self, text: str) -> None:
        """Show `text` instead, at the same anchor."""
        self.points = self.outline(text)
        self.reshaped()
        self.text, self.said = text, text if isinstance(text, Said) else None

    def ink(self) -> tuple[float, float, float, float] | None:
        """Bounds of the glyphs in design pixels (left, top, right, bottom); None if blank."""
        glyphs = self.points[4:]
        if not len(glyphs):
            return None
        (left, bottom), (right, top) = self.frame.pixels(np.array([glyphs.min(axis=0), glyphs.max(axis=0)]))
        return left, top, right, bottom


class DrawnBlock(DrawnShape):
    """A `Block`."""

    _outline: np.ndarray | None = None

    def __init__(self, atom: Block, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.say(atom)
        self.put(atom.vector())

    def say(self, atom: Block) -> None:
        """Take over everything of `atom` that cannot be blended."""
        self.dashed = atom.dashed
        self.reshaped()

    def put(self, v: np.ndarray, fade: float = 1.0) -> None:
        """Be the box of the vector, in its colours."""
        x, y, w, h = v[:4]
        self.box = Box(x, y, w, h)
        outline = _dashes(self.box) if self.dashed else _rounded(self.box, min(v[13], w / 2, h / 2))
        if outline is not self._outline:
            self._outline, self.points = outline, self.frame.points(outline)
            if self.dashed:
                self.reshaped()
        self.fill_rgbas = np.array([[*v[4:7], 0.0 if self.dashed else v[7] * fade]])
        self.stroke_rgbas = np.array([[*v[8:11], v[11] * fade]])
        self.stroke_width = v[12] * 100 / UNIT


class DrawnLine(DrawnShape):
    """A `Line`, with a chevron at its end where that has a `head`."""

    def __init__(self, atom: Line, frame: Frame) -> None:
        super().__init__(fill_opacity=0)
        self.frame = frame
        self.say(atom)
        self.put(atom.vector())

    def say(self, atom: Line) -> None:
        """Take over everything of `atom` that cannot be blended."""
        self.curved, self.head, self.dashed = atom.curved, atom.head, atom.dashed

    def put(self, v: np.ndarray, fade: float = 1.0) -> None:
        """Run through the points of the vector, in its colour."""
        xy = v[:-5].reshape(-1, 2)
        pieces = [_curved(xy) if self.curved else _straight(xy)]
        if self.dashed:
            pieces = [_dashed_line(xy)]
        if self.head and len(xy) > 1:
            pieces.append(_chevron(xy[-2], xy[-1], 10 + 1.5 * v[-1]))
        self.points = self.frame.points(np.concatenate(pieces))
        self.reshaped()
        self.stroke_rgbas = np.array([[*v[-5:-2], v[-2] * fade]])
        self.stroke_width = v[-1] * 100 / UNIT


class DrawnCells(CellField):
    """`Cells`, drawn in one pass; each has its place in `edges` [n, 4]. What they are drawn with on a canvas is kept
    until they change: for each run of one colour a path, the colour, and whether it is a line."""

    _runs: tuple[cairo.Matrix, list[tuple[cairo.Path, tuple[float, ...], bool]]] | None = None

    def __init__(self, atom: Cells, frame: Frame) -> None:
        super().__init__(len(atom.edges), frame)
        self.put(atom.vector())

    def say(self, atom: Cells) -> None:
        """Nothing of it cannot be blended."""

    @property
    def look(self) -> tuple[Any, ...]:
        return self.edges, self.rgba, self.lines, self.radius, self.opacity

    def put(self, v: np.ndarray, fade: float = 1.0) -> None:
        """Take places, fills and outlines from the vector."""
        n = self.n
        self.edges, self.rgba, self.lines = (part.reshape(n, 4) for part in np.split(v[:-1], 3))
        self.radius, self.opacity, self._runs = float(v[-1]), fade, None
        if n:
            self.points = self.frame.points(self.box.corners)

    @property
    def box(self) -> Box:
        low, high = self.edges[:, :2].min(axis=0), self.edges[:, 2:].max(axis=0)
        return Box(*low, *(high - low))

    def cells_at(self, at: np.ndarray) -> np.ndarray:
        e = self.edges
        hits = np.all((at[:, None] >= e[:, :2]) & (at[:, None] < e[:, 2:]), axis=2)
        return np.where(hits.any(axis=1), hits.argmax(axis=1), -1) if self.n else np.full(len(at), -1)

    def draw(self, ctx: cairo.Context) -> None:
        matrix = ctx.get_matrix()
        if self._runs is None or self._runs[0] != matrix:
            self._runs = matrix, list(self._traced(ctx))
        for path, (r, g, b, a), line in self._runs[1]:
            ctx.new_path()
            ctx.append_path(path)
            ctx.set_source_rgba(b, g, r, a)
            if line:
                ctx.set_line_width(2.0 / UNIT)
                ctx.stroke()
            else:
                ctx.fill()

    def _traced(self, ctx: cairo.Context) -> Iterator[tuple[cairo.Path, tuple[float, ...], bool]]:
        for colors, line in ((self.rgba, False), (self.lines, True)):
            shown = np.flatnonzero(colors[:, 3] * self.opacity > 1e-3)
            if not len(shown):
                continue
            turns = np.flatnonzero(np.any(colors[shown[1:]] != colors[shown[:-1]], axis=1)) + 1
            starts = [0, *turns.tolist(), len(shown)]
            for first, end in pairwise(starts):
                run = shown[first:end]
                ctx.new_path()
                self._path(ctx, self.edges[run], 1.5 if line else 0.0)
                r, g, b, a = colors[run[0]].tolist()
                yield ctx.copy_path(), (r, g, b, a * self.opacity), line

    def _path(self, ctx: cairo.Context, edges: np.ndarray, inset: float) -> None:
        left = (edges[:, 0] + inset - self.frame.width / 2) / UNIT
        low = (self.frame.height / 2 - edges[:, 3] + inset) / UNIT
        w = (edges[:, 2] - edges[:, 0] - 2 * inset) / UNIT
        h = (edges[:, 3] - edges[:, 1] - 2 * inset) / UNIT
        radius = self.radius / UNIT
        for x, y, a, b in zip(left.tolist(), low.tolist(), w.tolist(), h.tolist(), strict=True):
            if radius:
                rounded(ctx, x, y, a, b, radius)
            else:
                ctx.rectangle(x, y, a, b)


class DrawnGrid(CellField):
    """A `Grid`, drawn as one image, as far as its window and the frame show it; `image` is kept until it changes."""

    def __init__(self, atom: Grid, frame: Frame) -> None:
        super().__init__(len(atom.fills), frame)
        self.say(atom)
        self.put(atom.vector())

    def say(self, atom: Grid) -> None:
        """Take over the number of columns."""
        self.columns = atom.columns
        self.rows = -(-self.n // self.columns)

    def put(self, v: np.ndarray, fade: float = 1.0) -> None:
        """Take place and colours from the vector."""
        self.gap = float(v[4])
        self.box, self.window = Box(*v[:4]), Box(*v[5:9])
        self.points = self.frame.points(self.seen.corners)
        self.rgba = v[9 : 9 + 4 * self.n].reshape(self.n, 4)
        self.seams = v[9 + 4 * self.n :]
        self.opacity = fade
        self.image: tuple[tuple[float, ...], np.ndarray] | None = None

    @property
    def look(self) -> tuple[Any, ...]:
        return self.box, self.window, self.gap, self.columns, self.rgba, self.seams, self.opacity

    @property
    def seen(self) -> Box:
        """The part of the grid that is drawn."""
        return self.box.within(self.window).within(Box(0, 0, self.frame.width, self.frame.height))

    def cells_at(self, at: np.ndarray) -> np.ndarray:
        box, seen = self.box, self.seen
        inside = (at >= (seen.x, seen.y)).all(axis=1) & (at <= (seen.right, seen.bottom)).all(axis=1)
        pitch = np.array([(box.w + self.gap) / self.columns, (box.h + self.gap) / self.rows])
        place = (at - (box.x, box.y)) / pitch
        whole = np.floor(place).astype(int)
        inside &= np.all((place >= 0) & ((place - whole) * pitch <= pitch - self.gap), axis=1)
        inside &= (whole[:, 0] < self.columns) & (whole[:, 1] < self.rows)
        index = whole[:, 1] * self.columns + whole[:, 0]
        return np.where(inside & (index < self.n), index, -1)

    def draw(self, ctx: cairo.Context) -> None:
        seen, box, frame = self.seen, self.box, self.frame
        if not seen.w or not seen.h:
            return
        (left, top, *_), (right, bottom, *_) = frame.point(box.x, box.y), frame.point(box.right, box.bottom)
        edges = (*ctx.user_to_device(left, top), *ctx.user_to_device(right, bottom))
        low = ctx.user_to_device(*frame.point(seen.x, seen.y)[:2])
        if self.image is None or self.image[0] != edges:
            high = ctx.user_to_device(*frame.point(seen.right, seen.bottom)[:2])
            self.image = edges, self._pixels(edges, low, high)
        if self.image[1].size:
            paint(ctx, self.image[1], *low)

    def _pixels(self, edges: tuple[float, ...], low: tuple[float, float], high: tuple[float, float]) -> np.ndarray:
        """What is seen of the grid between `edges` (left, top, right, bottom), all in output pixels."""
        left, top, right, bottom = edges
        gap = self.gap * (right - left) / max(self.box.w, 1e-9)
        column, open_ = coverage(left, right + gap, self.columns, 0.0, low[0], high[0])
        _, across = coverage(left, right, self.columns, gap, low[0], high[0])
        row, down = coverage(top, bottom, self.rows, gap, low[1], high[1])
        seams = np.ones(self.rows * self.columns)
        seams[: self.n] = self.seams
        if not len(row) or not len(column):
            return np.zeros((0, 0, 4), np.uint8)
        starts = np.flatnonzero(np.concatenate([[True], (np.diff(row) != 0) | (np.diff(down) != 0)]))
        alike = np.diff(np.append(starts, len(row)))
        row, down = row[starts], down[starts]
        first = row.min()
        seam = seams.reshape(self.rows, self.columns)[first : row.max() + 1]
        covered = open_ + (across - open_) * np.take(seam[row - first], column, axis=1)
        distinct = image_of(self, self.columns, row, column, down[:, None] * covered)
        return np.repeat(distinct.view(np.uint32), alike, axis=0).view(np.uint8)


DRAWN: dict[type[Atom], type[Any]] = {
    Text: DrawnText,
    Block: DrawnBlock,
    Cells: DrawnCells,
    Grid: DrawnGrid,
    Line: DrawnLine,
}


def drawn(atom: Atom, frame: Frame) -> Any:
    """The mobject that draws `atom` in `frame`."""
    mobject: Mobject = DRAWN[type(atom)](atom, frame)
    mobject.z_index = atom.z
    return mobject


def _straight(xy: np.ndarray) -> np.ndarray:
    """Cubic curves, shape [4k, 2], along straight lines through `xy`."""
    return _lines(xy[:-1], xy[1:])


def _lines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cubic curves, shape [4k, 2], along straight lines from each of `a` to each of `b`."""
    return np.stack([a, a + (b - a) / 3, a + 2 * (b - a) / 3, b], axis=1).reshape(-1, 2)


@lru_cache(4096)
def _rounded(box: Box, radius: float) -> np.ndarray:
    """The outline, not to be changed, of a box whose corners are quarter circles, clockwise from the top left."""
    corners, after = box.corners, np.roll(SIDES, -1, axis=0)
    ahead = np.roll(corners, -1, axis=0)
    start, end, turned = corners + SIDES * radius, ahead - SIDES * radius, ahead + after * radius
    curves = [end, end + SIDES * radius * ROUND, turned - after * radius * ROUND, turned]
    way = end - start
    return np.stack([start, start + way / 3, start + 2 * way / 3, end, *curves], axis=1).reshape(-1, 2)


@lru_cache(4096)
def _dashes(box: Box) -> np.ndarray:
    """The outline, not to be changed, of a box in dashes, corners left out."""
    return _dashed_line(box.corners[[0, 1, 2, 3, 0]])


def _dashed_line(xy: np.ndarray) -> np.ndarray:
    """Straight lines through `xy` in dashes."""
    out = []
    for a, b in pairwise(xy):
        length = float(np.hypot(*(b - a)))
        count = max(1, round((length - DASH) / (2 * DASH)))
        step = 1 / (count + 0.5) / 2
        ends = (np.arange(count)[:, None] * 2 + np.array([1, 2])) * step
        out.append(_lines(a + (b - a) * ends[:, :1], a + (b - a) * ends[:, 1:]))
    return np.concatenate(out)


def _curved(xy: np.ndarray) -> np.ndarray:
    """Straight lines through `xy` whose corners are taken in curves of at most `CORNER` pixels."""
    out, at = [], xy[0]
    for a, b, c in zip(xy[:-2], xy[1:-1], xy[2:], strict=True):
        first, second = float(np.hypot(*(b - a))), float(np.hypot(*(c - b)))
        r = min(CORNER, first / 2, second / 2)
        into = b - (b - a) * (r / max(first, 1e-9))
        away = b + (c - b) * (r / max(second, 1e-9))
        out += [
            _straight(np.array([at, into])),
            np.array([into, into + (b - into) * ROUND, away + (b - away) * ROUND, away]),
        ]
        at = away
    return np.concatenate([*out, _straight(np.array([at, xy[-1]]))])


def _chevron(before: np.ndarray, end: np.ndarray, size: float) -> np.ndarray:
    """The head of an arrow that runs from `before` to `end`."""
    way = (end - before) / max(float(np.hypot(*(end - before))), 1e-9)
    side = np.array([-way[1], way[0]])
    return _straight(np.array([end - (way - 0.6 * side) * size, end, end - (way + 0.6 * side) * size]))


def rounded(ctx: cairo.Context, x: float, y: float, w: float, h: float, r: float) -> None:
    """Add a rectangle with corners of radius `r` to the path."""
    r = min(r, w / 2, h / 2)
    quarter = np.pi / 2
    ctx.new_sub_path()
    ctx.arc(x + w - r, y + r, r, -quarter, 0)
    ctx.arc(x + w - r, y + h - r, r, 0, quarter)
    ctx.arc(x + r, y + h - r, r, quarter, 2 * quarter)
    ctx.arc(x + r, y + r, r, 2 * quarter, 3 * quarter)
    ctx.close_path()
