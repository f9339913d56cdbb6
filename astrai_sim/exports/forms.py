"""Writing a trace in one of the forms that there are."""

from collections.abc import Callable
from pathlib import Path

from astrai_sim.exports.csv import csv
from astrai_sim.exports.parquet import parquet
from astrai_sim.exports.perfetto import perfetto
from astrai_sim.trace import Trace, TraceError

FORMS: dict[str, Callable[[Trace, Path], None]] = {"perfetto": perfetto, "parquet": parquet, "csv": csv}


def export(trace: Trace, form: str, output: Path) -> None:
    """Write `trace` to `output`: a file for "perfetto", a folder with a file for each table for "parquet" and "csv".

    A recording that was cut short is written as far as it goes. Raises TraceError where its digest is not the one that
    the footer states, MissingExtra without the package that writes the form, OSError where nothing can be written, and
    LookupError, ArithmeticError or ValueError for a trace that `verify` would refuse.
    """
    stated, computed = trace.sha256, trace.computed_sha256
    if stated is not None and stated != computed:
        raise TraceError(trace.path, len(trace) + 2, f"the digest is {computed}, the footer says {stated}")
    FORMS[form](trace, output)
