"""`python -m scenes render`."""

from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn, TimeRemainingColumn

from astrai_sim.trace import Trace
from scenes.cli.arguments import (
    FileNamed,
    FilmName,
    look_options,
    main,
    output_option,
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
    for one in (film,) if film else applying(trace) if trace else catalog.films().values():
        bar = Progress(
            "{task.description}",
            BarColumn(),
            "{task.completed:.0f} of {task.total:.0f} s of film",
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True, quiet=quiet),
        )
        tell = partial(_tell, bar, bar.add_task(one.__name__, total=None, visible=False))
        try:
            made = render_film(
                one, trace, quality.shaped(frame, theme), output, processes=processes, progress=tell, seconds=seconds
            )
        finally:
            if bar.live.is_started:
                bar.stop()
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


def _tell(bar: Progress, task: TaskID, done: float, total: float) -> None:
    if total:
        bar.start()
    bar.update(task, completed=done, total=total, visible=total > 0)
