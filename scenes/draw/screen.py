"""The pixels of a film's pictures, of which only what changes is drawn again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import cairo
import numpy as np
from manim import Mobject

from scenes.draw.camera import FilmCamera
from scenes.draw.cells import CellField
from scenes.draw.shape import LINE, DrawnShape

MITER = 10
"""How many half widths a stroke may reach beyond its path: Cairo's limit for sharp corners."""
BLUR = 2
"""Pixels around a shape that its edge may touch."""
EDGE = 8
"""Rows above and below an area that are drawn with it and put back as they were."""
APART = 1.4
"""Two areas are drawn as one where that has at most so many times their pixels."""
FEW = 24
"""Areas from which on all of what changes is drawn as one."""


class Area(NamedTuple):
    """Pixels from (`left`, `top`) to before (`right`, `bottom`), all even, so that they are whole in 4:2:0."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> int:
        """How many pixels it has."""
        return max(0, self.right - self.left) * max(0, self.bottom - self.top)

    def meets(self, other: "Area") -> bool:
        """Whether both have pixels in common."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def with_(self, other: "Area") -> "Area":
        """The smallest area that holds both."""
        return Area(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )

    def grown(self, pixels: int, width: int, height: int) -> "Area":
        """So many more pixels on each side, as far as a picture of that size has them."""
        return Area(
            max(0, self.left - pixels),
            max(0, self.top - pixels),
            min(width, self.right + pixels),
            min(height, self.bottom + pixels),
        )


@dataclass
class Seen:
    """A mobject that stands on the screen: its `look` when it was drawn and the area that it covers; of a shape also
    its path, in Cairo's fixed numbers."""

    mobject: Mobject
    look: tuple[Any, ...]
    area: Area
    path: cairo.Path | None = None


class Screen:
    """What the camera's pixels show. `drawn` counts the areas that were drawn, for tests."""

    def __init__(self, camera: FilmCamera) -> None:
        self.camera = camera
        self.width, self.height = int(camera.pixel_width), int(camera.pixel_height)
        self.seen: dict[int, Seen] = {}
        self.began = False
        self.drawn = 0

    def show(self, mobjects: Iterable[Mobject]) -> list[Area]:
        """Bring the pixels to what the camera makes of `mobjects`; gives the areas, apart, in which they changed.

        Each pixel gets what it would if all were drawn anew: within an area all that meets it is drawn in the same
        order. Mobjects of Manim's own, whose changes are not known, are drawn whenever this is called.
        """
        before, self.seen, changed = self.seen, {}, []
        for mobject in self.camera.get_mobjects_to_display(mobjects):
            old = before.get(id(mobject))
            look = mobject.look if isinstance(mobject, (DrawnShape, CellField)) else None
            if old is not None and look is not None and _same(old.look, look):
                self.seen[id(mobject)] = old
                old.look = look
                continue
            stays = old is not None and isinstance(mobject, DrawnShape) and _same(old.look[:1], mobject.look[:1])
            if old is not None and look is not None and stays and look[-1] == old.look[-1]:
                new = Seen(mobject, look, old.area, old.path)
            else:
                new = self._seen(mobject, look)
                if old is not None:
                    changed.append(old.area)
                    new.path = old.path if stays else None
            changed.append(new.area)
            self.seen[id(mobject)] = new
        changed += [old.area for key, old in before.items() if key not in self.seen]
        changed += self._passed(list(before), before)
        areas = apart([area for area in changed if area.size]) if self.began else [self._all]
        self.began = True
        for area in areas:
            self._draw(area)
        self.drawn += len(areas)
        return areas

    @property
    def _all(self) -> Area:
        return Area(0, 0, self.width, self.height)

    def _passed(self, before: list[int], old: dict[int, Seen]) -> list[Area]:
        """Areas of what is drawn in another order than before."""
        stayed = [key for key in before if key in self.seen]
        now = [key for key in self.seen if key in old]
        return [self.seen[a].area for a, b in zip(now, stayed, strict=True) if a != b]

    def _seen(self, mobject: Mobject, look: tuple[Any, ...] | None) -> Seen:
        if look is None:
            return Seen(mobject, (), self._all)
        points = np.asarray(mobject.points)[:, :2]
        if not len(points):
            return Seen(mobject, look, Area(0, 0, 0, 0))
        camera, wide = self.camera, BLUR
        if isinstance(mobject, DrawnShape):
            wide += MITER / 2 * mobject.stroke_width * LINE * self.height / camera.frame_height
        across, down = self.width / camera.frame_width, self.height / camera.frame_height
        (left, low), (right, high) = points.min(axis=0), points.max(axis=0)
        x, r = self.width / 2 + left * across - wide, self.width / 2 + right * across + wide
        y, b = self.height / 2 - high * down - wide, self.height / 2 - low * down + wide
        (x, r), (y, b) = _even(x, r, self.width), _even(y, b, self.height)
        return Seen(mobject, look, Area(x, y, r, b))

    def _draw(self, area: Area) -> None:
        """Draw all that meets `area`, and put back what that changed around it.

        Nothing is cut at its sides: how Cairo takes the edges of a shape within a row of pixels depends on all of them.
        """
        camera = self.camera
        pixels: Any = camera.pixel_array
        met = [seen for seen in self.seen.values() if seen.area.meets(area)]
        high = area.grown(EDGE, self.width, self.height)
        left, right = [seen.area.left for seen in met], [seen.area.right for seen in met]
        clip = Area(min([area.left, *left]), high.top, max([area.right, *right]), high.bottom)
        around = [(part, pixels[part].copy()) for part in _ring(clip, area)]
        across, down = slice(area.left, area.right), slice(area.top, area.bottom)
        pixels[down, across] = camera.background[down, across]  # type: ignore[index]
        ctx = camera.get_cairo_context(pixels)
        ctx.save()
        matrix = ctx.get_matrix()
        ctx.identity_matrix()
        ctx.new_path()
        ctx.rectangle(clip.left, clip.top, clip.right - clip.left, clip.bottom - clip.top)
        ctx.clip()
        ctx.set_matrix(matrix)
        for seen in met:
            mobject = seen.mobject
            if isinstance(mobject, DrawnShape):
                seen.path = mobject.draw(ctx, seen.path)
            elif isinstance(mobject, CellField):
                ctx.new_path()
                mobject.draw(ctx)
            else:
                camera.capture_mobjects([mobject], include_submobjects=False)
        ctx.restore()
        for part, kept in around:
            pixels[part] = kept


def _ring(outer: Area, inner: Area) -> list[tuple[slice, slice]]:
    """The rows and columns of `outer` around `inner`."""
    across, middle = slice(outer.left, outer.right), slice(inner.top, inner.bottom)
    parts = [(slice(outer.top, inner.top), across), (slice(inner.bottom, outer.bottom), across)]
    return [*parts, (middle, slice(outer.left, inner.left)), (middle, slice(inner.right, outer.right))]


def _even(low: float, high: float, most: int) -> tuple[int, int]:
    """The even numbers around two, from 0 to `most`."""
    first, last = (int(min(max(edge, -2.0), most + 2.0)) for edge in (low, high))
    return max(0, first & ~1), min(most, (last + 2) & ~1)


def _same(a: Sequence[Any], b: Sequence[Any]) -> bool:
    for x, y in zip(a, b, strict=True):
        if x is not y and not (np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y):
            return False
    return True


def apart(areas: Sequence[Area]) -> list[Area]:
    """Areas that have no pixel in common and hold all of `areas`: those that meet or are near become one."""
    left = list(dict.fromkeys(areas))
    if len(left) > FEW:
        whole = left[0]
        for area in left[1:]:
            whole = whole.with_(area)
        return [whole]
    while True:
        for a, b in combinations(left, 2):
            both = a.with_(b)
            if a.meets(b) or both.size <= APART * (a.size + b.size):
                left = [area for area in left if area not in (a, b)] + [both]
                break
        else:
            return left
