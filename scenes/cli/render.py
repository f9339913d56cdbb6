"""`python -m scenes render`."""

from functools import partial
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scenes.cli.arguments import (
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
from scenes.film.quality import Quality
from scenes.film.render import render_film
from scenes.film.scene import FilmScene
from scenes.theme import Theme


@main.command("render")
@click.argument("film", type=FilmName(), required=False)
@click.option("--all", "every", is_flag=True, help="Render every film from its own trace.")
@trace_option
@seconds_option
@quality_option
@look_options
@output_option("MP4 file to write; default: media/films/FILM.mp4.")
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
) -> None:
    """Render FILM, section by section, and join it."""
    if every == bool(film):
        raise click.UsageError("name one film, or give --all")
    if every and (trace or output):
        raise click.UsageError("--all takes each film's own trace and place")
    for one in catalog.films().values() if film is None else (film,):
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} s of film"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        look, task = quality.shaped(frame, theme), bar.add_task(one.__name__, total=None, visible=False)
        with bar:
            made = render_film(
                one, trace, look, output, processes=processes, progress=partial(_tell, bar, task), seconds=seconds
            )
        kept = f", {len(made.reused)} unchanged" if made.reused else ""
        click.echo(f"{len(made.rendered)} sections rendered{kept}", err=True)
        click.echo(made.path)


def _tell(bar: Progress, task: TaskID, done: float, total: float) -> None:
    bar.update(task, completed=done, total=total, visible=total > 0)
