"""Time-lapses: pictures one after another."""

from collections.abc import Sequence

import numpy as np
from manim import Scene

from scenes.draw import motion
from scenes.draw.animation import FilmAnimation
from scenes.draw.atoms import Picture, Text
from scenes.draw.canvas import Canvas


class Lapse(FilmAnimation):
    """Show pictures one after another, each as long as its share of `times`, from 0 to 1, says.

    `pictures` may be made when they are asked for: only those that are shown are. A sentence that is new fades in, one
    that is not in the picture `before`.
    """

    def __init__(self, canvas: Canvas, pictures: Sequence[Picture], seconds: float, times: Sequence[float]) -> None:
        super().__init__(canvas, seconds)
        self.canvas, self.pictures, self.times = canvas, pictures, np.asarray(times)
        self.at_picture = -1
        self.before = dict(canvas.atoms)

    def apply(self, progress: float) -> None:
        at = int(np.clip(np.searchsorted(self.times, progress, side="right"), 0, len(self.pictures) - 1))
        if at != self.at_picture:
            self.canvas.show(self.pictures[at])
            self.at_picture = at
        there = min(1.0, progress * self.seconds / motion.APPEAR)
        for key, atom in self.canvas.atoms.items():
            if isinstance(atom, Text) and atom.early and key not in self.before:
                self.canvas.shown[key].put(atom.vector(), there)

    def clean_up_from_scene(self, scene: Scene) -> None:
        self.canvas.show(self.pictures[-1])

    def skip(self) -> None:
        self.canvas.show(self.pictures[-1])
