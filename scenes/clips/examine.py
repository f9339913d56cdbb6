"""Reading a clip back: whether the file that was written is what its name says."""

from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from scenes.clips.formats import VIDEO, Stretch, picture
from scenes.film.sheet import opened

CODECS = {"mp4": "h264", "webm": "vp9", "mov": "prores", "gif": "gif"}
ALPHA_DECODER = "libvpx-vp9"
"""FFmpeg's own decoder of VP9 passes over alpha."""
NEAR = 8.0
"""Mean difference, of 255, from which on two pictures are not the same one, encoded."""


class BadClip(ValueError):
    """A file that was written is not what it should be; the message names it and what is wrong."""


def examine(name: str, stretch: Stretch, path: Path) -> tuple[int, int]:
    """Read back the file `path` of `stretch` in the format `name`; gives its width and height.

    Raises BadClip where codec, size, length, alpha or first frame are not what they should be.
    """
    poster = picture(stretch)
    width, height = poster.size
    if name in CODECS:
        with opened(path) as (container, video):
            codec, found = video.codec_context.name, (video.width, video.height)
            seconds = container.duration / av.time_base  # type: ignore[operator]
            rate = float(video.average_rate or stretch.fps)
        if codec != CODECS[name]:
            raise BadClip(f"{path} is written in {codec}, not {CODECS[name]}")
        if name in VIDEO and found != (width, height):
            raise BadClip(f"{path} is {found[0]} by {found[1]} pixels large, not {width} by {height}")
        if abs(seconds - stretch.seconds) > 1.5 / min(rate, stretch.fps):
            raise BadClip(f"{path} lasts {seconds:.3f} s, not {stretch.seconds:.3f} s")
    first = first_picture(path, name, stretch.clear)
    if stretch.clear and np.asarray(first)[..., 3].min() == 255:
        raise BadClip(f"{path} is not transparent")
    if (apart := difference(first, poster)) > NEAR:
        raise BadClip(f"{path} begins with another picture than its poster (by {apart:.1f} of 255)")
    return first.size


def first_picture(path: Path, name: str, clear: bool) -> Image.Image:
    """The first picture of a clip as RGBA."""
    if name not in VIDEO:
        with Image.open(path) as image:
            return image.convert("RGBA")
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        decoder: Any = video.codec_context
        if clear and name == "webm":
            decoder = av.CodecContext.create(ALPHA_DECODER, "r")
        for packet in container.demux(video):
            for frame in decoder.decode(packet):
                return Image.fromarray(frame.to_ndarray(format="rgba"))
    raise BadClip(f"{path} has no picture")


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, of 255, both on black and in the size of the second."""
    one, other = (np.asarray(image.convert("RGBA").resize(second.size), np.float64) for image in (first, second))
    return float(np.abs(one[..., :3] * one[..., 3:] / 255 - other[..., :3] * other[..., 3:] / 255).mean())
