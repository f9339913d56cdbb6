"""One still of every part of the stage, where the films show most of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from scenes.draw.camera import FilmCamera
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.old.parts import PARTS
from scenes.old.parts.part import Part
from scenes.story.beats import Beat, Section

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


def gallery(films: Iterable[type[FilmScene]]) -> list[PartStill]:
    """For each part that `films`, told from their own traces, bring on stage: its fullest picture.

    They are those of the ends of beats, in the order of `PARTS`.
    """
    best: dict[str, PartStill] = {}
    for film in films:
        rehearse(film, observers=(_Collector(best),), quality=GLANCE)
    return [best[name] for name in PARTS if name in best]


class _Collector(Observer):
    def __init__(self, best: dict[str, PartStill]) -> None:
        self.best = best

    def beat_ended(self, scene: FilmScene, section: Section, beat: Beat) -> None:
        """Draw each part that can be seen, and keep it where there is more of it than before."""
        for part in scene.stage.playing():
            pixels, ground = _drawn(scene.renderer.camera, part)
            ink = int(np.abs(pixels - ground).sum())
            if ink > (self.best[part.name].ink if part.name in self.best else 0):
                large = FilmCamera(pixel_width=FINAL.width, pixel_height=FINAL.height, frame_rate=FINAL.fps)
                pixels, ground = _drawn(large, part)
                inked = (pixels != ground).any(axis=2)
                rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
                top, left = max(0, rows[0] - MARGIN), max(0, columns[0] - MARGIN)
                image = Image.fromarray(
                    pixels[top : rows[-1] + MARGIN + 1, left : columns[-1] + MARGIN + 1].astype(np.uint8)
                )
                self.best[part.name] = PartStill(part.name, type(scene).__name__, scene.clock, ink, image)


def _drawn(camera: FilmCamera, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The picture of `part` alone, 0 to 255, shape [height, width, 4], and the colour of the ground, shape [4]."""
    camera.reset()
    ground = camera.pixel_array[0, 0].astype(int)
    camera.capture_mobjects(part.mobjects())
    return camera.pixel_array.astype(int), ground
