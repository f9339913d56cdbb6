"""Atoms: the few kinds of things that pictures are made of, as plain values.

A picture is a dict of atoms by key. An atom says how something looks, in design pixels and hex
colours; `vector` gives all of that as numbers, so that two atoms of one kind and shape can be
blended. What is drawn of an atom is a mobject of `scenes.draw.drawn`.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import Box

Key = tuple[Any, ...]
Bounds = tuple[float, float, float, float]
ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0}
NOTHING = np.zeros(4)
PICTURE, FLYING = 0, 20
"""Heights at which atoms are drawn: the higher, the later."""


def rgba(color: str | None, alpha: float = 1.0) -> np.ndarray:
    """A hex colour as four floats in 0..1; None is nothing."""
    return NOTHING if color is None else np.array([*theme.rgb(color), alpha])


@dataclass(frozen=True, eq=False, kw_only=True)
class Atom:
    """Common to all: `z`, the height at which it is drawn, and `alpha`, its opacity.

    With `acting` it is what the caption speaks of; one that `keeps` looks the same where its part
    has stepped back. A `steady` one changes at one speed: what it shows is time. A `late` one is an amount or the
    number beside it: where the moment changes it moves only just before that number is another.
    """

    z: int = PICTURE
    alpha: float = 1.0
    acting: bool = False
    keeps: bool = False
    steady: bool = False
    late: bool = False

    def vector(self) -> np.ndarray:
        """Everything that can be blended, as one array of floats."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return False
        theirs = vars(other)
        for name, value in vars(self).items():
            if value is not theirs[name] and not _same(value, theirs[name]):
                return False
        return True

    __hash__ = None  # type: ignore[assignment]


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return a == b and getattr(a, "parts", None) == getattr(b, "parts", None)


@dataclass(frozen=True, eq=False)
class Text(Atom):
    """One line of type at the pixel `at`: x of the `align` edge, y of the middle of the capitals.

    `ground` is the colour behind it where that is not the film's. An `early` one comes and goes
    when a movement begins, one with an `order` when a front over cells reaches that, others when
    all numbers swap. One that goes `falls` so many pixels.
    """

    text: str
    at: tuple[float, float]
    _: KW_ONLY
    px: float = theme.LABEL
    face: str = "sans"
    color: str
    align: str = "left"
    ground: str | None = None
    early: bool = False
    order: float | None = None
    falls: float = 0.0
    z: int = 1

    @property
    def width(self) -> float:
        """Advance width in pixels."""
        return fonts.width(self.text, self.face, self.px)

    @property
    def ink(self) -> Bounds:
        """Left, top, right, bottom of its glyphs in design pixels."""
        left, low, right, high = fonts.ink(self.text, self.face)
        x, y = (
            self.at[0] - ALIGN[self.align] * self.width,
            self.at[1] + fonts.metrics(self.face).cap_height / 2 * self.px,
        )
        return x + left * self.px, y - high * self.px, x + right * self.px, y - low * self.px

    def vector(self) -> np.ndarray:
        return np.array([*self.at, self.px, *rgba(self.color, self.alpha)])


@dataclass(frozen=True, eq=False)
class Block(Atom):
    """A rounded box with a fill and a stroke, either None for none."""

    box: Box
    _: KW_ONLY
    fill: str | None = None
    stroke: str | None = None
    width: float = 2.0
    radius: float = 8.0
    fill_alpha: float = 1.0
    dashed: bool = False

    def vector(self) -> np.ndarray:
        b = self.box
        fill = rgba(self.fill or self.stroke, self.alpha * self.fill_alpha if self.fill else 0.0)
        stroke = rgba(self.stroke or self.fill, self.alpha if self.stroke else 0.0)
        return np.array([b.x, b.y, b.w, b.h, *fill, *stroke, self.width, self.radius])


@dataclass(frozen=True, eq=False)
class Cells(Atom):
    """Rectangles `edges` [n, 4] (left, top, right, bottom) with fills and outlines [n, 4] as rgba.

    `order` [n] says in which order they take new colours when a front passes over all that do.
    """

    edges: np.ndarray
    fills: np.ndarray
    _: KW_ONLY
    lines: np.ndarray | None = None
    radius: float = 0.0
    order: np.ndarray | None = None

    def vector(self) -> np.ndarray:
        lines = np.zeros_like(self.fills) if self.lines is None else self.lines
        fills, lines = self.fills.copy(), lines.copy()
        fills[:, 3] *= self.alpha
        lines[:, 3] *= self.alpha
        return np.concatenate([self.edges.ravel(), fills.ravel(), lines.ravel(), [self.radius]])


@dataclass(frozen=True, eq=False)
class Grid(Atom):
    """`n` cells in rows of `columns` filling `box`, with colours `fills` [n, 4]; drawn as one image.

    `seams` [n], from 0 to 1, say how much of the gap there is at the right of each cell (None: all
    of it). Only what lies in `window` is drawn, where that is given: `box` may be far larger.
    """

    box: Box
    columns: int
    fills: np.ndarray
    _: KW_ONLY
    gap: float = 1.0
    seams: np.ndarray | None = None
    window: Box | None = None

    def vector(self) -> np.ndarray:
        fills = self.fills.copy()
        fills[:, 3] *= self.alpha
        seams = np.ones(len(fills)) if self.seams is None else self.seams
        b, w = self.box, self.window or self.box
        return np.concatenate([[b.x, b.y, b.w, b.h, self.gap, w.x, w.y, w.w, w.h], fills.ravel(), seams])

    @property
    def seen(self) -> Box:
        """The part of `box` that is drawn."""
        return self.box if self.window is None else self.box.within(self.window)


@dataclass(frozen=True, eq=False)
class Line(Atom):
    """A line through `points` [n, 2]; `curved` makes the corners round, `head` gives it an arrow's."""

    points: np.ndarray
    color: str
    _: KW_ONLY
    width: float = 3.0
    curved: bool = False
    head: bool = False
    dashed: bool = False

    def vector(self) -> np.ndarray:
        return np.concatenate([self.points.ravel(), rgba(self.color, self.alpha), [self.width]])


ALIKE: dict[type[Atom], Callable[[Any], Any]] = {
    Text: lambda text: text.align,
    Block: lambda block: block.dashed,
    Cells: lambda cells: cells.edges.shape,
    Grid: lambda grid: (grid.fills.shape, grid.columns),
    Line: lambda line: line.points.shape,
}
"""What two atoms of a kind have in common that can be blended."""


def fits(before: Atom, after: Atom) -> bool:
    """Whether one can become the other by blending numbers."""
    return type(before) is type(after) and ALIKE[type(before)](before) == ALIKE[type(after)](after)


Picture = Mapping[Key, Atom]
"""Atoms by key: what a film shows at one moment."""


@dataclass(frozen=True)
class Move:
    """What flies while one picture becomes the next, and is in neither: from `start` to `end`, in an arc, or through
    each of `via`, straight on.

    It leaves `delay` seconds after the movement has begun; one that comes `back` recoils at `end`.
    """

    start: Atom
    end: Atom
    delay: float = 0.0
    seconds: float | None = None
    back: bool = False
    via: tuple[Atom, ...] = ()


def grid_edges(box: Box, n: int, columns: int, gap: float) -> np.ndarray:
    """Edges [n, 4] of `n` cells in rows of `columns`, filling `box` with `gap` pixels between."""
    rows = -(-n // columns)
    w, h = (box.w + gap) / columns, (box.h + gap) / rows
    row, column = np.divmod(np.arange(n), columns)
    left, top = box.x + column * w, box.y + row * h
    return np.stack([left, top, left + w - gap, top + h - gap], axis=1)


def bounds(atom: Atom) -> Bounds:
    """Left, top, right, bottom of an atom in design pixels, strokes included."""
    if isinstance(atom, Text):
        shift = ALIGN[atom.align] * atom.width
        x, y = atom.at
        return x - shift, y - 0.75 * atom.px, x - shift + atom.width, y + 0.75 * atom.px
    if isinstance(atom, (Block, Grid)):
        b = atom.seen if isinstance(atom, Grid) else atom.box
        half = atom.width / 2 if isinstance(atom, Block) and atom.stroke else 0.0
        return b.x - half, b.y - half, b.right + half, b.bottom + half
    xy = atom.edges.reshape(-1, 2) if isinstance(atom, Cells) else atom.points  # type: ignore[attr-defined]
    if not len(xy):
        return 0.0, 0.0, 0.0, 0.0
    low, high = xy.min(axis=0), xy.max(axis=0)
    margin = atom.width * 3 if isinstance(atom, Line) else 1.0
    return low[0] - margin, low[1] - margin, high[0] + margin, high[1] + margin
