"""`python -m scenes new-film`."""

from __future__ import annotations

import click

from scenes.cli.arguments import one_line_errors
from scenes.film.new_film import write_film


@click.command("new-film")
@click.argument("name")
def new_film_command(name: str) -> None:
    """Write the file of a film called NAME, which renders from the promo trace."""
    with one_line_errors():
        film, path = write_film(name)
    click.echo(path)
    click.echo(f"look at it with `make stills FILM={film}`, render it with `make film FILM={film}`", err=True)
