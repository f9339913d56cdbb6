"""What to say when something cannot be made of a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from astrai_sim.extras import MissingExtra
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify


@contextmanager
def made_of(path: Path, output: Path) -> Iterator[Trace]:
    """The trace at `path`, to make `output` of. Raises ClickException saying in one line what went wrong: with the
    trace, where `verify` finds that it lies, with a package that is missing, or with `output`."""
    try:
        trace = Trace.open(path)
        try:
            yield trace
        except (LookupError, ArithmeticError, ValueError):
            verify(trace)  # says what is wrong with the trace; where nothing is, who reads it is to blame
            raise
    except (TraceError, MissingExtra) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror or error}") from None
