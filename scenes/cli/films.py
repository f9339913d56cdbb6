"""`python -m scenes list` and `new-film`: the films that there are, and one more."""

import click
from rich.console import Console
from rich.table import Table

from astrai_sim.trace import TraceError
from scenes.cli.arguments import main, seconds_option, unverified_option
from scenes.film import catalog
from scenes.film.new_film import write_film
from scenes.film.pacing import CannotPace
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene
from scenes.story.errors import DoesNotApply


@main.command("list")
@seconds_option
@unverified_option
def list_command(seconds: float | None) -> None:
    """Name the films with what they show, their length and their trace."""
    table = Table(box=None, pad_edge=False)
    for title in ("film", "length", "trace", "shows"):
        table.add_column(title, no_wrap=title != "shows")
    for name, film in catalog.films().items():
        table.add_row(name, _length(film, seconds), film.default_trace, film.summary)
    Console().print(table)


def _length(film: type[FilmScene], wanted: float | None) -> str:
    try:
        seconds = round(rehearse(film, seconds=wanted).seconds)
    except (FileNotFoundError, TraceError) as error:
        click.echo(f"{film.__name__}: {error}", err=True)
        return "no trace" if not film.trace_for().is_file() else "does not hold"
    except DoesNotApply:
        return "does not apply"
    except CannotPace:
        return "not in that time"
    return f"{seconds // 60}:{seconds % 60:02}"


@main.command("new-film")
@click.argument("name")
def new_film_command(name: str) -> None:
    """Write the file of a film called NAME, which renders from the promo trace."""
    film, path = write_film(name)
    click.echo(path)
    click.echo(f"look at it with `make stills FILM={film}`, render it with `make film FILM={film}`", err=True)
