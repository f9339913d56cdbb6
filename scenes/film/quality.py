"""Sizes, frame rates, frames and themes in which films are rendered, and Manim's settings for them."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from manim import tempconfig

from scenes.draw.layout import UNIT, WIDE, Frame
from scenes.theme import DARK, Theme


@dataclass(frozen=True)
class Quality:
    """Width and height in pixels (both even, in the shape of `frame`) and frames a second.

    One that is `clear` has no ground behind its pictures: its clips keep their alpha, without any loss.
    """

    name: str
    width: int
    height: int
    fps: int
    frame: Frame = WIDE
    theme: Theme = DARK
    clear: bool = False

    @property
    def suffix(self) -> str:
        """What files of its clips end in."""
        return ".mov" if self.clear else ".mp4"

    def shaped(self, frame: Frame = WIDE, theme: Theme = DARK) -> Self:
        """The same in another frame, whose short side has as many pixels, and another theme."""
        if (frame, theme) == (self.frame, self.theme):
            return self
        short = min(self.width, self.height)
        long = 2 * round(short * max(frame.width, frame.height) / min(frame.width, frame.height) / 2)
        width, height = (long, short) if frame.width > frame.height else (short, long)
        words = [self.name, *([frame.name.replace(":", "x")] if frame != WIDE else ())]
        words += [theme.name] if theme != DARK else []
        return replace(self, name="-".join(words), width=width, height=height, frame=frame, theme=theme)


FINAL = Quality("final", 1920, 1080, 60)
PREVIEW = Quality("preview", 854, 480, 15)
QUALITIES = {quality.name: quality for quality in (FINAL, PREVIEW)}


ENCODER = {
    "qp": "18",
    "crf": "-1",
    "preset": "superfast",
    "bf": "0",
    "refs": "1",
    "weightp": "0",
    "x264-params": "force-cfr=1:scenecut=0:ipratio=5.6:deadzone-inter=25:deadzone-intra=16:"
    "me=umh:merange=64:subme=2:partitions=i8x8,i4x4:no-deblock=1",
    "threads": "1",
    "colorspace": "smpte170m",
    "color_primaries": "bt709",
    "color_trc": "iec61966-2-1",
    "color_range": "tv",
}
"""libx264's options: text and thin lines stay sharp; the same pictures always give the same packets; one thread, since
sections run side by side; pictures that move are all as fine, so that none is looked at before it is encoded (`crf`,
which wins where it is not negative, and which Manim would set, would have that done), and key frames far finer, which
show what has come to rest (`ipratio`, see `scenes.film.keys`); what a camera moves is looked for far and wide, which
costs little and spares a third of such clips; a picture refers to the one before and is encoded at once, so that others
can be put in between (see `scenes.film.repeats`); and the matrix that the pictures are converted with is written down
for players. docs/performance.md has what was measured."""

QUIET = {
    "disable_caching": True,
    "notify_outdated_version": False,
    "preview": False,
    "progress_bar": "none",
    "verbosity": "ERROR",
}


def rendering(quality: Quality, folder: Path, **encoder: str) -> AbstractContextManager:
    """Settings for writing video at `quality` below `folder`, silently; `encoder` are other options of libx264's."""
    video: dict[str, Any] = {"video_encoder_options": ENCODER | encoder, "write_to_movie": True, "save_sections": False}
    if quality.clear:
        video |= {"video_encoder_options": {}, "format": "mov", "background_opacity": 0.0}
    return tempconfig(_picture(quality) | video | {"media_dir": str(folder)})


def rehearsing(quality: Quality = PREVIEW) -> AbstractContextManager:
    """Settings for playing a scene without writing anything; what is drawn has the size of `quality`."""
    return tempconfig(_picture(quality) | {"dry_run": True})


def _picture(quality: Quality) -> dict[str, Any]:
    return QUIET | {
        "background_color": quality.theme.ground,
        "pixel_width": quality.width,
        "pixel_height": quality.height,
        "frame_width": quality.frame.width / UNIT,
        "frame_height": quality.frame.height / UNIT,
        "frame_rate": quality.fps,
    }
