"""Parquet: queried with DuckDB, against answers from the lines of the file."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from astrai_sim.exports import export, parquet
from tests.trace.recording import lines_of

duckdb = pytest.importorskip("duckdb")
arrow = pytest.importorskip("pyarrow")
store = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def ask(trace, tmp_path: Path):
    """Answers a query in which each table is called by its name."""
    export(trace, "parquet", tmp_path / "run")
    connection = duckdb.connect()
    for path in (tmp_path / "run").iterdir():
        connection.execute(f"CREATE VIEW {path.stem} AS SELECT * FROM read_parquet('{path}')")
    yield lambda query: connection.execute(query).fetchall()
    connection.close()


def test_columns_have_types_and_the_file_names_its_trace(trace, tmp_path):
    export(trace, "parquet", tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{name}.parquet" for name in ("events", "requests", "spans", "steps", "tokens")
    ]
    schema = store.read_schema(tmp_path / "events.parquet")
    assert schema.field("ns").type == arrow.int64() and schema.field("arrival_s").type == arrow.float64()
    assert schema.field("pages").type == arrow.list_(arrow.int64())
    assert schema.field("tasks").type == arrow.list_(arrow.string())
    assert schema.metadata[b"trace_sha256"].decode() == trace.sha256
    assert schema.metadata[b"scenario"] == b"crowd"


def test_there_is_a_row_for_each_event(trace, ask):
    lines = lines_of(trace)[1:-1]
    assert ask("SELECT seq, step, phase, ns FROM events ORDER BY seq") == [
        (line["seq"], line["step"], line["phase"], line["ns"]) for line in lines
    ]
    assert Counter(dict(ask("SELECT event, count(*) FROM events GROUP BY event"))) == trace.kinds()
    ((pages,),) = ask("SELECT sum(len(pages)) FROM events WHERE event = 'pages_alloc'")
    full = sum(line["event"] == "page_alloc" for line in lines)
    runs = sum(abs(n) for line in lines if line["event"] == "pages_alloc" for _, n in line["runs"])
    assert pages == full + runs > 0


def test_what_has_no_column_is_asked_for_as_json(trace, ask):
    ends = [(line["waiting"], line["running"]) for line in lines_of(trace) if line.get("event") == "step_end"]
    query = "SELECT (details->'waiting')::INT, (details->'running')::INT FROM events WHERE event = 'step_end'"
    assert ask(f"{query} ORDER BY seq") == ends
    assert ask("SELECT waiting, running FROM steps ORDER BY step") == ends


def test_requests_and_tokens_are_joined(trace, ask):
    """Time to the first token, and the median of the times between tokens, of each request."""
    submitted, got = {}, defaultdict(list)
    for line in lines_of(trace):
        match line.get("event"):
            case "task_submitted":
                submitted[line["task"]] = line["ns"]
            case "token":
                got[line["task"]].append(line["ns"])
            case "tokens":
                for task in line["tasks"]:
                    got[task].append(line["ns"])
    first = {task: got[task][0] - ns for task, ns in submitted.items()}
    assert dict(ask("SELECT task, time_to_first_token_ns FROM requests")) == first
    gaps = "SELECT task, ns - lag(ns) OVER (PARTITION BY task ORDER BY index) AS gap FROM tokens"
    medians = dict(ask(f"SELECT task, median(gap) FROM ({gaps}) JOIN requests USING (task) GROUP BY task"))
    assert medians == {task: float(np.median(np.diff(times))) for task, times in got.items()}


def test_time_in_each_state_adds_up(trace, ask):
    lines = [line for line in lines_of(trace) if line.get("event") in ("task_submitted", "task_finished")]
    lived = sum(line["ns"] * (1 if line["event"] == "task_finished" else -1) for line in lines)
    ((total,),) = ask("SELECT sum(end_ns - begin_ns) FROM spans WHERE what <> 'chunk'")
    assert total == lived > 0
    ((preempted,),) = ask("SELECT sum(preemptions) FROM requests")
    assert preempted == sum(line.get("event") == "task_preempted" for line in lines_of(trace)) > 0


def test_a_long_table_is_written_in_groups(trace, tmp_path, monkeypatch):
    export(trace, "parquet", tmp_path / "one")
    monkeypatch.setattr(parquet, "BATCH", 10)
    monkeypatch.setattr(parquet, "GROUP", 40)
    export(trace, "parquet", tmp_path / "many")
    for path in (tmp_path / "many").iterdir():
        rows = store.read_metadata(path).num_rows
        assert store.read_metadata(path).num_row_groups == -(-rows // 40)
        assert store.read_table(path) == store.read_table(tmp_path / "one" / path.name)
