"""A picture in planes of light and colour (4:2:0), of which only what changes is converted."""

from typing import Any, cast

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter

from scenes.draw.screen import Area

REACH, GIVEN = 2, 8
"""Pixels around a change that colours depend on it, since they are halved in height by a filter over four rows, and
that are converted with it: swscale takes another filter for fewer than eight rows."""


class Planes:
    """Y, U and V of a picture of `width` × `height` pixels, both even, in the array `samples` that `frame` shows.

    They equal, sample by sample, what PyAV's swscale makes of the whole picture by its defaults: BT.601, video range,
    bilinear. `converted` counts the pixels that were converted.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.samples = np.zeros((height * 3 // 2, width), np.uint8)
        flat, light = self.samples.reshape(-1), width * height
        self.planes = (
            flat[:light].reshape(height, width),
            flat[light : light + light // 4].reshape(height // 2, width // 2),
            flat[light + light // 4 :].reshape(height // 2, width // 2),
        )
        self.converters: dict[tuple[int, int], VideoReformatter] = {}
        self.converted = 0

    @property
    def frame(self) -> VideoFrame:
        """A frame that shows the planes as they are; it holds no copy of them."""
        return VideoFrame.from_numpy_buffer(self.samples, format="yuv420p")

    def needs(self, area: Area) -> Area:
        """The pixels that `take` is to be given where the pixels in `area` have changed."""
        return area.grown(GIVEN, self.width, self.height)

    def take(self, area: Area, pixels: np.ndarray) -> tuple[Area, np.ndarray]:
        """Convert what has changed in `area`, and what depends on it, from `pixels` [h, w, 4], RGBA, of its `needs`.

        Gives the pixels that were converted, and which of them have another light than before: bool [h, w].
        """
        given, wanted = self.needs(area), area.grown(REACH, self.width, self.height)
        height, width = pixels.shape[:2]
        self.converted += width * height
        source = VideoFrame.from_numpy_buffer(pixels, format="rgba")
        converter = self.converters.setdefault((width, height), VideoReformatter())
        made = converter.reformat(source, format="yuv420p", threads=1)
        differs = np.zeros((0, 0), bool)
        for plane, part, half in zip(self.planes, made.planes, (1, 2, 2), strict=True):
            found = np.frombuffer(cast(Any, part), np.uint8).reshape(part.height, part.line_size)
            x, y, r, b = (edge // half for edge in wanted)
            left, top = x - given.left // half, y - given.top // half
            new = found[top : top + b - y, left : left + r - x]
            if half == 1:
                differs = new != plane[y:b, x:r]
            plane[y:b, x:r] = new
        return wanted, differs
