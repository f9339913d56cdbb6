"""CSV: the same tables as in Parquet."""

from __future__ import annotations

import csv
import json

import pytest

from astrai_sim.exports import export
from astrai_sim.exports.tables import TABLES
from tests.trace.recording import lines_of, resealed

store = pytest.importorskip("pyarrow.parquet")
READ = {"int": int, "float": float, "text": str, "ints": json.loads, "texts": json.loads}


def test_every_cell_is_the_one_in_parquet(trace, tmp_path):
    export(trace, "csv", tmp_path / "csv")
    export(trace, "parquet", tmp_path / "parquet")
    assert len(list((tmp_path / "csv").iterdir())) == len(TABLES)
    for table in TABLES:
        with (tmp_path / "csv" / f"{table.name}.csv").open(encoding="utf-8", newline="") as file:
            names, *rows = csv.reader(file)
        assert names == [column.name for column in table.columns]
        kinds = [READ[column.kind] for column in table.columns]
        cells = [tuple(read(cell) if cell else None for read, cell in zip(kinds, row, strict=True)) for row in rows]
        other = store.read_table(tmp_path / "parquet" / f"{table.name}.parquet").to_pylist()
        assert cells == [tuple(cell if cell != "" else None for cell in row.values()) for row in other]
        assert cells


def test_names_of_any_letters_come_through(trace, tmp_path):
    strange = 'a,"b"\r\nZürich ☃'
    lines = [json.loads(json.dumps(line).replace('"r3"', json.dumps(strange))) for line in lines_of(trace)]
    export(resealed(lines), "csv", tmp_path)
    with (tmp_path / "requests.csv").open(encoding="utf-8", newline="") as file:
        assert strange in [row["task"] for row in csv.DictReader(file)]
