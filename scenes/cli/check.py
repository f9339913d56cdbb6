"""`python -m scenes check`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.cli.arguments import film_argument, look_options, one_line_errors, seconds_option, trace_option
from scenes.draw.layout import Frame
from scenes.film.checking import EVERY_FRAME, check
from scenes.film.moments import within
from scenes.film.quality import PREVIEW
from scenes.film.scene import FilmScene
from scenes.theme import Theme


@click.command("check")
@film_argument
@trace_option
@seconds_option
@look_options
@click.option("--every-frame", is_flag=True, help="Look within animations 15 times a second, not 5 times each.")
@click.option("--between", is_flag=True, help="Name every contradiction within animations, too.")
def check_command(
    film: type[FilmScene],
    trace: Path | None,
    seconds: float | None,
    frame: Frame,
    theme: Theme,
    every_frame: bool,
    between: bool,
) -> None:
    """Compare what FILM shows with what the trace recorded.

    After every beat each label with a digit, and what else the stage shows, must be what the trace
    says, computed a second time; within animations all must be of one recorded moment. Exits with 1
    where something differs or nobody vouches for a label, naming time, section, beat, label and both
    values.
    """
    with one_line_errors():
        report = check(film, trace, seconds, EVERY_FRAME if every_frame else within, PREVIEW.shaped(frame, theme))
    for mismatch in (*report.mismatches, *report.unvouched, *(report.contradictions if between else ())):
        click.echo(str(mismatch))
    name = film.__name__
    click.echo(
        f"{name}: {len(report.mismatches) or 'no'} differences in {report.fields} values after {report.beats} beats",
        err=True,
    )
    click.echo(f"{name}: vouched for: {report.labels - len(report.unvouched)} of {report.labels} labels", err=True)
    counts = ", ".join(f"{kind} {count}" for kind, count in report.between.most_common())
    click.echo(
        f"{name}: between beats: {len(report.contradictions) or 'none'} of {report.moments} pictures contradict "
        f"themselves{': ' if counts else ''}{counts}",
        err=True,
    )
    if report.mismatches or report.unvouched:
        raise SystemExit(1)
