"""Time-lapses: pictures one after another, or one for every moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from manim import Scene

from scenes.draw import motion
from scenes.draw.animation import FilmAnimation
from scenes.draw.atoms import Picture, Text
from scenes.draw.canvas import Canvas


class Lapse(FilmAnimation):
    """Show pictures one after another, each as long as its share of `times`, from 0 to 1, says.

    `pictures` may be made when they are asked for: only those that are shown are. A sentence that
    is new fades in.
    """

    def __init__(self, canvas: Canvas, pictures: Sequence[Picture], seconds: float, times: Sequence[float]) -> None:
        super().__init__(canvas, seconds=seconds, rate=motion.linear, introducer=True)
        self.canvas, self.pictures, self.times = canvas, pictures, np.asarray(times)
        self.at_picture = -1
        self.whole = True
        self.before = set(canvas.atoms)

    def _setup_scene(self, scene: Scene) -> None:
        """The canvas is on the scene."""

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


class Running(FilmAnimation):
    """Show at every moment what `picture` gives for the share, from 0 to 1, of `seconds` that has passed.

    What its first picture has not fades out meanwhile, and what it has anew fades in.
    """

    def __init__(self, canvas: Canvas, picture: Callable[[float], Picture], seconds: float) -> None:
        super().__init__(canvas, seconds=seconds, rate=motion.linear, introducer=True)
        self.canvas, self.picture = canvas, picture
        self.whole = True

    def _setup_scene(self, scene: Scene) -> None:
        """The canvas is on the scene."""

    def prepare(self) -> None:
        first = self.picture(0.0)
        self.going = {key: atom for key, atom in self.canvas.atoms.items() if key not in first}
        self.fresh = [key for key in first if key not in self.canvas.atoms]

    def apply(self, progress: float) -> None:
        shown, elapsed = dict(self.picture(progress)), progress * self.seconds
        if elapsed < motion.LEAVE:
            left = 1 - elapsed / motion.LEAVE
            shown |= {key: replace(atom, alpha=atom.alpha * left) for key, atom in self.going.items()}
        there = (elapsed - motion.LEAVE) / motion.APPEAR
        if there < 1:
            for key in self.fresh:
                shown[key] = replace(shown[key], alpha=shown[key].alpha * max(0.0, there))
        self.canvas.show(shown)
