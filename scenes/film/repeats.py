"""Frames of an H.264 stream that are as the one before: a packet that says so, without the encoder.

Such a packet is a P picture all of whose macroblocks are skipped: with the vectors of its neighbours, which are zero,
each is copied from the picture before, and no edge is filtered between them (ITU-T H.264, 8.4.1.1 and 8.7.2.1). It is
made once, by the encoder itself, from a plain picture shown twice, since it says nothing of what it repeats. Only
pictures are counted differently: `frame_num` (7.4.3) of all that follow until the next IDR picture goes up by one for
each that was put in.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import av
import numpy as np
from av.packet import Packet
from manim._config.video_encoder import VideoEncoderSpec

SLICE, SPS = 1, 7
"""Types of NAL units (table 7-1)."""
HEAD = 16
"""Bytes in which `frame_num` of a slice, and what is read of a parameter set, stands."""
HIGH = (100, 110, 122, 244, 44, 83, 86, 118, 128)
"""Profiles whose parameter sets say more of colours."""
START = re.compile(rb"\x00\x00\x00?\x01")


ESCAPED = re.compile(rb"\x00\x00(?=[\x00-\x03])")


@dataclass(frozen=True)
class Same:
    """The packet of a picture that repeats, in an H.264 stream whose `frame_num` has so many `bits`."""

    packet: bytes
    bits: int


class Repeats:
    """A stream into which pictures that repeat are put: `number` is the `frame_num` of the last, before it wraps."""

    def __init__(self, same: Same) -> None:
        self.same = same
        self.put_in = self.number = 0

    def again(self) -> Packet:
        """The packet of one more frame that is as the last."""
        self.put_in += 1
        self.number += 1
        return Packet(_numbered(self.same.packet, self.same.bits, lambda _: self.number)[0])

    def told(self, packet: Packet) -> Packet:
        """`packet` as it came from the encoder, counted with all that was put in since the last IDR picture."""
        if packet.is_keyframe:
            self.put_in = self.number = 0
            return packet
        data, self.number = _numbered(bytes(packet), self.same.bits, lambda number: number + self.put_in)
        return Packet(data) if self.put_in else packet


@cache
def same_again(spec: VideoEncoderSpec) -> Same | None:
    """What repeats a picture in streams of `spec`, for pictures of its size.

    None where they are not H.264 of libx264, come in another order than they are shown in, or refer to more than the
    picture before, and where that packet says more than it should, as lossless ones do: it is tried on another picture.
    """
    if spec.codec != "libx264" or spec.pixel_format != "yuv420p":
        return None
    plain = np.full((spec.height * 3 // 2, spec.width), 128, np.uint8)
    ramp = np.arange(plain.size, dtype=np.uint32).astype(np.uint8).reshape(plain.shape)
    first, second, other = (_encoded(spec, *pictures) for pictures in ((plain,), (plain, plain), (ramp,)))
    if first is None or second is None or other is None:
        return None
    sets = [unit for _, unit in _units(first) if unit[0] & 31 == SPS]
    bits = _counted_in(sets[0]) if sets else None
    return Same(second, bits) if bits and _again(other, second) else None


def _encoded(spec: VideoEncoderSpec, *pictures: np.ndarray) -> bytes | None:
    """The packet of the last of `pictures`, each of which must be encoded at once; None where one is not."""
    context: Any = av.CodecContext.create(spec.codec, "w")
    context.width, context.height, context.pix_fmt = spec.width, spec.height, spec.pixel_format
    context.framerate, context.time_base = spec.frame_rate, 1 / spec.frame_rate
    context.options = dict(spec.options)
    data = None
    for time, samples in enumerate(pictures):
        frame = av.VideoFrame.from_numpy_buffer(samples, "yuv420p")
        frame.pts = time
        packets = context.encode(frame)
        if len(packets) != 1:
            return None
        data = bytes(packets[0])
    return data


def _again(key: bytes, same: bytes) -> bool:
    """Whether the picture after that of `key` is the same where its packet is `same`."""
    decoder: Any = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    frames = [frame for data in (key, same) for frame in decoder.decode(Packet(data))] + decoder.decode(None)
    return len(frames) == 2 and np.array_equal(*(frame.to_ndarray() for frame in frames))


def _units(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The start codes and NAL units of a packet."""
    starts = list(START.finditer(data))
    for start, end in zip(starts, [*(other.start() for other in starts[1:]), len(data)], strict=True):
        yield start.group(), data[start.end() : end]


def _bits(unit: bytes) -> str:
    """The first bits after the header of a unit without escapes, as 0 and 1."""
    head = unit[1:HEAD]
    return f"{int.from_bytes(head):0{8 * len(head)}b}"


def _golomb(bits: str, at: int) -> tuple[int, int]:
    """The ue(v) at a place, and where it ends (9.1)."""
    zeros = bits.index("1", at) - at
    end = at + 2 * zeros + 1
    return int(bits[at + zeros : end], 2) - 1, end


def _counted_in(unit: bytes) -> int | None:
    """The bits of `frame_num` in streams with this sequence parameter set (7.3.2.1.1); None where pictures may come in
    another order than they are shown in, or refer to more than one."""
    raw = unit.replace(b"\0\0\3", b"\0\0")
    bits, at = _bits(raw), 24
    _, at = _golomb(bits, at)
    if raw[1] in HIGH:
        chroma, at = _golomb(bits, at)
        _, at = _golomb(bits, at + (chroma == 3))
        _, at = _golomb(bits, at)
        if bits[at + 1] == "1":
            return None
        at += 2
    length, at = _golomb(bits, at)
    order, at = _golomb(bits, at)
    references, _ = _golomb(bits, at)
    return length + 4 if order == 2 and references == 1 else None


def _numbered(data: bytes, width: int, number: Callable[[int], int]) -> tuple[bytes, int]:
    """A packet, with what `number` makes of the `frame_num` of its slices, in `width` bits (7.3.3); and the last."""
    out, last = [], 0
    for start, unit in _units(data):
        if unit[0] & 31 == SLICE:
            raw = unit.replace(b"\0\0\3", b"\0\0")
            bits, at = _bits(raw), 0
            for _ in range(3):
                _, at = _golomb(bits, at)
            last = number(int(bits[at : at + width], 2)) % (1 << width)
            bits = f"{bits[:at]}{last:0{width}b}{bits[at + width :]}"
            unit = ESCAPED.sub(b"\0\0\3", raw[:1] + int(bits, 2).to_bytes(len(bits) // 8) + raw[1 + len(bits) // 8 :])
        out += [start, unit]
    return b"".join(out), last
