"""Traces that know only which blocks are cached, in other tools: what is not known is empty, or not there."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from astrai_sim.exports import export
from astrai_sim.imports.kv_events import batch_of
from astrai_sim.imports.membership import Asked, taken, write_trace
from astrai_sim.imports.messages import Message
from astrai_sim.trace import Trace

protos = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> Trace:
    """Two messages, the second of which stores a block and removes one, and a missing one between them."""
    stored = [["BlockStored", [1, 2], None, [5, 6, 7, 8], 2]], [["BlockStored", [3], 2, [], 2], ["BlockRemoved", [1]]]
    heard = [Message(batch_of([float(2 * i), events]), "", 2 * i) for i, events in enumerate(stored)]
    path = tmp_path_factory.mktemp("membership") / "t.jsonl"
    write_trace(path, taken(heard, Asked()), "events")
    return Trace.open(path)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_tables_have_blocks_and_no_number_that_nobody_knows(trace, tmp_path):
    export(trace, "csv", tmp_path / "t")
    events, steps = rows(tmp_path / "t", "events"), rows(tmp_path / "t", "steps")
    assert [event["event"] for event in events] == [event.event for event in trace]
    assert json.loads(events[0]["keys"]) == trace[0].keys and json.loads(events[0]["pages"]) == [0, 1]
    assert json.loads(events[0]["details"])["token_ids"] == [5, 6, 7, 8]
    assert [(step["cached"], step["evictions"]) for step in steps] == [("2", "0"), ("2", "1")]
    unknown = ("in_use", "waiting", "running", "kv_slots", "generated", "preemptions", "duration_ns")
    assert {step[name] for step in steps for name in unknown} == {""}
    assert rows(tmp_path / "t", "requests") == rows(tmp_path / "t", "tokens") == rows(tmp_path / "t", "spans") == []


def test_perfetto_counts_cached_pages_and_nothing_else(trace, tmp_path):
    export(trace, "perfetto", tmp_path / "t.pftrace")
    read = protos.Trace()
    read.ParseFromString((tmp_path / "t.pftrace").read_bytes())
    counters = {
        p.track_descriptor.uuid: p.track_descriptor.name for p in read.packet if p.track_descriptor.HasField("counter")
    }
    assert list(counters.values()) == ["pages cached"]
    told = [p.track_event for p in read.packet if p.HasField("track_event")]
    assert [event.counter_value for event in told if event.track_uuid in counters] == [2]
    assert [event.name for event in told if event.name] == ["messages missed"]
