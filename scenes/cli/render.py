"""`python -m scenes render`."""

from pathlib import Path

import click

from astrai_sim.trace import Trace
from scenes.cli.arguments import (
    FileNamed,
    FilmName,
    audio_option,
    look_options,
    main,
    output_option,
    progress_bar,
    quality_option,
    seconds_option,
    trace_option,
)
from scenes.draw.layout import Frame
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.quality import Quality
from scenes.film.render import render_film
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
@look_options
@output_option(
    "MP4 file to write; default: media/films/FILM.mp4, FILM-TRACE.mp4 for another trace than its own.",
    FileNamed(".mp4"),
)
@audio_option
@click.option("-q", "--quiet", is_flag=True, help="Print nothing but the film that was written.")
@click.option("--processes", type=click.IntRange(1), help="Default: one for each core.")
def render_command(
    film: type[FilmScene] | None,
    every: bool,
    trace: Path | None,
    seconds: float | None,
    quality: Quality,
    frame: Frame,
    theme: Theme,
    output: Path | None,
    audio: Path | None,
    processes: int | None,
    quiet: bool,
) -> None:
    """Render FILM, section by section, and join it.

    Beside it lie subtitles (.srt, .vtt), its chapters as text and a narration script.
    """
    if every == bool(film):
        raise click.UsageError("name one film, or give --all")
    if every and output:
        raise click.UsageError("--all gives each film a place of its own")
    for one in (film,) if film else applying(trace) if trace else catalog.films().values():
        with progress_bar(one.__name__, quiet) as tell:
            running = {"processes": processes, "progress": tell, "seconds": seconds, "audio": audio}
            made = render_film(one, trace, quality.shaped(frame, theme), output, **running)
        kept = f", {len(made.reused)} unchanged" if made.reused else ""
        if not quiet:
            click.echo(f"{len(made.rendered)} sections rendered{kept}", err=True)
        click.echo(made.path)


def applying(path: Path) -> tuple[type[FilmScene], ...]:
    """The films that have something to tell of a trace. Raises TraceError, and DoesNotApply where there is none."""
    trace = for_the_screen(Trace.open(path))
    films = catalog.films().values()
    if not (found := tuple(film for film in films if film.why_not(trace) is None)):
        raise DoesNotApply(f"no film does: `list --trace {path}` says why")
    return found
