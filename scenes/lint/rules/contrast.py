"""Text stands out from whatever is drawn behind it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from coloraide import Color
from manim import Mobject, VMobject

from scenes import theme
from scenes.draw.atoms import FLYING
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.lint.geometry import inside
from scenes.lint.moment import Problem
from scenes.lint.picture import Picture, fill_of, name
from scenes.lint.rules.base import PictureRule

LEAST = 4.5
COLUMNS, ROWS = 9, 5


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
        for label, ink in zip(picture.labels, picture.inks, strict=True):
            near = _overlapping(picture.boxes, ink)
            worst, ground = self._worst(picture, label, ink, near, order[label])
            if worst < LEAST:
                detail = f"contrast {worst:.2f}:1 against {ground}"
                yield Problem((name(label),), detail)

    def _worst(
        self, picture: Picture, label: Label, ink: np.ndarray, near: np.ndarray, place: int
    ) -> tuple[float, str]:
        at = _grid(ink)
        ground = np.tile(theme.rgb(picture.theme.ground), (len(at), 1))
        text = ground
        for index in near:
            mobject = picture.members[index]
            if mobject.z_index >= FLYING > label.z_index:
                continue
            if index == place:
                fill = fill_of(label)
                text = ground + (fill[:3] - ground) * fill[3]
            elif not isinstance(mobject, Label):
                rgba = _paint(picture, mobject, at)
                ground = ground + (rgba[:, :3] - ground) * rgba[:, 3:]
                if index > place:
                    text = text + (rgba[:, :3] - text) * rgba[:, 3:]
        both = np.rint(np.clip(np.hstack([text, ground]), 0, 1) * 255).astype(int)
        pairs = {(tuple(pair[:3]), tuple(pair[3:])) for pair in both.tolist()}
        return min((contrast(t, g), "#" + bytes(g).hex().upper()) for t, g in pairs)


def _overlapping(boxes: np.ndarray, ink: np.ndarray) -> np.ndarray:
    return np.flatnonzero(
        (boxes[:, 0] < ink[2]) & (boxes[:, 2] > ink[0]) & (boxes[:, 1] < ink[3]) & (boxes[:, 3] > ink[1])
    )


def _grid(ink: np.ndarray) -> np.ndarray:
    xs = np.linspace(ink[0] + 0.5, ink[2] - 0.5, COLUMNS)
    ys = np.linspace(ink[1] + 0.5, ink[3] - 0.5, ROWS)
    return np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2)


def _paint(picture: Picture, mobject: Mobject, at: np.ndarray) -> np.ndarray:
    """Colour and alpha that `mobject` puts on each point, shape [n, 4]."""
    rgba = np.zeros((len(at), 4))
    if isinstance(mobject, CellField):
        cells = mobject.cells_at(at)
        hit = cells >= 0
        rgba[hit] = mobject.rgba[cells[hit]]
        rgba[:, 3] *= mobject.opacity
    elif isinstance(mobject, VMobject) and mobject in picture.paths and fill_of(mobject)[3] > 0:
        rgba[inside(picture.paths[mobject], at)] = fill_of(mobject)
    return rgba
