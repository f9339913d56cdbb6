"""Sizes and frame rates at which films are rendered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quality:
    """Width and height in pixels (both even, 16:9) and frames a second."""

    name: str
    width: int
    height: int
    fps: int


FINAL = Quality("final", 1920, 1080, 60)
PREVIEW = Quality("preview", 854, 480, 15)
QUALITIES = {quality.name: quality for quality in (FINAL, PREVIEW)}
