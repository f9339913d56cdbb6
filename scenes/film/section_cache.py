"""Clips of sections kept from one rendering to the next.

A clip's file name carries a digest of everything that its picture comes from:
the section's beats, the trace, the quality, the fonts, Manim, and every source
file whose code ran or whose constants were read while the section was
rehearsed. A change to one of them asks for another file; nothing is ever
overwritten or trusted by date.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from scenes import theme
from scenes.draw import camera, fonts, layout
from scenes.film import settings
from scenes.film.quality import Quality
from scenes.film.rehearsal import Rehearsal, Rehearsed

ALWAYS = tuple(Path(module.__file__) for module in (camera, fonts, layout, settings, theme))
LIBRARIES = ("manim", "av", "uharfbuzz", "pycairo")
ROOT = Path(__file__).resolve().parents[2]
KEPT_PER_SECTION = 6


@cache
def file_digest(path: Path, stamp: int) -> str:
    """SHA-256 of a file; `stamp` is its modification time in ns."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(path: Path) -> str:
    return file_digest(path, path.stat().st_mtime_ns)


@dataclass(frozen=True)
class SectionCache:
    """Clips of one film below `folder`."""

    folder: Path

    def clip(self, rehearsal: Rehearsal, rehearsed: Rehearsed, quality: Quality) -> Path:
        """Where the clip of a section is, or will be, kept."""
        facts = [
            repr(rehearsed.section),
            rehearsal.scene.trace.content_sha256,
            f"unverified {rehearsal.scene.trace.unverified}",
            repr(quality),
            *(f"{name} {version(name)}" for name in LIBRARIES),
            *(_digest(path) for path in sorted(fonts.FOLDER.iterdir())),
        ]
        for path in sorted({*rehearsed.sources, *ALWAYS}):
            facts.append(f"{_name(path)} {_digest(path)}")
        digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:20]
        return self.folder / f"{rehearsed.section.key}-{quality.name}-{digest}.mp4"

    def prune(self, section_keys: int) -> None:
        """Delete the oldest clips beyond a few generations of `section_keys` sections."""
        clips = sorted(self.folder.glob("*.mp4"), key=lambda path: path.stat().st_mtime)
        for path in clips[: max(0, len(clips) - KEPT_PER_SECTION * section_keys)]:
            path.unlink()


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name
