"""Manim's settings while the project itself runs a scene."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from manim import tempconfig

from scenes import theme
from scenes.film.quality import PREVIEW, Quality

QUIET = {
    "background_color": theme.BACKGROUND,
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
        | {
            "pixel_width": quality.width,
            "pixel_height": quality.height,
            "frame_rate": quality.fps,
            "media_dir": str(folder),
            "write_to_movie": True,
            "save_sections": False,
        }
    )


def rehearsing() -> AbstractContextManager:
    """Settings for playing a scene without writing anything."""
    return tempconfig(
        QUIET
        | {
            "pixel_width": PREVIEW.width,
            "pixel_height": PREVIEW.height,
            "frame_rate": PREVIEW.fps,
            "dry_run": True,
        }
    )
