"""`verify`: does a trace tell the truth?"""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table


@click.command()
@click.argument("traces", nargs=-1, required=True, type=click.Path(path_type=Path))
def verify(traces: tuple[Path, ...]) -> None:
    """Replay TRACES through an independent model and check every recorded value."""
    from astrai_sim.trace import Trace, TraceError
    from astrai_sim.trace.verify import verify as check

    console = Console()
    for path in traces:
        try:
            report = check(Trace.open(path))
        except TraceError as error:
            raise click.ClickException(str(error)) from None
        table = Table("checked", "times", title=f"{path}: {report.events} events hold")
        for what, times in sorted(report.checks.items()):
            table.add_row(what, str(times))
        table.add_row("digest", report.sha256[:16] + "…")
        console.print(table)
