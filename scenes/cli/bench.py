"""`python -m scenes bench`: what rendering films costs on this machine."""

import os

import click
from rich.console import Console
from rich.table import Table

from astrai_sim.machine import cpu_name
from scenes.cli.arguments import FilmName, main, quality_option
from scenes.film import catalog
from scenes.film.bench import CannotMeasure, cost
from scenes.film.quality import Quality
from scenes.film.scene import FilmScene


@main.command("bench")
@click.argument("films", type=FilmName(), nargs=-1)
@quality_option
@click.option("--processes", type=click.IntRange(1), help="Processes that render; default: one for each core.")
@click.option("--whole", is_flag=True, help="Compare whole films: minutes for each, and some GB of disk.")
def bench_command(films: tuple[type[FilmScene], ...], quality: Quality, processes: int | None, whole: bool) -> None:
    """Render FILMS (default: all) anew and print what that costs, and what is lost by encoding.

    Seconds are those of a second of film, from the command to the film, start included. The section of median length,
    or with --whole the film, is compared with what was drawn, and with a slow encoding of that: x264's preset medium at
    crf 16.
    """
    title = f"{cpu_name()}, {os.cpu_count()} cores, {processes or os.cpu_count()} processes, {quality.name}"
    table = Table(title=title, caption="SSIM: to what was drawn, and that of medium at crf 16; size: in sizes of that")
    for heading in ("film", "seconds", "wall", "CPU", "section", "SSIM", "size"):
        table.add_column(heading, justify="left" if heading in ("film", "section") else "right")
    for film in films or catalog.films().values():
        try:
            found = cost(film, quality, processes, whole)
        except CannotMeasure as error:
            raise click.ClickException(f"{film.__name__}: {error}") from None
        a_second = (f"{spent / found.seconds:.2f} s" for spent in (found.wall, found.cpu))
        like = f"{found.like:.5f} / {found.slow:.5f}"
        table.add_row(film.__name__, f"{found.seconds:.1f}", *a_second, found.section, like, f"{found.size:.2f}")
    Console().print(table)
