"""`python -m scenes check` and `lint`: what a film shows, against its trace and the rules of the picture."""

from pathlib import Path

import click

from scenes.cli.arguments import film_options, main
from scenes.draw.layout import Frame
from scenes.film.moments import within
from scenes.film.quality import PREVIEW
from scenes.film.rehearsal import EVERY_FRAME, check
from scenes.film.scene import FilmScene
from scenes.theme import Theme


@main.command("check")
@film_options
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

    After every beat each label with a digit, and what else the stage shows, must be what the trace says, computed a
    second time; within animations all must be of one recorded moment. Exits with 1 where something differs or nobody
    vouches for a label, naming time, section, beat, label and both values.
    """
    report = check(film, trace, seconds, EVERY_FRAME if every_frame else within, PREVIEW.shaped(frame, theme))
    for mismatch in (*report.mismatches, *report.unvouched, *(report.contradictions if between else ())):
        click.echo(str(mismatch))
    name = film.__name__
    differences = len(report.mismatches) or "no"
    click.echo(f"{name}: {differences} differences in {report.fields} values after {report.beats} beats", err=True)
    click.echo(f"{name}: vouched for: {report.labels - len(report.unvouched)} of {report.labels} labels", err=True)
    counts = ", ".join(f"{kind} {count}" for kind, count in report.between.most_common())
    contradict = f"{len(report.contradictions) or 'none'} of {report.moments} pictures contradict themselves"
    click.echo(f"{name}: between beats: {contradict}{': ' if counts else ''}{counts}", err=True)
    if report.mismatches or report.unvouched:
        raise SystemExit(1)


@main.command("lint")
@film_options
def lint_command(film: type[FilmScene], trace: Path | None, seconds: float | None, frame: Frame, theme: Theme) -> None:
    """Check FILM's picture against the rules, at the end of every animation.

    Nothing is drawn or encoded. One line for each finding: film time, section,
    rule, the mobjects, what is wrong. Exits with 1 if there is any.
    """
    from scenes.lint.linter import lint

    findings = lint(film, trace, seconds, PREVIEW.shaped(frame, theme))
    for finding in findings:
        click.echo(str(finding))
    click.echo(f"{film.__name__}: {len(findings) or 'no'} findings", err=True)
    if findings:
        raise SystemExit(1)
