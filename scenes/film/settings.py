"""Manim's settings while the project itself runs a scene."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from manim import tempconfig

from scenes.draw.layout import UNIT
from scenes.film.quality import PREVIEW, Quality

ENCODER = {
    "crf": "14",
    "preset": "veryfast",
    "tune": "animation",
    "mbtree": "0",
    "threads": "1",
    "colorspace": "smpte170m",
    "color_primaries": "bt709",
    "color_trc": "iec61966-2-1",
    "color_range": "tv",
}
"""libx264's options: text and thin lines stay sharp; the same pictures always give the
same packets (with `mbtree` they do not); one thread, since sections run side by side;
and the matrix that the pictures are converted with is written down for players."""

QUIET = {
    "disable_caching": True,
    "notify_outdated_version": False,
    "preview": False,
    "progress_bar": "none",
    "verbosity": "ERROR",
}


def rendering(quality: Quality, folder: Path) -> AbstractContextManager:
    """Settings for writing video at `quality` below `folder`, silently."""
    return tempconfig(
        QUIET
        | _picture(quality)
        | {"media_dir": str(folder), "video_encoder_options": ENCODER, "write_to_movie": True, "save_sections": False}
    )


def rehearsing(quality: Quality = PREVIEW) -> AbstractContextManager:
    """Settings for playing a scene without writing anything; what is drawn has the size of `quality`."""
    return tempconfig(QUIET | _picture(quality) | {"dry_run": True})


def _picture(quality: Quality) -> dict[str, Any]:
    return {
        "background_color": quality.theme.ground,
        "pixel_width": quality.width,
        "pixel_height": quality.height,
        "frame_width": quality.frame.width / UNIT,
        "frame_height": quality.frame.height / UNIT,
        "frame_rate": quality.fps,
    }
