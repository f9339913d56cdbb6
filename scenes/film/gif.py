"""An animated GIF of a stretch of a film."""

from dataclasses import dataclass, replace
from pathlib import Path

import av
import av.filter

from astrai_sim.files import whole
from scenes.film.filters import pulled
from scenes.film.sheet import NoVideo, opened

NARROWEST = 480
RATES = (20, 15, 12, 10)
"""Frames a second that are tried before the picture is made narrower."""


class TooLarge(ValueError):
    """The stretch does not fit the size asked for; the message says what to change."""


@dataclass(frozen=True)
class Cut:
    """Which stretch, and how: seconds of film, times faster, pixels wide, frames a second."""

    start: float = 0.0
    seconds: float = 20.0
    speed: float = 1.0
    width: int = 800
    fps: int = 10


def make_gif(film: Path, output: Path, cut: Cut, limit: int = 3_000_000) -> Cut:
    """Write `cut` of `film` to `output`, with fewer frames, then narrower, until it has at most `limit` bytes.

    Returns the cut as written. Raises `TooLarge` where even 480 pixels are too wide, and `NoVideo` for a film that is
    none or ends before the cut starts.
    """
    with whole(output) as draft:
        while True:
            _encode(film, draft, cut)
            if draft.stat().st_size <= limit:
                return cut
            if slower := [rate for rate in RATES if rate < cut.fps]:
                cut = replace(cut, fps=slower[0])
                continue
            if cut.width <= NARROWEST:
                raise TooLarge(
                    f"{cut.seconds:g} s take more than {limit} bytes: choose fewer seconds or frames a second"
                )
            cut = replace(cut, width=max(NARROWEST, cut.width - 80))


def _encode(film: Path, output: Path, cut: Cut) -> None:
    with opened(film) as (source, video), av.open(str(output), "w", format="gif") as gif:
        length = source.duration / av.time_base  # type: ignore[operator]
        if cut.start > length - 1 / video.average_rate + 1e-6:  # type: ignore[operator]
            raise NoVideo(f"{film} ends after {length:.2f} s: nothing is there at {cut.start:g} s, start before")
        height = round(cut.width * video.height / video.width)
        graph = _graph(video, cut, height)
        stream = gif.add_stream("gif", rate=cut.fps)
        stream.width, stream.height, stream.pix_fmt = cut.width, height, "pal8"
        source.seek(int(cut.start / video.time_base), stream=video)  # type: ignore[operator]
        for frame in source.decode(video):
            if frame.time >= cut.start + cut.seconds:
                break
            if frame.time >= cut.start:
                graph.push(frame)
        graph.push(None)
        for count, made in enumerate(pulled(graph)):
            made.pts, made.time_base = count, 1 / stream.codec_context.rate
            gif.mux(stream.encode(made))
        gif.mux(stream.encode())


def _graph(video: av.VideoStream, cut: Cut, height: int) -> av.filter.Graph:
    graph = av.filter.Graph()
    split, use = graph.add("split"), graph.add("paletteuse", "dither=none:diff_mode=rectangle")
    graph.link_nodes(
        graph.add_buffer(template=video),
        graph.add("setpts", f"(PTS-STARTPTS)/{cut.speed}"),
        graph.add("fps", str(cut.fps)),
        graph.add("scale", f"{cut.width}:{height}:flags=lanczos"),
        split,
    )
    palette = graph.add("palettegen", "stats_mode=full")
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(graph.add("buffersink"))
    graph.configure()
    return graph
