"""One still of every part of the picture, where the films show most of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim import Mobject
from PIL import Image

import scenes.parts
from scenes.draw.camera import FilmCamera
from scenes.film.catalog import subclasses
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.parts.header import Badge, Header
from scenes.parts.part import Part
from scenes.parts.question import Caption
from scenes.stage.stage import Stage

MARGIN = 24
"""Pixels left around a part."""
GLANCE = Quality("glance", 320, 180, 15)
"""The size at which it is found out how much of a part there is."""


@dataclass(frozen=True)
class PartStill:
    """A part, drawn alone, as `film` shows it at `time` seconds; `ink` is how far it is from the ground."""

    part: str
    film: str
    time: float
    ink: int
    image: Image.Image


def parts() -> list[str]:
    """The names of all parts that there are: subclasses of `Part` in the modules of `scenes.parts`."""
    return [name for name, part in subclasses(Part, scenes.parts).items() if part is not Part]


def gallery(films: Iterable[type[FilmScene]]) -> list[PartStill]:
    """For each part that `films`, told from their own traces, show at the end of a shot: its fullest picture."""
    best: dict[str, PartStill] = {}
    for film in films:
        rehearse(film, observers=(_Collector(best),), quality=GLANCE)
    return [best[name] for name in sorted(best)]


class _Collector(Observer):
    def __init__(self, best: dict[str, PartStill]) -> None:
        self.best = best

    def beat_ended(self, scene: FilmScene, section: Any, beat: Any) -> None:
        """Draw each part that can be seen, and keep it where there is more of it than before."""
        for name, drawn in _parts_of(scene.stage):
            pixels, ground = _drawn(scene.renderer.camera, drawn)
            ink = int(np.abs(pixels - ground).sum())
            if ink > (self.best[name].ink if name in self.best else 0):
                large = FilmCamera(pixel_width=FINAL.width, pixel_height=FINAL.height, frame_rate=FINAL.fps)
                pixels, ground = _drawn(large, drawn)
                rows, columns = np.nonzero((pixels != ground).any(axis=2))
                top, left = max(0, rows.min() - MARGIN), max(0, columns.min() - MARGIN)
                around = pixels[top : rows.max() + MARGIN + 1, left : columns.max() + MARGIN + 1]
                image = Image.fromarray(around.astype(np.uint8))
                self.best[name] = PartStill(name, type(scene).__name__, scene.clock, ink, image)


def _parts_of(stage: Stage) -> Iterator[tuple[str, list[Mobject]]]:
    """The name of each part on stage, with what is drawn of it."""
    for part in (*stage.parts, Header(), Caption(), Badge()):
        drawn = [mobject for key, mobject in stage.canvas.shown.items() if key[0] == part.key]
        if drawn:
            yield type(part).__name__, drawn


def _drawn(camera: FilmCamera, mobjects: list[Mobject]) -> tuple[np.ndarray, np.ndarray]:
    """The picture of `mobjects` alone, 0 to 255, shape [height, width, 4], and the colour of the ground, shape [4]."""
    camera.reset()
    ground = camera.pixel_array[0, 0].astype(int)
    camera.capture_mobjects(mobjects)
    return camera.pixel_array.astype(int), ground
