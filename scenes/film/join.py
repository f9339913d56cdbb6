"""Joining clips without encoding them again.

Every clip starts with a key frame and has one packet a frame, so the packets can follow one another as they are; only
their timestamps are new. They are set on an exact grid of frames: a packet that is the g-th to be decoded and the p-th
to be shown gets dts (g - delay) and pts p, in frames, where `delay` is the largest g - p of the film, so that no packet
is shown before it is decoded.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet


class CannotJoin(ValueError):
    """Clips that differ in codec, size or frame rate; the message names them."""


def is_whole(path: Path) -> bool:
    """Whether `path` is a clip with all the frames that it says it has."""
    try:
        with av.open(str(path)) as container:
            return container.streams.video[0].frames == sum(1 for _ in _packets(container))
    except (OSError, FFmpegError, IndexError):
        return False


def join(
    clips: Sequence[Path], output: Path, fps: int, metadata: Mapping[str, str] | None = None, titles: Sequence[str] = ()
) -> None:
    """Write the frames of `clips`, one after another, to `output`: an MP4, which can be played before it is all there,
    or a .mov where the clips are.

    `titles` names one chapter for each clip; none are written without it. Clips without a frame are passed over.
    Raises `CannotJoin` where the clips do not fit together.
    """
    offered = [
        (clip, _frame_order(clip), title) for clip, title in zip(clips, titles or [""] * len(clips), strict=True)
    ]
    kept = [one for one in offered if one[1]]
    if not kept:
        raise CannotJoin("none of the clips has a frame")
    delay = max(g - p for _, order, _ in kept for g, p in enumerate(order))
    kind, begins = output.suffix.lower().removeprefix("."), {"movflags": "faststart"}
    with av.open(str(kept[0][0])) as first, av.open(str(output), "w", format=kind, options=begins) as joined:
        joined.metadata.update(metadata or {})
        template = first.streams.video[0]
        stream = joined.add_stream_from_template(template)
        base: Any = template.time_base
        stream.time_base = base
        ticks = 1 / (base * fps)
        if ticks.denominator != 1:
            raise CannotJoin(f"{fps} frames a second do not fall on a time base of {base}")
        starts = [0, *accumulate(len(order) for _, order, _ in kept)]
        if titles:
            chapters: list[Any] = [
                {"id": i, "start": start, "end": end, "time_base": Fraction(1, fps), "metadata": {"title": title}}
                for i, ((_, _, title), (start, end)) in enumerate(zip(kept, pairwise(starts), strict=True))
            ]
            joined.set_chapters(chapters)
        for (clip, order, _), shown in zip(kept, starts, strict=False):
            with av.open(str(clip)) as source:
                if _facts(source) != _facts(first):
                    raise CannotJoin(f"{clip} is not encoded like {kept[0][0]}: render both anew")
                for decoded, (packet, place) in enumerate(zip(_packets(source), order, strict=True), start=shown):
                    packet.pts, packet.dts = (shown + place) * int(ticks), (decoded - delay) * int(ticks)
                    packet.duration, packet.stream = int(ticks), stream
                    joined.mux(packet)


def _packets(container: InputContainer) -> Iterator[Packet]:
    return (p for p in container.demux(container.streams.video[0]) if p.dts is not None)


def _frame_order(clip: Path) -> list[int]:
    """For each packet in order of decoding, the place of its frame in order of showing."""
    with av.open(str(clip)) as container:
        times: list[Any] = [packet.pts for packet in _packets(container)]
    return np.argsort(np.argsort(times)).tolist()


def _facts(container: InputContainer) -> tuple[object, ...]:
    """What clips must have in common."""
    stream = container.streams.video[0]
    context = stream.codec_context
    return (context.name, context.width, context.height, stream.time_base, bytes(context.extradata or b""))
