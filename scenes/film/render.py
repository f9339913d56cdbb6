"""From a trace to a film: sections side by side, then joined, with what the file says of the recording."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from queue import Empty
from types import ModuleType

import av

from astrai_sim.files import whole
from astrai_sim.trace import Trace
from scenes.film.join import CannotJoin, Chapter, is_whole, join
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.scene import FilmScene
from scenes.film.section_cache import SectionCache
from scenes.film.worker import RENDERING, Job, render_section, start

MEDIA = Path("media")
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Film:
    """A rendered film: its file, chapters, and how many sections were rendered for it."""

    path: Path
    chapters: tuple[Chapter, ...]
    rendered: tuple[str, ...]
    reused: tuple[str, ...]

    def _repr_html_(self) -> str:
        """The film itself, for a notebook: it plays wherever the notebook is taken."""
        video = b64encode(self.path.read_bytes()).decode()
        return (
            f'<video controls width="960" src="data:video/mp4;base64,{video}" title="{escape(self.path.stem)}"></video>'
        )


def film_path(
    film: type[FilmScene], quality: Quality, media: Path = MEDIA, trace: str | os.PathLike | None = None
) -> Path:
    """Where a film goes unless it is told otherwise; one of another trace than its own bears that one's name."""
    told = film.trace_for(trace)
    other = [] if told.name == film.default_trace else [told.name.split(".jsonl")[0]]
    return media / "films" / ("-".join([film.__name__, *other, *([] if quality == FINAL else [quality.name])]) + ".mp4")


def render_film(
    film: type[FilmScene],
    trace: str | Path | None = None,
    quality: Quality = FINAL,
    output: Path | None = None,
    media: Path = MEDIA,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
    seconds: float | None = None,
) -> Film:
    """Render `film` for `trace` (default: the film's own) to `output`.

    `seconds` is the length asked for, met within a tenth; default: what the film takes.

    Sections whose clip is still in the cache are not rendered again. `progress`
    is called with the film seconds rendered and those to render. The output
    appears whole or not at all. Raises CannotJoin where it is not to be an MP4, or where `film` is defined
    in the script that runs: other processes render it too.
    """
    if film.__module__ == "__main__":
        raise CannotJoin(f"{film.__name__} is defined in the script that runs: put it into a module and import it")
    output = output or film_path(film, quality, media, trace)
    if output.suffix.lower() != ".mp4":
        raise CannotJoin(
            f"{output}: a film is an MP4: name it {output.with_suffix('.mp4').name}, cut a GIF of it with gif"
        )
    rehearsal = rehearse(film, trace, seconds=seconds, quality=quality)
    cache = SectionCache(media / "sections" / film.__name__)
    clips = {rehearsed.section.key: cache.clip(rehearsal, rehearsed, quality) for rehearsed in rehearsal.sections}
    missing = [key for key, clip in clips.items() if not is_whole(clip)]
    told = (film, rehearsal.scene.trace_path.resolve(), rehearsal.scene.trace.content_sha256)
    sections = [rehearsed.section for rehearsed in rehearsal.sections if rehearsed.section.key in missing]
    jobs = [Job(*told, section, quality, clips[section.key]) for section in sections]
    _render(jobs, rehearsal, processes or os.cpu_count() or 1, progress)
    for clip in clips.values():
        clip.touch()
    chapters = _join(film, rehearsal, list(clips.values()), output, quality)
    cache.prune(len(clips))
    reused = tuple(key for key in clips if key not in missing)
    return Film(output, tuple(chapters), tuple(missing), reused)


def _join(
    film: type[FilmScene], rehearsal: Rehearsal, clips: list[Path], output: Path, quality: Quality
) -> list[Chapter]:
    tags = describe(film.__name__, film.summary, rehearsal.scene.trace)
    titles = [rehearsed.section.title for rehearsed in rehearsal.sections]
    with whole(output) as joined:
        return join(clips, joined, quality.fps, tags, titles)


def _render(jobs: list[Job], rehearsal: Rehearsal, processes: int, progress: Progress) -> None:
    """Render `jobs`, the longest first so that no core is left with one at the end."""
    seconds = {r.section.key: r.seconds for r in rehearsal.sections}
    total = sum(seconds[job.key] for job in jobs)
    done = dict.fromkeys((job.key for job in jobs), 0.0)
    progress(0.0, total)
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    reports, stopping = context.Queue(), context.Event()
    workers = min(processes, len(jobs))
    with ProcessPoolExecutor(workers, context, initializer=start, initargs=(reports, stopping)) as pool:
        with _without_script():
            waiting = {pool.submit(render_section, job) for job in sorted(jobs, key=lambda job: -seconds[job.key])}
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                _drain(reports, done)
                progress(sum(done.values()), total)
        except BaseException:
            stopping.set()
            pool.shutdown(cancel_futures=True)
            for left in jobs[0].clip.parent.glob(f"{RENDERING}{os.getpid()}-*"):  # Manim may have written to the last
                shutil.rmtree(left)
            raise
    progress(total, total)


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started here do not run the program's script again: it may have no `__main__` guard."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def _drain(reports: multiprocessing.Queue, done: dict[str, float]) -> None:
    while True:
        try:
            key, clock = reports.get_nowait()
        except Empty:
            return
        done[key] = clock


def describe(film: str, summary: str, trace: Trace) -> dict[str, str]:
    """MP4 tags for a film of `trace`, with the SHA-256 that was computed of it."""
    header, device = trace.header, trace.header.device
    facts = {
        "trace_sha256": trace.computed_sha256,
        "trace_verified": "no" if trace.unverified else "yes",
        "trace_schema": f"{header.schema} {header.version}",
        "scenario": header.scenario_name,
        "device": f"{device.name} ({device.type})",
        "dtype": header.dtype,
        "model": header.model,
        "clock": header.clock,
        "engine": f"{header.engine.name} {header.engine.version}",
        "engine_commit": header.engine.commit or "unknown",
        "recorded": header.started,
        "rendered_with": f"Manim Community {version('manim')}",
    }
    return {
        "title": f"{film}: {header.scenario.title or header.scenario_name}",
        "description": summary,
        "date": header.started[:10],
        "comment": "\n".join(f"{name}={value}" for name, value in facts.items()),
    }


def told_facts(film: Path) -> dict[str, str]:
    """The facts that `describe` put into the file at `film`, and its title."""
    with av.open(str(film)) as container:
        tags = dict(container.metadata)
    facts = {"title": tags.get("title", "")}
    for line in tags.get("comment", "").splitlines():
        name, equals, value = line.partition("=")
        if equals:
            facts[name] = value
    return facts
