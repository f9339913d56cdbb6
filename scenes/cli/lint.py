"""`python -m scenes lint`."""

from __future__ import annotations

from pathlib import Path

import click

from scenes.cli.arguments import film_argument, look_options, one_line_errors, seconds_option, trace_option
from scenes.draw.layout import Frame
from scenes.film.quality import PREVIEW
from scenes.film.scene import FilmScene
from scenes.lint.linter import lint
from scenes.theme import Theme


@click.command("lint")
@film_argument
@trace_option
@seconds_option
@look_options
def lint_command(film: type[FilmScene], trace: Path | None, seconds: float | None, frame: Frame, theme: Theme) -> None:
    """Check FILM's picture against the rules, at the end of every animation.

    Nothing is drawn or encoded. One line for each finding: film time, section,
    rule, the mobjects, what is wrong. Exits with 1 if there is any.
    """
    with one_line_errors():
        findings = lint(film, trace, seconds, PREVIEW.shaped(frame, theme))
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{film.__name__}: {len(findings) or 'no'} findings", err=True)
    if findings:
        raise SystemExit(1)
