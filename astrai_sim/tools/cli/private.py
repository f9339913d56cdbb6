"""`private`: a trace that can be shown, of one that cannot."""

from pathlib import Path

import click

from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.private import private as write_private


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Trace to write, compressed where it ends in .gz.",
)
def private(trace: Path, output: Path) -> None:
    """Write TRACE again without what was said: for films of a run whose requests are nobody's business.

    Token ids and texts become hashes under a key that is kept nowhere, equal ones equal; names become letters; titles,
    prompts, paths and norms are left out. Pages, lengths and times stay. What was recorded of executed lines stays for
    this engine's own functions only.
    """
    try:
        digest = write_private(Trace.open(trace), output)
    except TraceError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from None
    click.echo(f"{output}  sha256 {digest}")
