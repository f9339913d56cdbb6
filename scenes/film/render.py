"""From a trace to a film: sections side by side, then joined, with what the file says of the recording."""

import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from astrai_sim.files import whole
from astrai_sim.trace import Trace
from scenes.draw import fonts
from scenes.film.audio import Sound
from scenes.film.cut import cut
from scenes.film.join import CannotJoin, is_whole, join
from scenes.film.opening import other_trace
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.scene import FilmScene, Played
from scenes.film.subtitles import lines_of, write_script, write_subtitles
from scenes.film.vouched import TRACE_PACKAGE, sources_digest
from scenes.film.worker import RENDERING, Job, render_section, start

MEDIA = Path("media")
LIBRARIES = ("manim", "av", "uharfbuzz", "pycairo")
SOURCES = (Path(__file__).resolve().parents[1], TRACE_PACKAGE)
KEPT_PER_SECTION = 6
Progress = Callable[[float, float], None]


@dataclass(frozen=True)
class Film:
    """A rendered film: its file, the titles of its chapters, and the keys of sections rendered now or before."""

    path: Path
    chapters: tuple[str, ...]
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
    audio: Path | None = None,
) -> Film:
    """Render `film` for `trace` (default: the film's own) to `output`; beside it subtitles, chapters and a script.

    `seconds` is the length asked for, met within a tenth; default: what the film takes. `audio` is a file whose sound
    is laid below it (see `scenes.film.audio`).

    Sections whose clip is still in the cache are not rendered again. `progress` is called with the film seconds
    rendered and those to render. The output appears whole or not at all. Raises CannotJoin where it is not to be an
    MP4, where `film` is defined in the script that runs (other processes render it too), or where a process that
    renders was killed; NoSound where `audio` has none; OSError where something cannot be written, before anything is
    rendered if that is `output`.
    """
    if film.__module__ == "__main__":
        raise CannotJoin(f"{film.__name__} is defined in the script that runs: put it into a module and import it")
    output = output or film_path(film, quality, media, trace)
    if output.suffix.lower() != ".mp4":
        raise CannotJoin(
            f"{output}: a film is an MP4: name it {output.with_suffix('.mp4').name}, cut a GIF of it with gif"
        )
    sound = Sound.of(audio) if audio else None
    rehearsal = rehearse(film, trace, seconds=seconds, quality=quality)
    return render_rehearsed(rehearsal, quality, output, media, processes, progress, sound)


def render_rehearsed(
    rehearsal: Rehearsal,
    quality: Quality,
    output: Path,
    media: Path = MEDIA,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
    sound: Sound | None = None,
) -> Film:
    """Render a film that was played, in `quality`, to the MP4 file `output`, as `render_film` does, which see."""
    film = type(rehearsal.scene)
    _try_to_write(output)
    clips, missing = render_sections(rehearsal, quality, media, processes, progress)
    titles = tuple(played.section.title for played in rehearsal.sections)
    with whole(output) as joined:
        tags = describe(film.__name__, film.__doc__ or "", rehearsal.scene.trace)
        join(list(clips.values()), joined, quality.fps, tags, titles)
        if sound:
            sound.below(joined)
    told = cut(rehearsal, quality.fps)
    write_subtitles(lines_of(told), output)
    write_script(told, tags["title"], output)
    return Film(output, titles, missing, tuple(key for key in clips if key not in missing))


def render_sections(
    rehearsal: Rehearsal,
    quality: Quality,
    media: Path = MEDIA,
    processes: int | None = None,
    progress: Progress = lambda done, total: None,
    only: Collection[str] | None = None,
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Have the sections of a film, or those with the keys `only`, in the cache below `media`: the clip of each by its
    key, and the keys of those that were not there.

    Raises CannotJoin where a process that renders was killed, and OSError where something cannot be written.
    """
    film = type(rehearsal.scene)
    folder = media / "sections" / film.__name__
    wanted = [played for played in rehearsal.sections if only is None or played.section.key in only]
    clips = {one.section.key: clip_path(folder, rehearsal, one, quality) for one in wanted}
    missing = tuple(key for key, clip in clips.items() if not is_whole(clip))
    opened = rehearsal.scene.trace
    told = (film, rehearsal.scene.trace_path.resolve(), opened.content_sha256)
    sections = [played.section for played in wanted]
    jobs = [Job(*told, section, quality, clips[section.key]) for section in sections if section.key in missing]
    _render(jobs, rehearsal, processes or os.cpu_count() or 1, progress)
    for clip in clips.values():
        clip.touch()
    prune(folder, len(rehearsal.sections))
    return clips, missing


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
        *_tools(),
        sources_digest(*SOURCES),
    ]
    digest = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:20]
    return folder / f"{played.section.key}-{min(quality.width, quality.height)}p{quality.fps}-{digest}{quality.suffix}"


@cache
def _tools() -> tuple[str, ...]:
    """Versions of the libraries and digests of the fonts, as they are when first asked for."""
    files = sorted(fonts.FOLDER.iterdir())
    return *(f"{name} {version(name)}" for name in LIBRARIES), *(
        hashlib.sha256(p.read_bytes()).hexdigest() for p in files
    )


def prune(folder: Path, section_keys: int) -> None:
    """Delete the oldest clips in `folder` beyond a few generations of `section_keys` sections."""
    clips = sorted(folder.glob("*.m[op][v4]"), key=lambda path: path.stat().st_mtime)
    for path in clips[: max(0, len(clips) - KEPT_PER_SECTION * section_keys)]:
        path.unlink()


def _try_to_write(output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output.parent).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from None


def _render(jobs: list[Job], rehearsal: Rehearsal, processes: int, progress: Progress) -> None:
    """Render `jobs`, the longest first so that no core is left with one at the end."""
    seconds = {r.section.key: r.seconds for r in rehearsal.sections}
    total = sum(seconds[job.section.key] for job in jobs)
    done: dict[str, float] = {}
    progress(0.0, total)
    if not jobs:
        return
    context = multiprocessing.get_context("spawn")
    reports, stopping = context.Queue(), context.Event()
    workers = min(processes, len(jobs))
    with ProcessPoolExecutor(workers, context, initializer=start, initargs=(reports, stopping)) as pool:
        with _without_script():
            ordered = sorted(jobs, key=lambda job: -seconds[job.section.key])
            waiting = {pool.submit(render_section, job) for job in ordered}
        try:
            while waiting:
                finished, waiting = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                while not reports.empty():
                    done.update([reports.get()])
                progress(sum(done.values()), total)
        except BaseException as error:
            stopping.set()
            pool.shutdown(cancel_futures=True)
            for left in jobs[0].clip.parent.glob(f"{RENDERING}{os.getpid()}-*"):  # Manim may have written to the last
                shutil.rmtree(left)
            if isinstance(error, BrokenProcessPool):
                raise CannotJoin("a process that renders was killed, maybe for its memory: try --processes 1") from None
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
