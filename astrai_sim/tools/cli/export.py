"""`export`: a trace in a form that other tools read."""

from pathlib import Path

import click

from astrai_sim.exports import FORMS
from astrai_sim.exports import export as write
from astrai_sim.tools.cli.blame import made_of


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(tuple(FORMS)), required=True, help="The form.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="With perfetto the file to write; with parquet and csv the folder, which gets a file for each table.",
)
def export(trace: Path, form: str, output: Path) -> None:
    """Write TRACE in a form that other tools read.

    perfetto: tracks of requests, steps and phases, and counters, for ui.perfetto.dev and trace_processor.
    parquet, csv: the tables events, tokens, spans, requests and steps; docs/exports.md has their columns.
    """
    with made_of(trace, output) as opened:
        write(opened, form, output)
    click.echo(str(output))
