"""Rules that judge each picture on its own."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from coloraide import Color
from manim import Code, MarkupText, Mobject, Paragraph, Text
from manim.mobject.text.tex_mobject import SingleStringMathTex

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING
from scenes.draw.cells import CellField
from scenes.draw.drawn import DrawnText
from scenes.lint.facts import Facts
from scenes.lint.geometry import crosses, inside
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.picture import Picture, name
from scenes.stage.shot import Section

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
        labels = picture.labels
        flies = np.array([label.z_index >= FLYING for label in labels])
        shared[flies[:, None] != flies[None, :]] = 0.0
        for i, j in np.argwhere(np.triu(shared > TOLERANCE, k=1)):
            both = (name(labels[i]), name(labels[j]))
            w, h = high[i, j] - low[i, j]
            yield Problem(both, f"one over the other by {w:.0f} x {h:.0f} px")


class Crossing(PictureRule):
    """No visible stroke enters the ink box of a label; nor does the head of an arrow. What flies over a
    label covers it."""

    name = "crossed-text"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        labels = picture.labels
        for facts in picture.outlined:
            if facts.stroke <= 0 and not (facts.fill[3] > 0 and facts.size <= ARROW_HEAD):
                continue
            half, box = max(facts.stroke / 2, 0.5), facts.box
            inks = picture.inks + [-half, -half, half, half]
            near = np.flatnonzero(np.all((inks[:, :2] < box[2:]) & (inks[:, 2:] > box[:2]), axis=1))
            for row in near[crosses(facts.pieces, inks[near])].tolist():
                label = labels[row]
                if (facts.mobject.z_index >= FLYING) == (label.z_index >= FLYING):
                    yield Problem((name(facts.mobject), name(label)), "runs through the text")


class GlyphSize(PictureRule):
    """Capitals are at least 20 px high and x-heights 11 px, on a screen whose short side has 1080.

    Measured from the face's metrics, the label's em size and the scale that its outline has been given since.
    Text that is not a `DrawnText` has no known face and is refused.
    """

    name = "glyph-size"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        for label, facts in picture.texts.items():
            metrics = fonts.metrics(label.face)
            _, low, _, high = fonts.ink(label.text, label.face)
            meant, (_, top, _, bottom) = (high - low) * label.px, facts.box
            em = label.px * picture.frame.zoom * ((bottom - top) / meant if meant else 1.0)
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

    def __init__(self) -> None:
        self._known: dict[Mobject, tuple[list[tuple[Facts, bool]], tuple[float, str]]] = {}

    def section_began(self, moment: Moment, section: Section) -> None:
        self._known = {}

    def judge(self, picture: Picture) -> Iterator[Problem]:
        boxes, members = picture.boxes, [*picture.facts.values()]
        for (label, facts), ink in zip(picture.texts.items(), picture.inks, strict=True):
            near = np.flatnonzero(np.all((boxes[:, :2] < ink[2:]) & (boxes[:, 2:] > ink[:2]), axis=1))
            there = [members[index] for index in near.tolist()]
            seen = [(one, one.mobject.z_index >= FLYING) for one in there]
            before, found = self._known.get(label, (None, None))
            if found is None or before != seen:
                found = self._worst(picture, facts, there)
                self._known[label] = seen, found
            if found[0] < LEAST_CONTRAST:
                yield Problem((name(label),), f"contrast {found[0]:.2f}:1 against {found[1]}")

    def _worst(self, picture: Picture, label: Facts, there: Sequence[Facts]) -> tuple[float, str]:
        """The least contrast of a text with what is `there`, in drawing order, and the colour that it has it to."""
        left, top, right, bottom = label.box
        xs, ys = np.linspace(left + 0.5, right - 0.5, COLUMNS), np.linspace(top + 0.5, bottom - 0.5, ROWS)
        at = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)
        text = ground = np.tile(theme.rgb(picture.theme.ground), (len(at), 1))
        above = False
        for one in there:
            if one.mobject.z_index >= FLYING > label.mobject.z_index:
                continue
            if one is label:
                text, above = ground + (one.fill[:3] - ground) * one.fill[3], True
            elif not isinstance(one.mobject, DrawnText):
                rgba = _paint(one, at)
                ground = ground + (rgba[:, :3] - ground) * rgba[:, 3:]
                if above:
                    text = text + (rgba[:, :3] - text) * rgba[:, 3:]
        both = np.rint(np.clip(np.hstack([text, ground]), 0, 1) * 255).astype(int)
        pairs = {(tuple(pair[:3]), tuple(pair[3:])) for pair in both.tolist()}
        return min((contrast(t, g), "#" + bytes(g).hex().upper()) for t, g in pairs)


def _paint(facts: Facts, at: np.ndarray) -> np.ndarray:
    """Colour and alpha that a mobject puts on each point, shape [n, 4]."""
    rgba, mobject = np.zeros((len(at), 4)), facts.mobject
    if isinstance(mobject, CellField):
        cells = mobject.cells_at(at)
        rgba[cells >= 0] = mobject.rgba[cells[cells >= 0]]
        rgba[:, 3] *= mobject.opacity
    elif facts.paths and facts.fill[3] > 0:
        rgba[inside(facts.paths, at)] = facts.fill
    return rgba
