"""Encoding one video file on a thread of its own: what has not changed is neither converted nor encoded."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType
from manim._config.video_encoder import VideoEncoderSpec

from scenes.draw.planes import Planes
from scenes.draw.screen import Area
from scenes.film.keys import Keys
from scenes.film.repeats import Repeats, same_again

WAITING = 8
"""Pictures that may wait for their encoding."""
Changes = list[tuple[Area, np.ndarray]]


class Encoder:
    """Writes the pictures that are put into it, one after another, to the video file at `path`.

    Where the codec is H.264 without reordered pictures, one that is as the one before costs next to nothing (see
    `scenes.film.repeats`). The same pictures always give the same packets. `encoded` counts those that the codec was
    given. Errors of the thread are raised by what is called next.
    """

    def __init__(self, path: Path, spec: VideoEncoderSpec) -> None:
        self.path, self.spec = path, spec
        self.container = av.open(str(path), "w", format=spec.container_format)
        self.stream: Any = self.container.add_stream(spec.codec, rate=spec.frame_rate, options=dict(spec.options))
        self.stream.width, self.stream.height, self.stream.pix_fmt = spec.width, spec.height, spec.pixel_format
        self.planes = Planes(spec.width, spec.height) if spec.pixel_format == "yuv420p" else None
        self.tick = 1 / Fraction(spec.frame_rate)
        self.repeats = Repeats(same) if (same := same_again(spec)) else None
        self.keys = Keys(spec.width, spec.height, Fraction(spec.frame_rate))
        self.shown = self.encoded = 0
        self.error: BaseException | None = None
        self.queue: Queue[tuple[Changes, int] | None] = Queue(WAITING)
        self.thread = Thread(target=self._run, name=f"encoder of {path.name}", daemon=True)
        self.thread.start()

    def put(self, pixels: np.ndarray, changed: Sequence[Area] | None, repeat: int = 1) -> None:
        """Show `pixels` [h, w, 4], RGBA, for `repeat` frames; only the areas `changed` (None: all) are not as before.

        What is needed of them is copied.
        """
        self._raise()
        whole = Area(0, 0, self.spec.width, self.spec.height)
        areas = [whole] if changed is None else [whole] if changed and self.planes is None else changed
        needs = self.planes.needs if self.planes else lambda area: area
        copies = [(area, pixels[n.top : n.bottom, n.left : n.right].copy()) for area in areas if (n := needs(area))]
        self.queue.put((copies, repeat))

    def close(self) -> None:
        """Write what is left and end the file."""
        self.queue.put(None)
        self.thread.join()
        try:
            self._raise()
            self.container.mux(self.stream.encode())
        except BaseException:
            self.abort()
            raise
        self.container.close()

    def abort(self) -> None:
        """Give the file up."""
        self.error = self.error or InterruptedError()
        self.queue.put(None)
        self.thread.join()
        self.container.close()
        self.path.unlink(missing_ok=True)

    def _raise(self) -> None:
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        picture: av.VideoFrame | None = None
        while (job := self.queue.get()) is not None:
            changes, repeat = job
            if self.error is not None:
                continue
            try:
                for area, pixels in changes:
                    if self.planes:
                        self.keys.change(self.shown, *self.planes.take(area, pixels))
                        picture = self.planes.frame
                    else:
                        picture = av.VideoFrame.from_numpy_buffer(pixels, format="rgba")
                for again in range(repeat):
                    self._write(picture, fresh=bool(changes) and not again)
            except BaseException as error:
                self.error = error

    def _write(self, picture: av.VideoFrame | None, fresh: bool) -> None:
        """One more frame; one that is not `fresh` is as the one before."""
        assert picture is not None
        key = self.keys.due(self.shown, fresh)
        if self.repeats and not fresh and not key:
            self._mux(self.repeats.again())
        else:
            picture.pts, picture.time_base = self.shown, self.tick
            picture.pict_type = PictureType.I if key else PictureType.NONE
            packets = self.stream.encode(picture)
            self.encoded += 1
            for packet in packets:
                self.keys.told(self.shown, packet.size, packet.is_keyframe)
            if self.repeats:
                (packet,) = packets
                self._mux(self.repeats.told(packet))
            else:
                self.container.mux(packets)
        self.shown += 1

    def _mux(self, packet: av.Packet) -> None:
        packet.stream = self.stream
        packet.pts = packet.dts = self.shown
        packet.duration, packet.time_base = 1, self.tick
        self.container.mux(packet)
