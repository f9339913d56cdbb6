"""Rendering one section, by whoever does it."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from weakref import WeakValueDictionary

from astrai_sim.trace import Trace, TraceError
from scenes.farm.task import Files, Stopped, current
from scenes.film.join import join
from scenes.film.opening import for_the_screen, lend
from scenes.film.quality import Quality, rendering
from scenes.film.scene import FilmScene, Observer
from scenes.stage.shot import Section, Storyboard


@dataclass(frozen=True)
class Told:
    """A trace to tell: the digest of its file, and of the content that was read of it (see `Trace.content_sha256`).

    `unverified` is what the rehearsal found: for the same content, by the same sources, it is not asked again.
    """

    file: str
    content: str
    unverified: bool | None


@dataclass(frozen=True)
class Job:
    """A section to render from `trace`.

    `others` are the traces of which a section tells that is not told from the film's own, by name.
    """

    film: type[FilmScene]
    trace: Told
    section: Section
    quality: Quality
    others: Mapping[str, Told] = field(default_factory=dict)


_at_hand: WeakValueDictionary[Told, Trace] = WeakValueDictionary()


def have_at_hand(told: Told, trace: Trace) -> None:
    """Processes that begin as copies of this one need not open `trace` again, nor work out what is known of it."""
    _at_hand[told] = trace


def render_section(job: Job, files: Files, output: Path) -> None:
    """Render one section to `output`.

    Raises TraceError where the trace is not what it was when the film was rehearsed, Stopped where the film is not
    wanted any more, and OSError where it cannot be written, which Manim says by errors of its own.
    """
    trace = _trace(job.trace, files)
    for name, told in job.others.items():
        lend(name, _trace(told, files))
    try:
        with tempfile.TemporaryDirectory(prefix="section-", dir=output.parent) as name:
            folder = Path(name)
            with rendering(job.quality, folder):
                scene = job.film(
                    trace=trace,
                    observers=(_Reporter(),),
                    storyboard=Storyboard(job.film.__name__, (job.section,)),
                    quality=job.quality,
                )
                _stops(scene).render()
            parts = [Path(part) for part in scene.renderer.file_writer.partial_movie_files if part]
            join(parts, output, job.quality.fps)
    except (OSError, RuntimeError) as error:
        beneath: BaseException | None = error
        while beneath and not isinstance(beneath, OSError):
            beneath = beneath.__cause__
        if beneath is None:
            raise
        raise OSError(beneath.errno, beneath.strerror, str(output)) from None


def _trace(told: Told, files: Files) -> Trace:
    here = _at_hand.get(told)
    return opened(files[told.file], told) if here is None else here


@lru_cache(maxsize=4)
def opened(path: Path, told: Told) -> Trace:
    """A trace as films see it, opened once for all sections that a process renders of it. Raises TraceError."""
    trace = Trace.open(path)
    if trace.content_sha256 != told.content:
        raise TraceError(path, None, "changed while the film was being rendered: render it again")
    trace.unverified = told.unverified
    return for_the_screen(trace)


def _stops(scene: FilmScene) -> FilmScene:
    """`scene`, which raises Stopped before its next frame when the film is not wanted any more."""
    to_time, stopping = scene.update_to_time, current().stopping

    def update_to_time(t: float) -> None:
        if stopping():
            raise Stopped
        to_time(t)

    scene.update_to_time = update_to_time  # type: ignore[method-assign]
    return scene


class _Reporter(Observer):
    """Reports how many film seconds were made after every animation."""

    def __init__(self) -> None:
        self._made = 0.0

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        if not scene.rehearsing:
            self._made += scene.clock - began
            current().report(self._made)
