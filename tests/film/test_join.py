"""Clips follow one another frame by frame, with no encoding and no lost time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from scenes.film.join import CannotJoin, join
from scenes.film.sheet import chapters, duration


def clip(path, shades, fps=10, size=(64, 48)):
    """An H.264 clip of plain frames, one of each of `shades` (0..255)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for shade in shades:
            pixels = np.full((size[1], size[0], 3), shade, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def frame_count(path):
    with av.open(str(path)) as container:
        return sum(packet.dts is not None for packet in container.demux(video=0))


def shades_of(path):
    with av.open(str(path)) as container:
        return [int(f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]


@pytest.fixture
def clips(tmp_path):
    return [
        clip(tmp_path / "a.mp4", range(0, 120, 10)),
        clip(tmp_path / "b.mp4", [200]),
        clip(tmp_path / "c.mp4", range(120, 255, 15)),
    ]


def test_every_frame_in_order(clips, tmp_path):
    join(clips, tmp_path / "film.mp4", 10)
    assert shades_of(tmp_path / "film.mp4") == sum((shades_of(c) for c in clips), [])


def test_timestamps_lie_on_the_grid_of_frames(clips, tmp_path):
    film = tmp_path / "film.mp4"
    join(clips, film, 10)
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
        container.seek(0)
        packets = [p for p in container.demux(stream) if p.dts is not None]
    assert times == [Fraction(i, 10) for i in range(22)]
    assert all(packet.dts <= packet.pts for packet in packets)
    assert all(a.dts < b.dts for a, b in zip(packets, packets[1:], strict=False))
    assert duration(film) == pytest.approx(2.2)
    assert frame_count(film) == 22


def test_chapters_follow_the_clips(clips, tmp_path):
    film = tmp_path / "film.mp4"
    join(clips, film, 10, {"title": "Test"}, ["Dark", "Flash", "Bright"])
    marks = chapters(film)
    assert [title for _, _, title in marks] == ["Dark", "Flash", "Bright"]
    assert [start for start, _, _ in marks] == pytest.approx([0, 1.2, 1.3])
    assert marks[-1][1] == pytest.approx(2.2)


def test_clips_that_differ_are_refused(clips, tmp_path):
    wide = clip(tmp_path / "wide.mp4", [0, 1], size=(96, 48))
    with pytest.raises(CannotJoin, match="wide.mp4 is not encoded like"):
        join([clips[0], wide], tmp_path / "film.mp4", 10)


def test_frame_rate_off_the_time_base_is_refused(clips, tmp_path):
    with pytest.raises(CannotJoin, match="7 frames a second"):
        join(clips, tmp_path / "film.mp4", 7)


def test_nothing_to_join(tmp_path):
    with pytest.raises(CannotJoin, match="none of the clips"):
        join([], tmp_path / "film.mp4", 10)
