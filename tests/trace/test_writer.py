"""Lines as they are written: JSON as the standard library has it, whole lines in the file, once each."""

from __future__ import annotations

import enum
import gzip
import json

import numpy as np
import pytest

from astrai_sim.trace import TraceWriter
from astrai_sim.trace.verify import verify
from astrai_sim.trace.wire import LineReader
from astrai_sim.trace.writer import CHUNK, encoded
from tests.trace.recording import crowd, recorded


class Name(str):
    """As versions of packages are."""


class Status(enum.StrEnum):
    """As those of requests are."""

    WAITING = "waiting"


@pytest.mark.parametrize(
    "value",
    [
        'a"\\\n\t\x1b\x7f\u2028é😀',
        *(0, -5, 2**63, 2**64 - 1, 2**70, -(2**80), 0.1, 12.34, 1234.0, 0.00012, True, None),
        *([1, (2, 3)], {"a": {"b": []}}, Name("1.0"), Status.WAITING, np.float64(1.5)),
    ],
)
def test_a_line_is_what_json_dumps_writes(value):
    assert encoded({"v": value}).decode() == json.dumps({"v": value}, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("value", [1e-5, 1e22, 1.5e300, 5e-324])
def test_small_and_large_numbers_may_look_different_but_are_the_same(value):
    assert json.loads(encoded({"v": value})) == {"v": value}


@pytest.mark.parametrize("value", [object(), np.int64(3)])
def test_what_json_has_no_form_of_is_refused(value):
    with pytest.raises(TypeError, match="has no form in JSON"):
        encoded({"v": value})


def test_lines_are_in_the_file_after_a_flush_and_at_the_end(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    writer = TraceWriter(path, {"schema": "x"})
    writer.event({"event": "one"})
    writer.flush()
    partial = gzip.GzipFile(path.with_name("a.jsonl.gz.partial")).read1().decode().splitlines()
    assert [json.loads(line) for line in partial] == [{"type": "header", "schema": "x"}, {"seq": 0, "event": "one"}]
    writer.event({"event": "long", "text": "é" * CHUNK})
    writer.event({"event": "last"})
    writer.finish("idle")
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    assert [line.get("seq") for line in lines] == [None, 0, 1, 2, None]
    assert lines[-1]["events"] == 3


def test_verify_reads_each_line_once(tmp_path, monkeypatch):
    trace = recorded(crowd(), tmp_path / "run.jsonl")
    read = []
    events = LineReader.events

    def watched(self, lines, number):
        read.extend(range(number, number + lines.count(b"\n")))
        return events(self, lines, number)

    monkeypatch.setattr(LineReader, "events", watched)
    monkeypatch.setattr(LineReader, "event", None)
    verify(trace)
    assert read == [*range(2, len(trace) + 2)]
