"""`python -m scenes findings`: a film of what the doctor finds in a trace."""

from pathlib import Path

import click

from scenes.cli.arguments import (
    FileNamed,
    crew_options,
    look_options,
    main,
    output_option,
    progress_bar,
    quality_option,
    trace_option,
)
from scenes.draw.layout import Frame
from scenes.farm.crew import Crew
from scenes.film.quality import Quality
from scenes.theme import Theme


@main.command("findings")
@trace_option
@quality_option
@look_options
@output_option("MP4 file to write; default: media/films/Findings-TRACE.mp4.", FileNamed(".mp4"))
@crew_options
def findings_command(
    trace: Path | None, quality: Quality, frame: Frame, theme: Theme, output: Path | None, crew: Crew
) -> None:
    """Render a film of what `astrai-sim doctor` finds in a trace: the first finding of each kind, event by event.

    A trace with findings often does not verify: --unverified lets it through, and says so on every frame.
    """
    from scenes.film.render import render_film
    from scenes.findings.film import Findings

    if trace is None:
        raise click.UsageError("give the trace with --trace")
    with progress_bar("Findings") as progress:
        shaped = quality.shaped(frame, theme)
        made = render_film(Findings, trace, shaped, output, crew=crew, progress=progress)
    click.echo(made.path)
