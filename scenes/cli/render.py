"""`python -m scenes render`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from astrai_sim.trace import Trace
from scenes.cli.arguments import FilmName, look_options, one_line_errors, quality_option, seconds_option, trace_option
from scenes.draw.layout import Frame
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.quality import Quality
from scenes.film.render import Film, render_film
from scenes.film.scene import FilmScene
from scenes.story.errors import DoesNotApply
from scenes.theme import Theme


@click.command("render")
@click.argument("film", type=FilmName(), required=False)
@click.option(
    "--all", "every", is_flag=True, help="Render every film from its own trace, or all that apply to the one given."
)
@trace_option
@seconds_option
@quality_option
@look_options
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="MP4 file to write; default: media/films/FILM.mp4, or FILM-TRACE.mp4 for another trace than its own.",
)
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
    processes: int | None,
    quiet: bool,
) -> None:
    """Render FILM, section by section, and join it."""
    if every == bool(film):
        raise click.UsageError("name one film, or give --all")
    if every and output:
        raise click.UsageError("--all gives each film a place of its own")
    with one_line_errors():
        chosen = (film,) if film else applying(trace) if trace else tuple(catalog.films().values())
        for one in chosen:
            _show(_render(one, trace, seconds, quality.shaped(frame, theme), output, processes, quiet), quiet)


def applying(path: Path) -> tuple[type[FilmScene], ...]:
    """The films that have something to tell of a trace. Raises TraceError, and DoesNotApply where there is none."""
    trace = for_the_screen(Trace.open(path))
    films = catalog.films().values()
    if not (found := tuple(film for film in films if film.why_not(trace) is None)):
        raise DoesNotApply(f"no film does: `list --trace {path}` says why")
    return found


def _render(
    film: type[FilmScene],
    trace: Path | None,
    seconds: float | None,
    quality: Quality,
    output: Path | None,
    processes: int | None,
    quiet: bool,
) -> Film:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f} of {task.total:.0f} s of film"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True, quiet=quiet),
    )
    with bar:
        task = bar.add_task(film.__name__, total=None, visible=False)

        def progress(done: float, total: float) -> None:
            bar.update(task, completed=done, total=total, visible=total > 0)

        return render_film(film, trace, quality, output, processes=processes, progress=progress, seconds=seconds)


def _show(film: Film, quiet: bool) -> None:
    kept = f", {len(film.reused)} unchanged" if film.reused else ""
    if not quiet:
        click.echo(f"{len(film.rendered)} sections rendered{kept}", err=True)
    click.echo(film.path)
