"""`python -m scenes sheet`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.cli.arguments import film_argument, one_line_errors, rendered, rendered_option
from scenes.film.render import MEDIA
from scenes.film.scene import FilmScene
from scenes.film.sheet import contact_sheet


@click.command("sheet")
@film_argument
@rendered_option("look through")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="PNG file to write; default: media/sheets/FILM.png.",
)
@click.option("--frames", type=click.IntRange(1), default=32, show_default=True)
@click.option("--columns", type=click.IntRange(1), default=4, show_default=True)
@click.option("--width", type=click.IntRange(64), default=480, show_default=True, help="Pixels a frame.")
def sheet_command(
    film: type[FilmScene], source: Path | None, output: Path | None, frames: int, columns: int, width: int
) -> None:
    """Draw a contact sheet of the rendered FILM."""
    output = output or MEDIA / "sheets" / f"{film.__name__}.png"
    with one_line_errors():
        contact_sheet(rendered(film, source), output, frames, columns, width)
    click.echo(output)
