"""Clips of sections kept from one rendering to the next.

A clip's file name carries a digest of everything that its picture comes from: what the section plays, the trace, the
quality, the fonts, the libraries, and all sources of the films and of reading a trace. A change to one of them asks for
another file; nothing is ever overwritten or trusted by date.
"""

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from scenes.draw import fonts
from scenes.film.opening import other_trace
from scenes.film.quality import Quality
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import Played
from scenes.film.vouched import TRACE_PACKAGE, sources_digest

LIBRARIES = ("manim", "av", "uharfbuzz", "pycairo")
SOURCES = (Path(__file__).resolve().parents[1], TRACE_PACKAGE)
KEPT_PER_SECTION = 6


@dataclass(frozen=True)
class SectionCache:
    """Clips of one film below `folder`."""

    folder: Path

    def clip(self, rehearsal: Rehearsal, played: Played, quality: Quality) -> Path:
        """Where the clip of a section is, or will be, kept."""
        source = getattr(played.section, "source", None)
        facts = [
            repr(played.section),
            rehearsal.scene.trace.content_sha256,
            f"unverified {rehearsal.scene.trace.unverified}",
            *([other_trace(source).content_sha256] if source else ()),
            repr(quality),
            *(f"{name} {version(name)}" for name in LIBRARIES),
            *(hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(fonts.FOLDER.iterdir())),
            sources_digest(*SOURCES),
        ]
        digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:20]
        return self.folder / f"{played.section.key}-{quality.name}-{digest}.mp4"

    def prune(self, section_keys: int) -> None:
        """Delete the oldest clips beyond a few generations of `section_keys` sections."""
        clips = sorted(self.folder.glob("*.mp4"), key=lambda path: path.stat().st_mtime)
        for path in clips[: max(0, len(clips) - KEPT_PER_SECTION * section_keys)]:
            path.unlink()
