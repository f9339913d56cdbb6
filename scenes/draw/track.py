"""One mobject on its way while one picture becomes the next."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.draw import motion
from scenes.draw.atoms import Text


@dataclass
class Track:
    """One mobject on its way: `start` and `end` are vectors, times in seconds.

    `fade` is (from, to) of its opacity; `late` [len(start)], 0 to 1, holds back single numbers, so that a front passes
    over cells; `arc` [2] is how far the middle of the way swings out; with `knots` [n, len(start)] it comes to each of
    these at its share of the way, in `shares` [n]. With a `scale` beyond `FAR` it is part of a
    camera move: sizes change by the same factor in equal times. One that is `hidden` goes out where it stands and comes
    in where it belongs. What flew is gone soon after `leaves`.
    """

    mobject: Any
    start: np.ndarray
    end: np.ndarray
    begins: float
    seconds: float
    ease: motion.Easing
    fade: tuple[float, float] = (1.0, 1.0)
    late: np.ndarray | None = None
    arc: np.ndarray | None = None
    knots: np.ndarray | None = None
    shares: np.ndarray | None = None
    says: Text | None = None
    glow: bool = False
    hidden: bool = False
    accent: Any = None
    scale: float = 1.0
    leaves: float = math.inf
    stood: tuple[float, ...] | None = None

    def at(self, elapsed: float, flip: float, seen: float = 1.0) -> None:
        """Put the mobject where it is after `elapsed` seconds, if it is not there, `seen` by that share; texts swap
        at `flip`."""
        t = (elapsed - self.begins) / self.seconds if self.seconds else float(elapsed >= self.begins)
        t = 1.0 if t > 1 - 1e-9 else max(0.0, t)
        glowed = min(1.0, (elapsed - flip) / motion.GLOW) if self.glow and elapsed >= flip else -1.0
        stays = min(1.0, max(0.0, 1 - (elapsed - self.leaves) / motion.DIM))
        stands = t, glowed, stays * seen, float(self.says is not None and elapsed >= flip)
        if stands == self.stood:
            return
        self.stood = stands
        w: Any = motion.zoomed(self.ease(t), self.scale)
        if self.late is not None and t < 1:
            w = np.clip((t * 1.15 - self.late) / 0.15, 0.0, 1.0)
        v = self.start * (1 - w) + self.end * w
        if self.knots is not None and self.shares is not None:
            v = np.array([np.interp(float(w), self.shares, column) for column in self.knots.T])
        if self.arc is not None:
            v[:2] += self.arc * math.sin(math.pi * float(w))
        if self.says is not None and elapsed >= flip:
            self.mobject.say(self.says)
            self.says = None
        if glowed >= 0:
            v[3:6] += (self.accent - v[3:6]) * (1 - glowed)
        fade = self.fade[0] + (self.fade[1] - self.fade[0]) * (t if self.late is not None else float(w))
        self.mobject.put(v, fade * stays * seen)
