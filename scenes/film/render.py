"""From a trace to a film: sections side by side, then joined, with what the file says of the recording."""

import os
import tempfile
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path

from astrai_sim.files import whole
from astrai_sim.trace import Trace
from scenes.farm.crew import HERE, Crew
from scenes.farm.run import Progress, Sheet
from scenes.film.audio import Sound
from scenes.film.batch import Batch, Sections
from scenes.film.cut import cut
from scenes.film.join import CannotJoin, join
from scenes.film.quality import FINAL, Quality
from scenes.film.rehearsal import Rehearsal, rehearse
from scenes.film.scene import FilmScene
from scenes.film.subtitles import lines_of, write_script, write_subtitles

MEDIA = Path("media")


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
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
    seconds: float | None = None,
    audio: Path | None = None,
) -> Film:
    """Render `film` for `trace` (default: the film's own) to `output`; beside it subtitles, chapters and a script.

    `seconds` is the length asked for, met within a tenth; default: what the film takes. `audio` is a file whose sound
    is laid below it (see `scenes.film.audio`).

    Sections whose clip is still in the cache are not rendered again. `progress` is called with the film seconds
    rendered and those to render. The output appears whole or not at all. Raises CannotJoin where it is not to be an
    MP4, or where `film` is defined in the script that runs (other processes render it too); WorkersLost where those
    who render were killed or are not to be had; NoSound where `audio` has none; OSError where something cannot be
    written, before anything is rendered if that is `output`.
    """
    wanted = Wanted(film, quality, output)
    return next(iter(render_films([wanted], trace, media, crew, progress, seconds, audio)[0]))


@dataclass(frozen=True)
class Wanted:
    """A film to render, how, and to which MP4 file; default: where it goes by itself."""

    film: type[FilmScene]
    quality: Quality = FINAL
    output: Path | None = None


def render_films(
    films: Iterable[Wanted],
    trace: str | Path | None = None,
    media: Path = MEDIA,
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
    seconds: float | None = None,
    audio: Path | None = None,
) -> tuple[Iterator[Film], Sheet]:
    """Have the sections of all `films` rendered in one run, as `render_film` does, which see: the films, each joined
    when it is asked for, and who did what in the run."""
    places = []
    for one in films:
        if one.film.__module__ == "__main__":
            raise CannotJoin(
                f"{one.film.__name__} is defined in the script that runs: put it into a module and import it"
            )
        output = one.output or film_path(one.film, one.quality, media, trace)
        if output.suffix.lower() != ".mp4":
            raise CannotJoin(
                f"{output}: a film is an MP4: name it {output.with_suffix('.mp4').name}, cut a GIF of it with gif"
            )
        places.append((one, output))
    sound = Sound.of(audio) if audio else None
    parts: list[tuple[Rehearsal, Quality, Path, Sections]] = []
    with Batch(media, crew, progress) as batch:
        for one, output in places:
            rehearsal = rehearse(one.film, trace, seconds=seconds, quality=one.quality)
            if not parts:
                for _, place in places:
                    _try_to_write(place)
            parts.append((rehearsal, one.quality, output, batch.add(rehearsal, one.quality)))
            batch.go_on(len(parts) < len(places))
    return (joined(*part, sound) for part in parts), batch.sheet


def render_rehearsed(
    rehearsal: Rehearsal,
    quality: Quality,
    output: Path,
    media: Path = MEDIA,
    crew: Crew = HERE,
    progress: Progress = lambda done, total: None,
    sound: Sound | None = None,
) -> Film:
    """Render a film that was played, in `quality`, to the MP4 file `output`, as `render_film` does, which see."""
    _try_to_write(output)
    with Batch(media, crew, progress) as batch:
        sections = batch.add(rehearsal, quality)
    return joined(rehearsal, quality, output, sections, sound)


def joined(
    rehearsal: Rehearsal, quality: Quality, output: Path, sections: Sections, sound: Sound | None = None
) -> Film:
    """The film of sections that were rendered, `sound` below it; beside it subtitles, chapters and a script."""
    film = type(rehearsal.scene)
    titles = tuple(played.section.title for played in rehearsal.sections)
    with whole(output) as unfinished:
        tags = describe(film.__name__, film.__doc__ or "", rehearsal.scene.trace)
        join(list(sections.clips.values()), unfinished, quality.fps, tags, titles)
        if sound:
            sound.below(unfinished)
    told = cut(rehearsal, quality.fps)
    write_subtitles(lines_of(told), output)
    write_script(told, tags["title"], output)
    return Film(output, titles, sections.missing, tuple(key for key in sections.clips if key not in sections.missing))


def _try_to_write(output: Path) -> None:
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output.parent).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(output)) from None


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
