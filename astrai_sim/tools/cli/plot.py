"""`plot`: a trace in one picture."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="PNG to write.")
def plot(trace: Path, output: Path) -> None:
    """Draw the run that TRACE recorded: pages, queue, work and latencies over time."""
    from astrai_sim.extras import MissingExtra
    from astrai_sim.tools.plot import plot as draw
    from astrai_sim.trace import Trace, TraceError
    from astrai_sim.trace.verify import verify as check

    try:
        opened = Trace.open(trace)
        try:
            draw(opened, output)
        except (LookupError, ArithmeticError, ValueError):
            check(opened)  # says what is wrong with the trace; where nothing is, plot is to blame
            raise
    except (TraceError, MissingExtra) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(str(output))
