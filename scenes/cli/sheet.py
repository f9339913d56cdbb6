"""`python -m scenes sheet`, `gif` and `gallery`: pictures of rendered films, and of every part."""

from pathlib import Path
from typing import Any

import click

from astrai_sim.files import whole
from scenes.cli.arguments import FileNamed, film_argument, main, output_option, rendered, rendered_option
from scenes.film import catalog
from scenes.film.gallery import gallery, parts
from scenes.film.gif import Cut, make_gif
from scenes.film.render import MEDIA
from scenes.film.scene import FilmScene
from scenes.film.sheet import contact_sheet


@main.command("sheet")
@film_argument
@rendered_option("look through")
@output_option("PNG file to write; default: media/sheets/FILM.png.", FileNamed(".png"))
@click.option("--frames", type=click.IntRange(1), default=32)
@click.option("--columns", type=click.IntRange(1), default=4)
@click.option("--width", type=click.IntRange(64), default=480, help="Pixels a frame.")
def sheet_command(
    film: type[FilmScene], source: Path | None, output: Path | None, frames: int, columns: int, width: int
) -> None:
    """Draw a contact sheet of the rendered FILM."""
    output = output or MEDIA / "sheets" / f"{film.__name__}.png"
    contact_sheet(rendered(film, source), output, frames, columns, width)
    click.echo(output)


@main.command("gif")
@film_argument
@rendered_option("cut from")
@output_option("GIF file to write; default: media/gifs/FILM.gif.", FileNamed(".gif"))
@click.option("--start", type=click.FloatRange(0), default=0.0)
@click.option("--seconds", type=click.FloatRange(0.1), default=20.0)
@click.option("--speed", type=click.FloatRange(0.1), default=1.0)
@click.option("--width", type=click.IntRange(480), default=800)
@click.option("--fps", type=click.IntRange(1, 50), default=10)
@click.option(
    "--limit", type=click.IntRange(1), default=3_000_000, help="Most bytes; the picture is made narrower until it fits."
)
def gif_command(film: type[FilmScene], source: Path | None, output: Path | None, limit: int, **cut: Any) -> None:
    """Make an animated GIF of a stretch of the rendered FILM."""
    output = output or MEDIA / "gifs" / f"{film.__name__}.gif"
    made = make_gif(rendered(film, source), output, Cut(**cut), limit)
    click.echo(f"{output} ({made.width} px wide, {output.stat().st_size} bytes)")


@main.command("gallery")
@output_option("Folder for the PNGs.", click.Path(file_okay=False, path_type=Path), default=MEDIA / "gallery")
def gallery_command(output: Path) -> None:
    """Draw one still of every part of the picture, from the shipped traces.

    One line for each: the file, and where in which film it is seen so.
    """
    output.mkdir(parents=True, exist_ok=True)
    stills = gallery(catalog.films().values())
    for still in stills:
        with whole(output / f"{still.part}.png") as partial:
            still.image.save(partial)
        click.echo(f"{output / still.part}.png: {still.film} at {still.time:.2f} s")
    missing = [name for name in parts() if name not in {still.part for still in stills}]
    if missing:
        raise click.ClickException(f"no film shows: {', '.join(missing)}")
