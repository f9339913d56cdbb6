"""CSV: a file for each table."""

from __future__ import annotations

import csv as comma_separated
import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astrai_sim.exports.folder import files
from astrai_sim.exports.tables import TABLES, Table, fill
from astrai_sim.trace import Trace


def csv(trace: Trace, folder: Path) -> None:
    """Write NAME.csv for each table into `folder`: RFC 4180 in UTF-8, with a header. Lists are JSON. Raises OSError."""
    with files(folder, [f"{table.name}.csv" for table in TABLES]) as paths, ExitStack() as stack:
        writers = {}
        for table, path in zip(TABLES, paths, strict=True):
            file = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            writers[table.name] = comma_separated.writer(file).writerow
            writers[table.name](column.name for column in table.columns)
        fill(trace, _row(writers))


def _row(writers: dict[str, Callable[..., Any]]) -> Callable[[Table, tuple[Any, ...]], None]:
    def put(table: Table, row: tuple[Any, ...]) -> None:
        writers[table.name](json.dumps(cell, ensure_ascii=False) if isinstance(cell, list) else cell for cell in row)

    return put
