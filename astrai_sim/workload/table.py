"""Workloads that are comma-separated tables: Azure's and BurstGPT."""

import csv
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TextIO

from astrai_sim.workload.request import LineError, LoadRequest, count

AZURE = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
BURSTGPT = ("Timestamp", "Request tokens", "Response tokens")


def azure(file: TextIO) -> Iterator[tuple[int, LoadRequest]]:
    """Requests of an Azure LLM inference trace (Patel et al., Splitwise, 2024), with lines.

    Times are dates; they become seconds since the first row.
    """
    first: datetime | None = None

    def seconds(text: str) -> float:
        nonlocal first
        at = datetime.fromisoformat(text)
        first = first or at
        return (at - first).total_seconds()

    return _rows(file, AZURE, seconds, "a date and time")


def burstgpt(file: TextIO) -> Iterator[tuple[int, LoadRequest]]:
    """Requests of BurstGPT (Wang et al., 2024), with lines; times are seconds already."""
    return _rows(file, BURSTGPT, float, "a number of seconds")


def _rows(
    file: TextIO, columns: tuple[str, str, str], seconds: Callable[[str], float], wanted: str
) -> Iterator[tuple[int, LoadRequest]]:
    rows = csv.reader(file)
    names = [name.strip() for name in next(rows, [])]
    missing = [name for name in columns if name not in names]
    if missing:
        raise LineError(1, f"the header has no column {missing[0]!r}")
    at, prompt, output = (names.index(name) for name in columns)
    for row in rows:
        if not row:
            continue
        try:
            if len(row) != len(names):
                raise ValueError(f"{len(row)} fields where the header has {len(names)}")
            try:
                arrival = seconds(row[at].strip())
            except (ValueError, TypeError):
                raise ValueError(f"{columns[0]} must be {wanted}, not {row[at]!r}") from None
            if not abs(arrival) < float("inf"):
                raise ValueError(f"{columns[0]} must be {wanted}, not {row[at]!r}")
            request = LoadRequest(arrival, count(row[prompt], columns[1]), count(row[output], columns[2]))
        except ValueError as error:
            raise LineError(rows.line_num, str(error)) from None
        yield rows.line_num, request
