"""The tables of a trace: every field of every event is in a cell, and what requests did adds up."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

from msgspec.json import encode

from astrai_sim.exports.tables import EVENTS, KNOWN, REQUESTS, SPANS, STEPS, TOKENS, event_row, fill
from astrai_sim.trace import RequestTimes, Trace
from astrai_sim.trace import events as ev
from astrai_sim.trace.reader import TOGETHER
from astrai_sim.trace.wire import LineReader
from tests.trace.recording import lines_of


def rows(trace: Trace) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table, with the names of their columns."""
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    fill(
        trace,
        lambda table, row: found[table.name].append(
            dict(zip((column.name for column in table.columns), row, strict=True))
        ),
    )
    return found


def test_every_field_of_every_event_is_in_its_row(trace):
    names = [column.name for column in EVENTS.columns]
    for event in trace:
        row = dict(zip(names, event_row(event), strict=True))
        told = {name: value for name, value in row.items() if value is not None and name not in ("event", "details")}
        told |= json.loads(row["details"] or "{}")
        if "mask" in told:
            told["mask"] = int(told["mask"], 16)
        fields = {name: getattr(event, name) for name in event.__struct_fields__ if name != "line"}
        assert row["event"] == event.event
        assert told == json.loads(encode({name: value for name, value in fields.items() if value is not None}))


def test_every_kind_of_event_has_columns_of_one_type():
    kinds = {column.name: column.kind for column in EVENTS.columns}
    assert kinds["ns"] == kinds["duration_ns"] == "int" and kinds["arrival_s"] == "float"
    assert kinds["pages"] == "ints" and kinds["tasks"] == "texts" and kinds["task"] == kinds["mask"] == "text"
    assert not {"line", "counts", "waiting", "value", "word"} & kinds.keys()
    assert {name for kind in KNOWN for name in kind.__struct_fields__} > kinds.keys() - {"event", "details"}


def test_tokens_are_numbered_in_the_order_in_which_a_request_got_them(trace):
    got: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for line in lines_of(trace):
        if line.get("event") == "token":
            got[line["task"]].append((line["ns"], line.get("id")))
        elif line.get("event") == "tokens":
            for i, task in enumerate(line["tasks"]):
                got[task].append((line["ns"], line["ids"][i] if line.get("ids") else None))
    found: dict[str, list[tuple[int, int | None]]] = defaultdict(list)
    for row in rows(trace)[TOKENS.name]:
        assert row["index"] == len(found[row["task"]])
        found[row["task"]].append((row["ns"], row["id"]))
    assert found == got and sum(map(len, got.values())) > 50


def test_what_requests_did_follows_on_without_a_gap(trace):
    spans = rows(trace)[SPANS.name]
    whole = [row for row in spans if row["what"] != "chunk"]
    chunks = [row for row in spans if row["what"] == "chunk"]
    assert {row["what"] for row in whole} == {"waiting", "prefill", "decode", "preempted"}
    for line in lines_of(trace):
        if line.get("event") == "task_finished":
            mine = sorted((row for row in whole if row["task"] == line["task"]), key=lambda row: row["begin_ns"])
            assert mine[0]["what"] == "waiting" and mine[-1]["what"] == "decode"
            assert mine[-1]["end_ns"] == line["ns"]
            assert all(a["end_ns"] == b["begin_ns"] for a, b in zip(mine, mine[1:], strict=False))
    computed = [(line["task"], line["start"], line["end"]) for line in lines_of(trace) if "start" in line]
    assert [(row["task"], row["start"], row["end"]) for row in chunks] == computed
    prefills = [row for row in whole if row["what"] == "prefill"]
    for row in chunks:
        own = [one for one in prefills if one["task"] == row["task"]]
        assert any(one["begin_ns"] <= row["begin_ns"] <= row["end_ns"] <= one["end_ns"] for one in own)


def test_what_has_not_happened_is_an_empty_cell(trace, tmp_path):
    """A recording that was cut in the middle: some requests wait, some run."""
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(trace.content[: trace.end_of(len(trace) // 2)])
    half = Trace.open(cut)
    found = rows(half)
    assert len(found[EVENTS.name]) == len(half) and not half.complete
    times = RequestTimes.of(half)
    finished = {row["task"]: row["finished_ns"] for row in found[REQUESTS.name]}
    assert None in finished.values() and [ns or -1 for ns in finished.values()] == times.finished_ns.tolist()
    going_on = {row["task"] for row in found[SPANS.name] if row["end_ns"] is None}
    assert going_on == {task for task, ns in finished.items() if ns is None}
    assert [row["step"] for row in found[STEPS.name]] == list(range(len(found[STEPS.name])))


def test_rows_come_while_the_trace_is_read(trace, monkeypatch):
    """A row is handed on before more events are decoded than come together, so that no second copy is held."""
    decoded = 0
    read = LineReader.events

    def counted(self: LineReader, lines: bytes, number: int) -> list[ev.Event]:
        nonlocal decoded
        decoded += len(found := read(self, lines, number))
        return found

    monkeypatch.setattr(LineReader, "events", counted)
    ahead: list[int] = []
    fill(trace, lambda table, row: ahead.append(decoded - 1 - row[0]) if table is EVENTS else None)
    assert len(ahead) == len(trace) and 0 <= min(ahead) <= max(ahead) < TOGETHER
