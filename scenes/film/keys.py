"""When a picture is worth a key frame, which is encoded anew and more finely than what moves."""

from fractions import Fraction

import numpy as np

from scenes.draw.screen import Area

BLOCK = 16
"""Pixels of a side of what is watched for changes: a macroblock."""
LONGEST_S = 5
"""Seconds after which the next picture that changes is a key frame, so that players need not begin far before."""
SHORTEST_S = Fraction(3, 4)
"""Seconds for which no key frame follows another."""
REST_S = Fraction(2, 15)
"""Seconds after which a part of the picture that has not changed is taken to be at rest."""
SHARE = 0.09
"""The share of the picture that must have come to rest."""
WORTH = 0.65
"""Bytes that must have followed the last key frame, in its own, so that films are not made of key frames."""


class Keys:
    """Says of each picture of a stream of `width` × `height` pixels, `fps` a second, whether it should be a key frame.

    What moves is seen for a sixtieth of a second and encoded coarsely. What has come to rest stays as it was encoded
    when it last moved, until a key frame shows it finely: so one is due when enough is at rest that moved since the
    last one, unless that one alone was dear. Pictures are counted by frame, from 0.
    """

    def __init__(self, width: int, height: int, fps: Fraction) -> None:
        self.moved = np.full((-(-height // BLOCK), -(-width // BLOCK)), -1, np.int64)
        self.fps = fps
        self.last = self.size = self.bytes = 0

    def change(self, frame: int, area: Area, differs: np.ndarray) -> None:
        """From `frame` on those pixels of `area` are others that `differs`, bool [h, w], says so of."""
        (left, x), (top, y) = divmod(area.left, BLOCK), divmod(area.top, BLOCK)
        height, width = differs.shape
        rows, columns = -(-(y + height) // BLOCK), -(-(x + width) // BLOCK)
        pixels = np.zeros((rows * BLOCK, columns * BLOCK), bool)
        pixels[y : y + height, x : x + width] = differs
        blocks = pixels.reshape(rows, BLOCK, -1).any(1).reshape(rows, columns, BLOCK).any(2)
        self.moved[top : top + rows, left : left + columns][blocks] = frame

    def due(self, frame: int, fresh: bool) -> bool:
        """Whether `frame` should be a key frame; one that is not `fresh` looks as the one before."""
        since = frame - self.last
        if fresh and since >= LONGEST_S * self.fps:
            return True
        if since < SHORTEST_S * self.fps or self.bytes < WORTH * self.size:
            return False
        at_rest = (self.moved > self.last) & (self.moved <= int(frame - REST_S * self.fps))
        return bool(at_rest.mean() >= SHARE)

    def told(self, frame: int, size: int, key: bool) -> None:
        """`frame` has been encoded, in `size` bytes, and is a `key` frame or not."""
        if key:
            self.last, self.size, self.bytes = frame, size, 0
        else:
            self.bytes += size
