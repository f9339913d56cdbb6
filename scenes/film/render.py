"""From a trace to a film: sections side by side on the machine's cores, then joined."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Empty

from scenes.film import metadata, worker
from scenes.film.join import CannotJoin, Chapter, is_whole, join
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.scene import FilmScene
from scenes.film.section_cache import SectionCache

MEDIA = Path("media")
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Film:
    """A rendered film: its file, chapters, and how many sections were rendered for it."""

    path: Path
    chapters: tuple[Chapter, ...]
    rendered: tuple[str, ...]
    reused: tuple[str, ...]


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
    appears whole or not at all. Raises CannotJoin where it is not to be an MP4.
    """
    output = output or film_path(film, quality, media, trace)
    if output.suffix.lower() != ".mp4":
        raise CannotJoin(
            f"{output}: a film is an MP4: name it {output.with_suffix('.mp4').name}, cut a GIF of it with gif"
        )
    rehearsal = rehearse(film, trace, seconds=seconds, quality=quality)
    cache = SectionCache(media / "sections" / film.__name__)
    clips = {rehearsed.section.key: cache.clip(rehearsal, rehearsed, quality) for rehearsed in rehearsal.sections}
    missing = [key for key, clip in clips.items() if not is_whole(clip)]
    jobs = [
        worker.Job(
            film,
            rehearsal.scene.trace_path.resolve(),
            rehearsal.scene.trace.content_sha256,
            rehearsed.section,
            quality,
            clips[rehearsed.section.key],
        )
        for rehearsed in rehearsal.sections
        if rehearsed.section.key in missing
    ]
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
    tags = metadata.describe(film.__name__, film.summary, rehearsal.scene.trace)
    titles = [rehearsed.section.title for rehearsed in rehearsal.sections]
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".joining-", dir=output.parent) as folder:
        joined = Path(folder) / output.name
        chapters = join(clips, joined, quality.fps, tags, titles)
        joined.replace(output)
    return chapters


def _render(jobs: list[worker.Job], rehearsal: Rehearsal, processes: int, progress: Progress) -> None:
    """Render `jobs`, the longest first so that no core is left with one at the end."""
    seconds = {r.section.key: r.seconds for r in rehearsal.sections}
    total = sum(seconds[job.key] for job in jobs)
    done = dict.fromkeys((job.key for job in jobs), 0.0)
    progress(0.0, total)
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    reports, stopping = context.Queue(), context.Event()
    told = (reports, stopping)
    with ProcessPoolExecutor(min(processes, len(jobs)), context, initializer=worker.start, initargs=told) as pool:
        waiting = {pool.submit(worker.render_section, job) for job in sorted(jobs, key=lambda job: -seconds[job.key])}
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
            raise
    progress(total, total)


def _drain(reports: multiprocessing.Queue, done: dict[str, float]) -> None:
    while True:
        try:
            key, clock = reports.get_nowait()
        except Empty:
            return
        done[key] = clock
