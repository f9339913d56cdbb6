"""Sound below a film: as long as it, as loud as players expect, and faded out."""

from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av.error import FFmpegError

RATE, LAYOUT = 48_000, "stereo"
LUFS = -16.0
"""Integrated loudness (ITU-R BS.1770) that the sound is brought to: that of podcasts and of most players."""
PEAK = 10 ** (-1 / 20)
"""Highest sample, of 1: one decibel below full scale."""
FADE_S = 1.5
SHORTEST_S = 0.4
"""Of a sound whose loudness can be measured."""
CODECS = {".mp4": "aac", ".mov": "pcm_s16le", ".webm": "libopus"}


class NoSound(ValueError):
    """A file that gives no sound for a film; the message says why and what to name instead."""


@dataclass(frozen=True, eq=False)
class Sound:
    """The sound of the file `path`: float32 [n, 2] at 48 kHz."""

    path: Path
    samples: np.ndarray

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read a file. Raises NoSound where it has none, OSError where it is not there."""
        try:
            with av.open(str(path)) as container:
                if not container.streams.audio:
                    raise NoSound(f"{path} has no sound: name a sound file")
                resampler = av.AudioResampler(format="fltp", layout=LAYOUT, rate=RATE)
                found = [r.to_ndarray() for frame in container.decode(audio=0) for r in resampler.resample(frame)]
                found += [rest.to_ndarray() for rest in resampler.resample(None)]
        except FFmpegError as error:
            if isinstance(error, OSError):
                raise
            raise NoSound(f"{path} is no sound file, or a broken one: name another") from None
        return cls(path, np.concatenate(found, axis=1).T if found else np.zeros((0, 2), np.float32))

    @property
    def facts(self) -> str:
        """What tells it from another: name, size and time of the file."""
        known = self.path.stat()
        return f"{self.path.name} {known.st_size} {known.st_mtime_ns}"

    def fitted(self, seconds: float) -> np.ndarray:
        """Cut or filled up with silence to `seconds`, at `LUFS`, faded out at its end: float32 [n, 2].

        What would be above `PEAK` at that loudness makes all of it quieter. Raises NoSound for one that is silent or
        too short.
        """
        import pyloudnorm  # brings a good part of SciPy

        n = round(seconds * RATE)
        kept = self.samples[:n].astype(np.float64)
        if len(kept) < SHORTEST_S * RATE:
            raise NoSound(f"{self.path}: {len(kept) / RATE:.2f} s of sound, at least {SHORTEST_S} s are needed")
        fade = min(len(kept), round(FADE_S * RATE))
        kept[len(kept) - fade :] *= np.linspace(1.0, 0.0, fade)[:, None]
        loudness = pyloudnorm.Meter(RATE).integrated_loudness(kept)
        if not np.isfinite(loudness):
            raise NoSound(f"{self.path} is silent: name another sound file")
        kept *= 10 ** ((LUFS - loudness) / 20)
        kept *= min(1.0, PEAK / float(np.abs(kept).max()))
        return np.concatenate([kept, np.zeros((n - len(kept), 2))]).astype(np.float32)

    def below(self, video: Path) -> None:
        """Lay it below the pictures of `video`, which stay as they are. Raises NoSound as `fitted` does."""
        heard = video.with_stem(f"{video.stem}.sound")
        try:
            self._write(video, heard)
            heard.replace(video)
        finally:
            heard.unlink(missing_ok=True)

    def _write(self, video: Path, output: Path) -> None:
        kind, begins = output.suffix.lower().removeprefix("."), {"movflags": "faststart"}
        options = begins if kind != "webm" else {}
        with av.open(str(video)) as source, av.open(str(output), "w", format=kind, options=options) as written:
            written.metadata.update(source.metadata)
            written.set_chapters(source.chapters())
            pictures = source.streams.video[0]
            shown = written.add_stream_from_template(pictures)
            shown.time_base = pictures.time_base
            shown.metadata.update(pictures.metadata)
            heard: Any = written.add_stream(CODECS[output.suffix.lower()], rate=RATE, layout=LAYOUT)
            length = source.duration / av.time_base  # type: ignore[operator]
            resampler = av.AudioResampler(
                format=heard.format.name, layout=LAYOUT, rate=RATE, frame_size=heard.frame_size or 1024
            )
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(self.fitted(length).T), "fltp", LAYOUT)
            frame.sample_rate, frame.pts = RATE, 0
            parts = [*resampler.resample(frame), *resampler.resample(None), None]
            waiting = deque(packet for part in parts for packet in heard.encode(part))
            for packet in source.demux(pictures):
                if packet.dts is None:
                    continue
                while waiting and waiting[0].pts / RATE <= packet.dts * pictures.time_base:  # type: ignore[operator]
                    written.mux(waiting.popleft())
                packet.stream = shown
                written.mux(packet)
            written.mux(list(waiting))
