"""Opening files: whole, cut, torn, damaged, or something else."""

from __future__ import annotations

import copy
import gzip
import json
import pickle
import random

import pytest

from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.trace.recording import crowd, lines_of, recorded, written


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """A recording in a gzip file, and the same in a plain one."""
    folder = tmp_path_factory.mktemp("packed")
    trace = recorded(crowd("none"), folder / "run.jsonl.gz")
    (folder / "run.jsonl").write_bytes(trace.content)
    return trace


def refused(path) -> str:
    with pytest.raises(TraceError) as raised:
        Trace.open(path)
    return str(raised.value)


def test_a_gzip_file_reads_as_the_plain_one(packed):
    plain = Trace.open(packed.path.with_suffix(""))
    assert plain.content == packed.content and plain.sha256 == packed.sha256
    assert verify(plain).checks == verify(packed).checks
    assert list(plain) == list(packed)


def test_the_same_events_give_the_same_bytes(packed, tmp_path):
    """Of a run by the cost model all but the start time is the same every time."""
    again = recorded(crowd("none"), tmp_path / "other.jsonl.gz")
    one, other = lines_of(packed), lines_of(again)
    assert one[1:-1] == other[1:-1]
    assert {**one[0], "started": 0} == {**other[0], "started": 0}


def test_a_torn_gzip_file_is_incomplete_at_an_event(packed, tmp_path):
    content = packed.path.read_bytes()
    path = tmp_path / "torn.jsonl.gz"
    for at in random.Random(1).sample(range(2000, len(content)), 12):
        path.write_bytes(content[:at])
        try:
            trace = Trace.open(path)
        except TraceError as error:
            assert "ends within its header" in str(error)
            continue
        assert trace.torn
        if not trace.complete:
            with pytest.raises(TraceError, match=f"incomplete at event {len(trace)}"):
                verify(trace)


def test_a_damaged_gzip_file_is_refused(packed, tmp_path):
    content = bytearray(packed.path.read_bytes())
    path, refused = tmp_path / "damaged.jsonl.gz", 0
    for at in random.Random(2).sample(range(100, len(content)), 12):
        path.write_bytes(content[:at] + bytes([content[at] ^ 0x20]) + content[at + 1 :])
        try:
            trace = Trace.open(path)
            verify(trace)
        except TraceError:
            refused += 1
        else:
            assert trace.content == packed.content  # a bit that fills a block up to a whole byte
    assert refused > 9


def test_what_follows_gzip_data_is_refused(packed, tmp_path):
    path = tmp_path / "more.jsonl.gz"
    path.write_bytes(packed.path.read_bytes() + gzip.compress(b"{}\n"))
    assert "something follows" in refused(path)


def test_files_that_are_no_trace(tmp_path):
    path = tmp_path / "a.jsonl"
    assert "cannot be read" in refused(path)
    path.write_bytes(b"")
    assert "empty" in refused(path)
    path.write_bytes(b'{"type": "header", "schema"')
    assert "ends within its header" in refused(path)
    path.write_bytes(b"hello\n")
    assert f"{path}:1: not JSON" in refused(path)
    path.write_bytes(b"[1]\n")
    assert "not a JSON object" in refused(path)
    path.write_bytes(b'{"schema":"other"}\n')
    assert "not a trace" in refused(path)
    path.write_bytes(b'{"schema":"astrai-trace","version":99}\n')
    assert "version 99" in refused(path)
    packed = tmp_path / "a.jsonl.gz"
    packed.write_bytes(b"hello")
    assert "not a gzip file" in refused(packed)


@pytest.mark.parametrize(
    "field, value, message",
    [
        ("detail", "some", "detail 'some' is none of full, bulk"),
        ("scenario", {}, "the field 'scenario.cache' is missing"),
        ("scenario", {"cache": {"n_pages": 8, "page_size": 4}}, "the field 'scenario.model' is missing"),
        ("knows", ["all"], "knows is ['all']: what can be read is ['membership'], or no such field"),
        ("scenario", 3, "scenario: expected object, got int"),
        ("dtype", "fp8", "dtype 'fp8' is none of bfloat16, float16, float32, float64"),
        ("clock", "sun", "clock 'sun' is none of real, cost-model"),
        ("device", {"type": 4}, "device.type: expected str, got int"),
        ("policy", "all", "policy: expected array or null, got str"),
        ("sources", {"f": {"file": "a", "line": 1}}, "'sources[...].text' is missing"),
    ],
)
def test_a_header_that_cannot_be(packed, tmp_path, field, value, message):
    header = {**lines_of(packed)[0], field: value}
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(header) + "\n")
    assert message in refused(path) and f"{path}:1:" in refused(path)


@pytest.mark.parametrize(
    "part, field, value, message",
    [
        ("cache", "n_pages", 0, "scenario.cache.n_pages: expected int >= 1"),
        ("cache", "page_size", "4", "scenario.cache.page_size: expected int, got str"),
        ("model", "n_layers", None, "scenario.model.n_layers: expected int, got null"),
        ("scheduler", "max_batch", ..., "the field 'scenario.scheduler.max_batch' is missing"),
        ("scheduler", "max_batch", True, "scenario.scheduler.max_batch: expected int, got bool"),
    ],
)
def test_a_scenario_that_cannot_be(packed, part, field, value, message):
    """One line that says where and what; `...` leaves the field out."""
    header = copy.deepcopy(lines_of(packed)[0])
    header["scenario"][part][field] = value
    if value is ...:
        del header["scenario"][part][field]
    with pytest.raises(TraceError) as raised:
        written([header])
    assert str(raised.value) == f"lie.jsonl:1: the header: {message}"


def test_a_cost_model_must_say_what_it_costs(packed):
    header = lines_of(packed)[0]
    with pytest.raises(TraceError, match="cost is missing"):
        written([{**header, "cost": None}])
    with pytest.raises(TraceError, match=r"cost\.decode_kv_s: expected float >= 0"):
        written([{**header, "cost": {**header["cost"], "decode_kv_s": -1e-9}}])


def test_fields_that_nobody_knows_are_passed_over(packed):
    header, first, *_ = lines_of(packed)
    device = {**header["device"], "cores": 2}
    trace = written(
        [{**header, "mood": "good", "device": device, "policy": ["lowest-page-first"]}, {**first, "x": [1]}]
    )
    assert trace.header.device.name == header["device"]["name"] and trace.header.policy == ["lowest-page-first"]
    assert trace[0] == packed[0]


def test_a_header_without_a_field_names_it(packed, tmp_path):
    header = lines_of(packed)[0]
    del header["dtype"]
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(header) + "\n")
    assert "the header: the field 'dtype' is missing" in refused(path)


def test_a_broken_line_is_reported_where_it_is(packed, tmp_path):
    lines = packed.content.splitlines(keepends=True)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join([*lines[:9], lines[9][:40] + b"\n", *lines[10:]]))
    with pytest.raises(TraceError, match=r"a\.jsonl:10: event 8: not JSON"):
        verify(Trace.open(path))


@pytest.mark.parametrize(
    ("put", "wrong"),
    [
        (lambda line: line[: len(line) // 2] + b"\n", "not JSON"),
        (lambda line: b"\n", "not JSON"),
        (lambda line: line[:-2] + b"\n}\n", "not JSON"),
        (lambda line: line.replace(b'"seq":', b'"sec":'), "'seq' is missing"),
        (lambda line: line[:-1] + b" " + line, "not JSON"),
    ],
)
@pytest.mark.parametrize("seq", [0, 1, 255, 256, 400])
def test_events_before_a_broken_line_are_read_and_are_those_that_are_asked_for(packed, tmp_path, seq, put, wrong):
    """They are decoded many at a time."""
    lines = packed.content.splitlines(keepends=True)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join([*lines[: seq + 1], put(lines[seq + 1]), *lines[seq + 2 :]]))
    trace, read = Trace.open(path), []
    with pytest.raises(TraceError, match=rf"a\.jsonl:{seq + 2}: .*{wrong}"):
        for event in trace:
            read.append(event)
    asked = [packed[index] for index in range(seq)]
    assert read == asked and [event.line for event in read] == [event.line for event in asked]


def test_find_gives_what_a_walk_gives(packed):
    for kind, task, after, before in [
        ("pages_alloc", None, -1, None),
        ("tokens", "r2", 50, 400),
        (None, "r1", 10, 60),
        ("tokens", None, 399, 400),
        ("step_end", None, -1, 1),
        ("gather", None, -1, None),
    ]:
        end = len(packed) if before is None else before
        expected = [
            event.seq
            for event in packed
            if after < event.seq < end
            and (kind is None or event.event == kind)
            and (task is None or task in (event.tasks if event.event == "tokens" else [getattr(event, "task", None)]))
        ]
        found = packed.find(event=kind, task=task, after=after, before=before)
        assert [event.seq for event in found] == expected


def test_events_are_indexed_from_both_ends(packed):
    assert packed[0].seq == 0 and packed[-1].seq == len(packed) - 1
    assert packed[3].line == 5
    with pytest.raises(IndexError):
        packed[len(packed)]


def test_events_can_be_copied_and_sent_to_other_processes(packed):
    for event in packed:
        for twin in (copy.copy(event), copy.deepcopy(event), pickle.loads(pickle.dumps(event))):
            assert twin == event and twin.event == event.event
