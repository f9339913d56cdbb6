"""Joining clips without encoding them again.

Every clip starts with a key frame and has one packet a frame, so the packets can follow one another as they are; only
their timestamps are new. They are set on an exact grid of frames: a packet that is the g-th to be decoded and the p-th
to be shown gets dts (g - delay) and pts p, in frames, where `delay` is the largest g - p of the film, so that no packet
is shown before it is decoded.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet


@dataclass(frozen=True)
class Chapter:
    """A named stretch of a film, in frames from its start."""

    title: str
    first: int
    frames: int


class CannotJoin(ValueError):
    """Clips that differ in codec, size or frame rate; the message names them."""


def frame_count(path: Path) -> int:
    """Number of frames of the clip at `path`."""
    with av.open(str(path)) as container:
        return sum(1 for _ in _packets(container))


def is_whole(path: Path) -> bool:
    """Whether `path` is a clip with all the frames that it says it has."""
    try:
        with av.open(str(path)) as container:
            return container.streams.video[0].frames == sum(1 for _ in _packets(container))
    except (OSError, FFmpegError, IndexError):
        return False


def join(
    clips: Sequence[Path], output: Path, fps: int, metadata: Mapping[str, str] | None = None, titles: Sequence[str] = ()
) -> list[Chapter]:
    """Write the frames of `clips`, one after another, to the MP4 file `output`.

    `titles` names one chapter for each clip; none are written without it. Clips without a frame are passed over.
    Returns the chapters as written. Raises `CannotJoin` where the clips do not fit together.
    """
    orders = [_frame_order(clip) for clip in clips]
    kept = [(clip, order) for clip, order in zip(clips, orders, strict=True) if order]
    if not kept:
        raise CannotJoin("none of the clips has a frame")
    delay = max(g - p for _, order in kept for g, p in enumerate(order))
    chapters = _chapters(titles, orders) if titles else []
    with av.open(str(kept[0][0])) as first, av.open(str(output), "w", format="mp4") as joined:
        joined.metadata.update(metadata or {})
        template = first.streams.video[0]
        stream = joined.add_stream_from_template(template)
        base: Any = template.time_base
        stream.time_base = base
        ticks = _ticks(base, fps)
        if chapters:
            joined.set_chapters([_chapter(i, c, fps) for i, c in enumerate(chapters)])
        shown = decoded = 0
        for clip, order in kept:
            with av.open(str(clip)) as source:
                _check_alike(first, source, kept[0][0], clip)
                for packet, place in zip(_packets(source), order, strict=True):
                    packet.pts = (shown + place) * ticks
                    packet.dts = (decoded - delay) * ticks
                    packet.duration = ticks
                    packet.stream = stream
                    joined.mux(packet)
                    decoded += 1
            shown += len(order)
    return chapters


def _packets(container: InputContainer) -> Iterator[Packet]:
    return (p for p in container.demux(container.streams.video[0]) if p.dts is not None)


def _frame_order(clip: Path) -> list[int]:
    """For each packet in order of decoding, the place of its frame in order of showing."""
    with av.open(str(clip)) as container:
        times: list[Any] = [packet.pts for packet in _packets(container)]
    places = {pts: place for place, pts in enumerate(sorted(times))}
    return [places[pts] for pts in times]


def _ticks(time_base: Fraction, fps: int) -> int:
    ticks = 1 / (time_base * fps)
    if ticks.denominator != 1:
        raise CannotJoin(f"{fps} frames a second do not fall on a time base of {time_base}")
    return int(ticks)


def _check_alike(first: InputContainer, other: InputContainer, name: Path, clip: Path) -> None:
    def facts(container: InputContainer) -> tuple[object, ...]:
        stream = container.streams.video[0]
        context = stream.codec_context
        return (context.name, context.width, context.height, stream.time_base, bytes(context.extradata or b""))

    if facts(first) != facts(other):
        raise CannotJoin(f"{clip} is not encoded like {name}: render both anew")


def _chapters(titles: Sequence[str], orders: list[list[int]]) -> list[Chapter]:
    chapters = []
    first = 0
    for title, order in zip(titles, orders, strict=True):
        if order:
            chapters.append(Chapter(title, first, len(order)))
        first += len(order)
    return chapters


def _chapter(index: int, chapter: Chapter, fps: int) -> Any:
    span = {"start": chapter.first, "end": chapter.first + chapter.frames, "time_base": Fraction(1, fps)}
    return {"id": index, **span, "metadata": {"title": chapter.title}}
