"""Clips of sections that are kept from one rendering to the next, by what they are made of."""

import hashlib
from dataclasses import replace
from pathlib import Path

from scenes.draw.layout import WIDE
from scenes.film.opening import other_trace
from scenes.film.quality import Quality
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import Played
from scenes.film.version import SOURCES, tools
from scenes.film.vouched import sources_digest

KEPT_PER_SECTION = 6


def priced(quality: Quality) -> str:
    """What says how dear a second of film is, as `1080p60`."""
    shape = "" if quality.frame == WIDE else f" {quality.frame.name}"
    return f"{min(quality.width, quality.height)}p{quality.fps}{shape}{' clear' if quality.clear else ''}"


def clip_path(folder: Path, rehearsal: Rehearsal, played: Played, quality: Quality) -> Path:
    """Where the clip of a section is, or will be, kept from one rendering to the next.

    Its name carries a digest of everything that its picture comes from: what the section plays, the trace, size, frame
    rate and look, the fonts, the libraries, and all sources of the films and of reading a trace. A change to one of
    them asks for another file; nothing is ever overwritten or trusted by date. By what name the quality was asked for
    does not matter, so that one file serves film, clips, deck and promo.
    """
    source = played.section.source
    facts = [
        repr(played.section),
        rehearsal.scene.trace.content_sha256,
        f"unverified {rehearsal.scene.trace.unverified}",
        *([other_trace(source).content_sha256] if source else ()),
        repr(replace(quality, name="")),
        *tools(),
        sources_digest(*SOURCES),
    ]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:20]
    return folder / f"{played.section.key}-{min(quality.width, quality.height)}p{quality.fps}-{digest}{quality.suffix}"


def prune(folder: Path, section_keys: int) -> None:
    """Delete the oldest clips in `folder` beyond a few generations of `section_keys` sections."""
    clips = sorted(folder.glob("*.m[op][v4]"), key=lambda path: path.stat().st_mtime)
    for path in clips[: max(0, len(clips) - KEPT_PER_SECTION * section_keys)]:
        path.unlink()
