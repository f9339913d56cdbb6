"""`python -m scenes promo`: a short film of moments of several, with a title and an end card, from a file."""

from dataclasses import replace
from pathlib import Path

import click

from scenes.cli.arguments import FILE, FileNamed, crew_options, main, output_option, progress_bar, size_named
from scenes.farm.crew import Crew
from scenes.film.quality import FINAL, Quality


@main.command("promo")
@click.argument("promo", type=FILE, metavar="PROMO.toml")
@output_option("MP4 file to write; default: media/promos/PROMO.mp4.", FileNamed(".mp4"))
@click.option("--size", type=size_named, default="1080p", metavar="SIZE", help="Short side: 4k, 1080p, 720p …")
@click.option("--fps", type=click.IntRange(1, 120), default=FINAL.fps)
@crew_options
def promo_command(promo: Path, output: Path | None, size: Quality, fps: int, crew: Crew) -> None:
    """Make the film that PROMO.toml describes: moments of films, a title, an end card, a length."""
    from scenes.film.render import MEDIA
    from scenes.promos.making import make_promo

    output = output or MEDIA / "promos" / f"{promo.stem}.mp4"
    with progress_bar(promo.stem) as progress:
        shaped = replace(size, name=f"{size.name}{fps}", fps=fps)
        seconds = make_promo(promo, output, shaped, crew=crew, progress=progress)
    click.echo(f"{seconds:.2f} s", err=True)
    click.echo(output)
