"""`python -m scenes gallery`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.cli.arguments import one_line_errors
from scenes.film import catalog
from scenes.film.gallery import gallery, parts
from scenes.film.render import MEDIA


@click.command("gallery")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=MEDIA / "gallery",
    show_default=True,
    help="Folder for the PNGs.",
)
def gallery_command(output: Path) -> None:
    """Draw one still of every part of the picture, from the shipped traces.

    One line for each: the file, and where in which film it is seen so.
    """
    with one_line_errors():
        output.mkdir(parents=True, exist_ok=True)
        stills = gallery(catalog.films().values())
        for still in stills:
            still.image.save(output / f"{still.part}.png")
            click.echo(f"{output / still.part}.png: {still.film} at {still.time:.2f} s")
    missing = [name for name in parts() if name not in {still.part for still in stills}]
    if missing:
        raise click.ClickException(f"no film shows: {', '.join(missing)}")
