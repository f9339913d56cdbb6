"""Workloads that are comma-separated tables: Azure's and BurstGPT."""

import csv
import reprlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TextIO

from astrai_sim.workload.request import LineError, LoadRequest, count, lines, second

AZURE = ("TIMESTAMP", "ContextTokens", "GeneratedTokens")
BURSTGPT = ("Timestamp", "Request tokens", "Response tokens")
NUMBERS = {"s": "a number of seconds", "ms": "a number of milliseconds", "us": "a number of microseconds"}


def azure(file: TextIO) -> Iterator[LoadRequest]:
    """Requests of an Azure LLM inference trace (Patel et al., Splitwise, 2024), in seconds since its first row."""
    first: datetime | None = None

    def seconds(text: str) -> float:
        nonlocal first
        at = datetime.fromisoformat(text)
        first = first or at
        return (at - first).total_seconds()

    return _rows(file, AZURE, seconds, "s", "a date and time")


def burstgpt(file: TextIO, time_unit: str = "s") -> Iterator[LoadRequest]:
    """Requests of BurstGPT (Wang et al., 2024), whose times are seconds."""
    return _rows(file, BURSTGPT, float, time_unit, NUMBERS[time_unit])


def _rows(
    file: TextIO, columns: tuple[str, str, str], time: Callable[[str], float], unit: str, wanted: str
) -> Iterator[LoadRequest]:
    rows = csv.reader(lines(file))
    try:
        names = [name.strip() for name in next(rows, [])]
        missing = [name for name in columns if name not in names]
        if missing:
            raise ValueError(f"the header has no column {missing[0]!r}")
        at, prompt, output = (names.index(name) for name in columns)
        for row in filter(None, rows):
            if len(row) != len(names):
                raise ValueError(f"{len(row)} fields where the header has {len(names)}")
            try:
                arrival = second(time(row[at].strip()), unit)
            except (ValueError, TypeError):
                arrival = None
            if arrival is None:
                raise ValueError(f"{columns[0]} must be {wanted}, not {reprlib.repr(row[at])}")
            yield LoadRequest(arrival, count(row[prompt], columns[1]), count(row[output], columns[2]))
    except csv.Error as error:
        raise LineError(rows.line_num, f"{error}: is a quote left open?") from None
    except (LineError, UnicodeDecodeError):
        raise
    except ValueError as error:
        raise LineError(max(1, rows.line_num), str(error)) from None
