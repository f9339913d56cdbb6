"""Playing a film without drawing it: its sections and their lengths, and whether what it shows was recorded."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from astrai_sim.trace import Trace
from scenes.check.checker import Checker, CheckReport
from scenes.film.moments import Moments, every, nowhere, within
from scenes.film.quality import PREVIEW, Quality
from scenes.film.scene import FilmScene, Observer, Played
from scenes.stage.shot import Storyboard


@dataclass(frozen=True)
class Rehearsal:
    """A film played without drawing, and its length."""

    scene: FilmScene
    sections: tuple[Played, ...]
    seconds: float


def rehearse(
    film: type[FilmScene],
    trace: str | Path | Trace | None = None,
    observers: Sequence[Observer] = (),
    only: Collection[str] | None = None,
    storyboard: Storyboard | None = None,
    moments: Moments = nowhere,
    quality: Quality = PREVIEW,
    seconds: float | None = None,
) -> Rehearsal:
    """Play `film` for `trace` (default: the film's own) to its end without drawing.

    `storyboard` is what to play; default: what the film makes of the trace, as long as it is or `seconds` long to
    within a tenth. At the `moments` of its animations the film stops and calls the observers' `moment`; what they draw
    there with the scene's camera has the size of `quality`.

    Raises whatever opening the trace and telling it raise: `TraceError` for a file that is no trace, `DoesNotApply`
    where the film has nothing to tell, `CannotPace` where it cannot be `seconds` long.
    """
    opened = trace if isinstance(trace, Trace) else Trace.open(film.trace_for(trace))
    scene = film.rehearsed(
        opened, quality, observers=observers, only=only, storyboard=storyboard, moments=moments, seconds=seconds
    )
    return Rehearsal(scene, tuple(scene.played), scene.clock)


EVERY_FRAME: Moments = every(1 / 15)


def check(
    film: type[FilmScene],
    trace: str | Path | Trace | None = None,
    seconds: float | None = None,
    moments: Moments = within,
    quality: Quality = PREVIEW,
) -> CheckReport:
    """Play `film` from `trace` (default: the film's own) and compare after every beat and at `moments`.

    `seconds` is the length asked for; default: what the film takes; `quality` says in which frame and theme.
    """
    checker = Checker()
    rehearse(film, trace, observers=(checker,), moments=moments, seconds=seconds, quality=quality)
    return checker.report()
