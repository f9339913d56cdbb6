"""Rules that judge each picture on its own."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from coloraide import Color
from manim import Code, MarkupText, Mobject, Paragraph, Text, VMobject
from manim.mobject.text.tex_mobject import SingleStringMathTex

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING
from scenes.draw.cells import CellField
from scenes.draw.drawn import DrawnText
from scenes.draw.layout import UNIT
from scenes.lint.geometry import crosses, inside, segments
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.picture import Picture, fill_of, name, stroke_px

TOLERANCE = 0.5
ARROW_HEAD = 24
"""Pixels up to which an unstroked shape counts as a stroke."""
CAP_HEIGHT, X_HEIGHT = 20.0, 11.0
FOREIGN = (Text, MarkupText, Paragraph, Code, SingleStringMathTex)
LEAST_CONTRAST = 4.5
COLUMNS, ROWS = 9, 5


class PictureRule(Rule):
    """A rule without memory. A picture that stood still was judged when it came about."""

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.moved:
            yield from self.judge(moment.picture)

    def judge(self, picture: Picture) -> Iterator[Problem]:
        """Problems of `picture`."""
        raise NotImplementedError


class SafeArea(PictureRule):
    """Every visible mobject, strokes included, lies within `Frame.safe` (to half a pixel)."""

    name = "safe-area"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        safe = picture.frame.safe
        beyond = np.array([safe.x, safe.y, -safe.right, -safe.bottom]) - picture.boxes * [1, 1, -1, -1]
        for row in np.flatnonzero(np.any(beyond > TOLERANCE, axis=1)):
            side = int(np.argmax(beyond[row]))
            edge = ("left", "top", "right", "bottom")[side]
            detail = f"{beyond[row][side]:.0f} px beyond the safe area's {edge} edge"
            yield Problem((name(picture.members[row]),), detail)


class TextOverlap(PictureRule):
    """Ink boxes of different labels do not overlap by more than half a pixel, on their way either; what
    flies has a ground of its own and may cover what stands."""

    name = "text-overlap"

    def within(self, moment: Moment) -> Iterator[Problem]:
        yield from self.judge(moment.picture)

    def judge(self, picture: Picture) -> Iterator[Problem]:
        boxes = picture.inks
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        shared = (high - low).min(axis=2)
        flies = np.array([label.z_index >= FLYING for label in picture.labels])
        shared[flies[:, None] != flies[None, :]] = 0.0
        for i, j in np.argwhere(np.triu(shared > TOLERANCE, k=1)):
            labels = (name(picture.labels[i]), name(picture.labels[j]))
            w, h = high[i, j] - low[i, j]
            yield Problem(labels, f"one over the other by {w:.0f} x {h:.0f} px")


class Crossing(PictureRule):
    """No visible stroke enters the ink box of a label; nor does the head of an arrow. What flies over a
    label covers it."""

    name = "crossed-text"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        for mobject, paths in picture.paths.items():
            width = stroke_px(mobject)
            if width <= 0 and not (fill_of(mobject)[3] > 0 and _as_small_as_a_head(paths)):
                continue
            half = max(width / 2, 0.5)
            for row in np.flatnonzero(crosses(segments(paths), picture.inks + [-half, -half, half, half])):
                label = picture.labels[row]
                if (mobject.z_index >= FLYING) == (label.z_index >= FLYING):
                    yield Problem((name(mobject), name(label)), "runs through the text")


def _as_small_as_a_head(paths: Sequence[np.ndarray]) -> bool:
    return bool(paths) and np.ptp(np.concatenate(paths), axis=0).max() <= ARROW_HEAD


class GlyphSize(PictureRule):
    """Capitals are at least 20 px high and x-heights 11 px, on a screen whose short side has 1080.

    Measured from the face's metrics, the label's em size and the scale that its outline has been given since.
    Text that is not a `DrawnText` has no known face and is refused.
    """

    name = "glyph-size"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        for label in picture.labels:
            metrics = fonts.metrics(label.face)
            meant = np.ptp(fonts.shape(label.text, label.face).points[:, 1]) * label.px / UNIT
            em = label.px * picture.frame.zoom * (np.ptp(label.points[4:, 1]) / meant if meant else 1.0)
            cap, low = metrics.cap_height * em, metrics.x_height * em
            if cap < CAP_HEIGHT - 1e-3 or low < X_HEIGHT - 1e-3:
                yield Problem((name(label),), f"capitals {cap:.1f} px, x-height {low:.1f} px")
        for mobject in picture.family:
            if isinstance(mobject, FOREIGN):
                yield Problem((name(mobject),), "text that is not a Label")


@lru_cache(maxsize=65536)
def contrast(first: tuple[int, int, int], second: tuple[int, int, int]) -> float:
    """WCAG 2 contrast ratio of two sRGB colours with components in 0..255."""
    a, b = (Color("srgb", [v / 255 for v in c]) for c in (first, second))
    return a.contrast(b, method="wcag21")


class Contrast(PictureRule):
    """At least 4.5:1 everywhere on the text's ink box.

    The colours of text and ground are worked out at a grid of points: the
    film's background, then every fill and cell drawn over it in order, with its
    opacity, those above the text covering text and ground alike. What flies over it counts not.
    """

    name = "contrast"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        order = {mobject: place for place, mobject in enumerate(picture.members)}
        boxes = picture.boxes
        for label, ink in zip(picture.labels, picture.inks, strict=True):
            near = np.flatnonzero(np.all((boxes[:, :2] < ink[2:]) & (boxes[:, 2:] > ink[:2]), axis=1))
            worst, ground = self._worst(picture, label, ink, near, order[label])
            if worst < LEAST_CONTRAST:
                yield Problem((name(label),), f"contrast {worst:.2f}:1 against {ground}")

    def _worst(
        self, picture: Picture, label: DrawnText, ink: np.ndarray, near: np.ndarray, place: int
    ) -> tuple[float, str]:
        xs, ys = np.linspace(ink[0] + 0.5, ink[2] - 0.5, COLUMNS), np.linspace(ink[1] + 0.5, ink[3] - 0.5, ROWS)
        at = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        text = ground = np.tile(theme.rgb(picture.theme.ground), (len(at), 1))
        for index in near:
            mobject = picture.members[index]
            if mobject.z_index >= FLYING > label.z_index:
                continue
            if index == place:
                fill = fill_of(label)
                text = ground + (fill[:3] - ground) * fill[3]
            elif not isinstance(mobject, DrawnText):
                rgba = _paint(picture, mobject, at)
                ground = ground + (rgba[:, :3] - ground) * rgba[:, 3:]
                if index > place:
                    text = text + (rgba[:, :3] - text) * rgba[:, 3:]
        both = np.rint(np.clip(np.hstack([text, ground]), 0, 1) * 255).astype(int)
        pairs = {(tuple(pair[:3]), tuple(pair[3:])) for pair in both.tolist()}
        return min((contrast(t, g), "#" + bytes(g).hex().upper()) for t, g in pairs)


def _paint(picture: Picture, mobject: Mobject, at: np.ndarray) -> np.ndarray:
    """Colour and alpha that `mobject` puts on each point, shape [n, 4]."""
    rgba = np.zeros((len(at), 4))
    if isinstance(mobject, CellField):
        cells = mobject.cells_at(at)
        rgba[cells >= 0] = mobject.rgba[cells[cells >= 0]]
        rgba[:, 3] *= mobject.opacity
    elif isinstance(mobject, VMobject) and mobject in picture.paths and fill_of(mobject)[3] > 0:
        rgba[inside(picture.paths[mobject], at)] = fill_of(mobject)
    return rgba
