"""`python -m scenes render`."""

from pathlib import Path

import click

from astrai_sim.trace import Trace
from scenes.cli.arguments import (
    FileNamed,
    FilmName,
    Named,
    audio_option,
    crew_options,
    main,
    output_option,
    progress_bar,
    quality_option,
    seconds_option,
    tell_busy,
    theme_option,
    trace_option,
)
from scenes.draw.layout import FRAMES, WIDE, Frame
from scenes.farm.crew import Crew
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.quality import Quality
from scenes.film.render import Wanted, render_films
from scenes.film.scene import FilmScene
from scenes.story.errors import DoesNotApply
from scenes.theme import Theme


@main.command("render")
@click.argument("film", type=FilmName(), required=False)
@click.option(
    "--all", "every", is_flag=True, help="Render every film from its own trace, or all that apply to the one given."
)
@trace_option
@seconds_option
@quality_option
@click.option(
    "--frame",
    "frames",
    type=Named(FRAMES),
    default=(WIDE.name,),
    multiple=True,
    help="Shape of the picture; again for a film in each of several.",
)
@theme_option
@output_option(
    "MP4 file to write; default: media/films/FILM.mp4, FILM-TRACE.mp4 for another trace than its own.",
    FileNamed(".mp4"),
)
@audio_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the film that was written.")
@crew_options
def render_command(
    film: type[FilmScene] | None,
    every: bool,
    trace: Path | None,
    seconds: float | None,
    quality: Quality,
    frames: tuple[Frame, ...],
    theme: Theme,
    output: Path | None,
    audio: Path | None,
    crew: Crew,
    quiet: bool,
) -> None:
    """Render FILM, section by section, and join it.

    Beside it lie subtitles (.srt, .vtt), its chapters as text and a narration script.
    """
    if every == bool(film):
        raise click.UsageError("name one film, or give --all")
    if every and output:
        raise click.UsageError("--all gives each film a place of its own")
    films = [film] if film else applying(trace) if trace else list(catalog.films().values())
    if output and len(frames) > 1:
        raise click.UsageError("each frame has a place of its own: leave -o away")
    wanted = [Wanted(one, quality.shaped(frame, theme), output) for one in films for frame in dict.fromkeys(frames)]
    with progress_bar(film.__name__ if film else f"{len(films)} films", quiet) as tell:
        made, sheet = render_films(wanted, trace, crew=crew, progress=tell, seconds=seconds, audio=audio)
    for one in made:
        kept = f", {len(one.reused)} unchanged" if one.reused else ""
        if not quiet:
            click.echo(f"{len(one.rendered)} sections rendered{kept}", err=True)
        click.echo(one.path)
    if not quiet:
        tell_busy(sheet)


def applying(path: Path) -> tuple[type[FilmScene], ...]:
    """The films that have something to tell of a trace. Raises TraceError, and DoesNotApply where there is none."""
    trace = for_the_screen(Trace.open(path))
    films = catalog.films().values()
    if not (found := tuple(film for film in films if film.why_not(trace) is None)):
        raise DoesNotApply(f"no film does: `list --trace {path}` says why")
    return found
