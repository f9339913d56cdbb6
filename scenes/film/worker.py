"""Rendering one section, in a process of a pool."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from multiprocessing import Queue
from pathlib import Path

from astrai_sim.trace import Trace, TraceError
from scenes.film.join import join
from scenes.film.quality import Quality
from scenes.film.scene import FilmScene, Observer
from scenes.film.settings import rendering
from scenes.stage.shot import Section, Storyboard

_progress: Queue | None = None


@dataclass(frozen=True)
class Job:
    """A section to render: `clip` is the file to write, `content` the SHA-256 of what `trace` must hold."""

    film: type[FilmScene]
    trace: Path
    content: str
    section: Section
    quality: Quality
    clip: Path

    @property
    def key(self) -> str:
        """The section's key."""
        return self.section.key


def start(progress: Queue) -> None:
    """Called once in each process: where to report film seconds as they are rendered."""
    global _progress
    _progress = progress


def render_section(job: Job) -> Path:
    """Render one section; the clip appears whole or not at all.

    Raises TraceError where the trace is not what it was when the film was rehearsed.
    """
    trace = Trace.open(job.trace)
    if trace.content_sha256 != job.content:
        raise TraceError(job.trace, None, "changed while the film was being rendered: render it again")
    job.clip.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".rendering-", dir=job.clip.parent) as name:
        folder = Path(name)
        with rendering(job.quality, folder):
            scene = job.film(
                trace=trace,
                observers=(_Reporter(job.key),),
                storyboard=Storyboard(job.film.__name__, (job.section,)),
                quality=job.quality,
            )
            scene.render()
        parts = [Path(part) for part in scene.renderer.file_writer.partial_movie_files if part]
        joined = folder / "section.mp4"
        join(parts, joined, job.quality.fps)
        joined.replace(job.clip)
    return job.clip


class _Reporter(Observer):
    """Sends (section key, film seconds rendered) after every animation."""

    def __init__(self, key: str) -> None:
        self.key = key

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        if _progress is not None:
            _progress.put((self.key, scene.clock))
