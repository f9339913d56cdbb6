"""Time that runs: a picture for every moment of a recorded stretch of it."""

from collections.abc import Callable
from dataclasses import replace

from scenes.draw import motion
from scenes.draw.animation import FilmAnimation
from scenes.draw.atoms import Picture
from scenes.draw.canvas import Canvas


class Running(FilmAnimation):
    """Show at every moment what `picture` gives for the share, from 0 to 1, of `seconds` that has passed.

    What its first picture has not fades out meanwhile, and what it has anew fades in.
    """

    def __init__(self, canvas: Canvas, picture: Callable[[float], Picture], seconds: float) -> None:
        super().__init__(canvas, seconds)
        self.canvas, self.picture = canvas, picture

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
