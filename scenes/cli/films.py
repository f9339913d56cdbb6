"""`python -m scenes list` and `new-film`: the films that there are, and one more."""

import json
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from astrai_sim.command_line import plain_cell
from astrai_sim.trace import Trace, TraceError
from scenes.cli.arguments import main, seconds_option, trace_option
from scenes.film import catalog
from scenes.film.new_film import write_film
from scenes.film.opening import for_the_screen
from scenes.film.pacing import CannotPace
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene
from scenes.story.errors import DoesNotApply


@main.command("list")
@trace_option
@seconds_option
@click.option("--lengths", is_flag=True, help="Play every film without drawing it, to say how long it is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array instead of a table.")
def list_command(trace: Path | None, seconds: float | None, lengths: bool, as_json: bool) -> None:
    """Name the films with their trace and what they show.

    With --trace: which of them have something to tell of it, and why the others do not.
    """
    films = catalog.films()
    rows = [{"film": name, "trace": film.default_trace, "shows": film.__doc__} for name, film in films.items()]
    if trace:
        opened = for_the_screen(Trace.open(trace))
        for row in rows:
            reason = films[row["film"]].why_not(opened)
            row |= {"trace": str(trace), "applies": "no" if reason else "yes", "shows": reason or row["shows"]}
    if lengths or seconds:
        for row in rows:
            row["length"] = _length(films[row["film"]], trace, seconds)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    titles = [title for title in ("film", "applies", "length", "shows") if title in rows[0]]
    titles += [] if trace else ["trace"]
    table = Table(box=None, pad_edge=False)
    for title in titles:
        table.add_column("shows, or why not" if trace and title == "shows" else title, no_wrap=title != "shows")
    for row in rows:
        table.add_row(*(plain_cell(row[title]) for title in titles))
    Console().print(table)


def _length(film: type[FilmScene], trace: Path | None, wanted: float | None) -> str:
    try:
        seconds = round(rehearse(film, trace, seconds=wanted).seconds)
    except (FileNotFoundError, TraceError) as error:
        click.echo(f"{film.__name__}: {error}", err=True)
        return "no trace" if not film.trace_for(trace).is_file() else "does not hold"
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
