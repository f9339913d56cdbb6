"""`python -m scenes check`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.check.checker import check
from scenes.cli.arguments import film_argument, one_line_errors, seconds_option, trace_option
from scenes.film.scene import FilmScene


@click.command("check")
@film_argument
@trace_option
@seconds_option
def check_command(film: type[FilmScene], trace: Path | None, seconds: float | None) -> None:
    """Compare what FILM shows with what the trace recorded, after every beat.

    Exits with 1 where they differ, naming section, beat, field and both values.
    """
    with one_line_errors():
        report = check(film, trace, seconds)
    for mismatch in report.mismatches:
        click.echo(str(mismatch))
    click.echo(
        f"{film.__name__}: {len(report.mismatches) or 'no'} differences in "
        f"{report.fields} values after {report.beats} beats",
        err=True,
    )
    if report.mismatches:
        raise SystemExit(1)
