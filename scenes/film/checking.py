"""Checking a whole film: what it shows is what its trace recorded."""

from __future__ import annotations

from pathlib import Path

from astrai_sim.trace import Trace
from scenes.check.checker import Checker, CheckReport
from scenes.film.moments import Moments, every, within
from scenes.film.quality import PREVIEW, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene

EVERY_FRAME: Moments = every(1 / 15)


def check(
    film: type[FilmScene],
    trace: str | Path | Trace | None = None,
    seconds: float | None = None,
    moments: Moments = within,
    quality: Quality = PREVIEW,
) -> CheckReport:
    """Play `film` from `trace` (default: the film's own) and compare after every beat and at `moments`.

    `seconds` is the length asked for; default: what the film takes; `quality` says
    in which frame and theme.
    """
    checker = Checker()
    rehearse(film, trace, observers=(checker,), moments=moments, seconds=seconds, quality=quality)
    return checker.report()
