"""`python -m scenes gif`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.cli.arguments import film_argument, one_line_errors, rendered, rendered_option
from scenes.film.gif import Cut, make_gif
from scenes.film.render import MEDIA
from scenes.film.scene import FilmScene


@click.command("gif")
@film_argument
@rendered_option("cut from")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="GIF file to write; default: media/gifs/FILM.gif.",
)
@click.option("--start", type=click.FloatRange(0), default=0.0, show_default=True)
@click.option("--seconds", type=click.FloatRange(0.1), default=20.0, show_default=True)
@click.option("--speed", type=click.FloatRange(0.1), default=1.0, show_default=True)
@click.option("--width", type=click.IntRange(480), default=800, show_default=True)
@click.option("--fps", type=click.IntRange(1, 50), default=10, show_default=True)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=3_000_000,
    show_default=True,
    help="Most bytes; the picture is made narrower until it fits.",
)
def gif_command(
    film: type[FilmScene],
    source: Path | None,
    output: Path | None,
    start: float,
    seconds: float,
    speed: float,
    width: int,
    fps: int,
    limit: int,
) -> None:
    """Make an animated GIF of a stretch of the rendered FILM."""
    output = output or MEDIA / "gifs" / f"{film.__name__}.gif"
    with one_line_errors():
        cut = make_gif(rendered(film, source), output, Cut(start, seconds, speed, width, fps), limit)
    click.echo(f"{output} ({cut.width} px wide, {output.stat().st_size} bytes)")
