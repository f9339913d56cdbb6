"""Parquet: a file for each table, with typed columns."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from astrai_sim.exports.folder import files
from astrai_sim.exports.tables import TABLES, fill
from astrai_sim.extras import require
from astrai_sim.trace import Trace

BATCH, GROUP = 1 << 12, 1 << 16
"""Rows that are held as they come, and packed into columns before they are written."""


def parquet(trace: Trace, folder: Path) -> None:
    """Write NAME.parquet for each table into `folder`. Raises MissingExtra without pyarrow, OSError, and ValueError or
    OverflowError for a value that its column cannot hold.

    The schema's metadata names the trace: `trace_sha256`, `scenario`, `clock`, `detail`.
    """
    arrow, store = require("pyarrow", "export"), require("pyarrow.parquet", "export")
    kinds = {"int": arrow.int64(), "float": arrow.float64(), "text": arrow.string()}
    kinds |= {f"{kind}s": arrow.list_(kinds[kind]) for kind in ("int", "text")}
    header = trace.header
    origin = {"trace_sha256": trace.computed_sha256, "scenario": header.scenario_name}
    origin |= {"clock": header.clock, "detail": header.detail}
    with files(folder, [f"{table.name}.parquet" for table in TABLES]) as paths, ExitStack() as stack:
        filling = {}
        for table, path in zip(TABLES, paths, strict=True):
            schema = arrow.schema([(column.name, kinds[column.kind]) for column in table.columns], metadata=origin)
            writer = stack.enter_context(store.ParquetWriter(path, schema))
            filling[table.name] = _Filling(arrow, schema, writer)
        fill(trace, lambda table, row: filling[table.name].put(row))
        for each in filling.values():
            each.flush()


class _Filling:
    """Rows on their way into a file."""

    def __init__(self, arrow: Any, schema: Any, writer: Any) -> None:
        self._arrow, self._schema, self._writer = arrow, schema, writer
        self._rows: list[tuple[Any, ...]] = []
        self._batches: list[Any] = []

    def put(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) == BATCH:
            self._pack()
            if len(self._batches) * BATCH >= GROUP:
                self.flush()

    def _pack(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [self._arrow.array(cells, kind.type) for cells, kind in zip(columns, self._schema, strict=True)]
        self._batches.append(self._arrow.record_batch(arrays, schema=self._schema))
        self._rows.clear()

    def flush(self) -> None:
        if self._rows:
            self._pack()
        if self._batches:
            self._writer.write_table(self._arrow.Table.from_batches(self._batches, self._schema))
            self._batches.clear()
