"""Rendering one section, in a process of a pool."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing import Queue
from multiprocessing.synchronize import Event
from pathlib import Path

from tqdm import tqdm

from astrai_sim.trace import Trace, TraceError
from scenes.film.join import join
from scenes.film.quality import Quality, rendering
from scenes.film.scene import FilmScene, Observer
from scenes.stage.shot import Section, Storyboard

_progress: Queue | None = None
_stopping: Event | None = None
RENDERING = ".rendering-"
"""How folders of sections on their way begin; the process that wants them follows."""
LAST_SECONDS = 5.0
"""In which a worker without a parent can tidy up."""


@dataclass(frozen=True)
class Job:
    """A section to render: `clip` is the file to write, `content` the SHA-256 of what `trace` must hold."""

    film: type[FilmScene]
    trace: Path
    content: str
    section: Section
    quality: Quality
    clip: Path


class Stopped(Exception):
    """The film is not wanted any more."""


def start(progress: Queue, stopping: Event) -> None:
    """Called once in each process: where to report film seconds as they are rendered, and what says to stop.

    Ctrl-C is the parent's to handle; when that one is gone, so is this. Manim's bars need no lock among processes: one
    that ends at once would leave it behind.
    """
    tqdm.set_lock(threading.RLock())
    global _progress, _stopping
    _progress, _stopping = progress, stopping
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        if _stopping:
            _stopping.set()
        time.sleep(LAST_SECONDS)
        os._exit(1)


def render_section(job: Job) -> None:
    """Render one section; the clip appears whole or not at all.

    Raises TraceError where the trace is not what it was when the film was rehearsed, and OSError that names the
    clip where it cannot be written, which Manim says by errors of its own. The process ends where the film is not
    wanted any more: the thread in which Manim writes would wait for ever.
    """
    try:
        trace = Trace.open(job.trace)
        if trace.content_sha256 != job.content:
            raise TraceError(job.trace, None, "changed while the film was being rendered: render it again")
        job.clip.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{RENDERING}{os.getppid()}-", dir=job.clip.parent) as name:
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
            joined = folder / f"section{job.quality.suffix}"
            join(parts, joined, job.quality.fps)
            joined.replace(job.clip)
    except Stopped:
        os._exit(1)
    except (OSError, RuntimeError) as error:
        beneath: BaseException | None = error
        while beneath and not isinstance(beneath, OSError):
            beneath = beneath.__cause__
        if beneath is None:
            raise
        raise OSError(beneath.errno, beneath.strerror, str(job.clip)) from None


def _stops(scene: FilmScene) -> FilmScene:
    """`scene`, which raises Stopped before its next frame when the film is not wanted any more."""
    to_time = scene.update_to_time

    def update_to_time(t: float) -> None:
        if _stopping and _stopping.is_set():
            raise Stopped
        to_time(t)

    scene.update_to_time = update_to_time  # type: ignore[method-assign]
    return scene


class _Reporter(Observer):
    """Sends (section key, film seconds rendered) after every animation."""

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        if _progress is not None:
            _progress.put((scene.section.key, scene.clock))
