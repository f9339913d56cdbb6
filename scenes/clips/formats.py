"""The formats of a clip: each written from the frames of a section's file, and read back."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
import numpy as np
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as AllPulled
from av.video.frame import PictureType
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from scenes.farm.task import Stopped, current
from scenes.film.gif import Cut, make_gif
from scenes.film.join import join
from scenes.film.quality import ENCODER
from scenes.film.sheet import opened

BLOCK, SEEN = 8, 10.0
"""Side in pixels of a block, and mean difference of its pixels, of 255, from which on two frames are not the same."""
REORDERED = 16
"""Frames by which a key frame is at most decoded before it is shown."""
GIF_WIDTH, GIF_FPS, GIF_BYTES = 960, 25, 8_000_000


@dataclass(frozen=True)
class Stretch:
    """`count` frames of the file `source` from frame `first` on, at `fps` frames a second; `clear` ones have alpha."""

    source: Path
    first: int
    count: int
    fps: int
    clear: bool = False

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.count / self.fps


@dataclass(frozen=True)
class Format:
    """A way to write a clip: codec, its options, and its pixel formats without and with alpha ('' where it has none).

    H.264 as films are encoded. VP9: constant quality, and no reference frames that are not shown, which do not go with
    alpha. ProRes: profile 4 is 4444, the marker Apple's, for editors that take no other.
    """

    codec: str
    pixels: str
    clear: str = ""
    options: Mapping[str, str] | None = None


VIDEO = {
    "mp4": Format("libx264", "yuv420p", options=ENCODER),
    "webm": Format(
        "libvpx-vp9",
        "yuv420p",
        "yuva420p",
        {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1", "auto-alt-ref": "0"},
    ),
    "mov": Format("prores_ks", "yuv444p10le", "yuva444p10le", {"profile": "4", "vendor": "apl0", "alpha_bits": "16"}),
}
FORMATS = (*VIDEO, "gif", "png")
ALPHA = tuple(name for name, form in VIDEO.items() if form.clear) + ("gif", "png")
"""Formats that can be transparent."""


def write(name: str, stretch: Stretch, output: Path, tags: Mapping[str, str]) -> str:
    """Write `stretch` to `output` in the format called `name`; what had to be given up for its size, or ''.

    Frames that are all of an H.264 file go into an MP4 as they are. Raises OSError where that cannot be written.
    """
    if name == "png":
        poster(stretch, output, tags)
    elif name == "gif":
        return _gif(stretch, output)
    elif name == "mp4" and stretch.count == length(stretch.source):
        join([stretch.source], output, stretch.fps, tags)
    else:
        form = VIDEO[name]
        with _pulled(stretch, form.clear if stretch.clear else form.pixels) as pulled:
            encode(name, pulled, output, stretch.fps, tags, stretch.clear)
    return ""


def cheap(name: str, stretch: Stretch) -> bool:
    """Whether nothing is encoded to write it but a picture."""
    return name == "png" or (name == "mp4" and stretch.count == length(stretch.source))


def length(source: Path) -> int:
    """Frames of a file."""
    with opened(source) as (_, video):
        return video.frames


def frames(stretch: Stretch) -> Iterator[av.VideoFrame]:
    """The frames of a stretch, in order; what is before the key frame that it needs is not decoded."""
    with opened(stretch.source) as (container, video):
        base: Any = video.time_base
        tick, zero = 1 / (stretch.fps * base), video.start_time or 0
        container.seek(zero + int(max(0, stretch.first - REORDERED) * tick), stream=video)
        for frame in container.decode(video):
            shown: Any = frame.pts
            place = round((shown - zero) / tick)
            if place >= stretch.first + stretch.count:
                break
            if current().stopping():
                raise Stopped
            if place >= stretch.first:
                yield frame


def picture(stretch: Stretch, place: int = 0) -> Image.Image:
    """One frame, as RGB or, where it has alpha, as RGBA with its colours not multiplied by it."""
    one = Stretch(stretch.source, stretch.first + place, 1, stretch.fps, stretch.clear)
    with _pulled(one, "rgba" if stretch.clear else "rgb24") as pulled:
        return Image.fromarray(next(iter(pulled)).to_ndarray())


def poster(stretch: Stretch, output: Path, tags: Mapping[str, str]) -> None:
    """Write the first frame as a PNG, with what it shows in its `Description`."""
    info = PngInfo()
    for name, text in tags.items():
        info.add_itxt(name.capitalize(), text)
    picture(stretch).save(output, format="png", pnginfo=info)


def loops(stretch: Stretch) -> bool:
    """Whether its last frame is as its first, but for what encoding does, so that it can begin again without a jump."""
    first, last = (np.asarray(picture(stretch, place), np.float32) for place in (0, stretch.count - 1))
    apart = np.abs(first - last).max(axis=2)
    rows, columns = (size // BLOCK * BLOCK for size in apart.shape)
    blocks = apart[:rows, :columns].reshape(rows // BLOCK, BLOCK, columns // BLOCK, BLOCK).mean(axis=(1, 3))
    return float(blocks.max(initial=0.0)) < SEEN


def _gif(stretch: Stretch, output: Path) -> str:
    with opened(stretch.source) as (_, video):
        width = min(GIF_WIDTH, video.width)
    asked = Cut(stretch.first / stretch.fps, stretch.seconds, 1.0, width, min(GIF_FPS, stretch.fps))
    made = make_gif(stretch.source, output, asked, GIF_BYTES)
    less = [f"{made.fps} frames a second"] if made.fps != asked.fps else []
    less += [f"{made.width} px"] if made.width != asked.width else []
    return " and ".join(less)


def encode(
    name: str,
    pictures: Iterable[av.VideoFrame],
    output: Path,
    fps: int,
    tags: Mapping[str, str],
    clear: bool = False,
    keys: Collection[int] = (),
) -> int:
    """Write `pictures`, in order, to `output` in one of `VIDEO`'s formats, with their alpha where they are `clear`.

    They are of one size; what they say of their colours is written down for players. The pictures at the places `keys`
    are key frames, which owe nothing to those before. Gives how many there were.
    Raises OSError where it cannot be written.
    """
    form, begins, count = VIDEO[name], {"movflags": "faststart"} if name != "webm" else {}, 0
    with av.open(str(output), "w", format=name, options=begins) as written:
        written.metadata.update(tags)
        stream: Any = None
        for frame in pictures:
            if stream is None:
                stream = written.add_stream(form.codec, rate=fps, options=dict(form.options or {}))
                stream.width, stream.height = frame.width, frame.height
                stream.pix_fmt = form.clear if clear else form.pixels
                stream.time_base = stream.codec_context.time_base = Fraction(1, fps)
                if name != "mp4":  # whose options say what its colours are
                    for fact in ("colorspace", "color_range", "color_primaries", "color_trc"):
                        setattr(stream.codec_context, fact, getattr(frame, fact))
                if clear and name == "webm":
                    stream.metadata["alpha_mode"] = "1"
            frame.pts, frame.time_base = count, Fraction(1, fps)
            frame.pict_type = PictureType.I if count in keys else PictureType.NONE
            written.mux(stream.encode(frame))
            count += 1
        written.mux(stream.encode() if stream else [])
    return count


@contextmanager
def _pulled(stretch: Stretch, pixels: str) -> Iterator[Iterator[av.VideoFrame]]:
    """The frames in another pixel format: colours that were multiplied by their alpha are divided by it again."""
    with opened(stretch.source) as (_, video):
        graph = av.filter.Graph()
        chain = [graph.add_buffer(template=video)]
        if stretch.clear:
            chain += [graph.add("format", "gbrap"), graph.add("unpremultiply", "inplace=1")]
        if stretch.clear or pixels == VIDEO["mov"].pixels:
            chain.append(graph.add("scale", "out_color_matrix=bt709:out_range=tv"))
        chain += [graph.add("format", pixels), graph.add("buffersink")]
        graph.link_nodes(*chain).configure()

        def pulled() -> Iterator[av.VideoFrame]:
            for frame in frames(stretch):
                graph.push(frame)
                yield from _drained(graph)
            graph.push(None)
            yield from _drained(graph)

        yield pulled()


def _drained(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            frame: Any = graph.pull()
        except (AllPulled, NothingYet):
            return
        yield frame
