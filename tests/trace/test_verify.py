"""Every kind of lie is found, at the event's own line."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from msgspec.structs import fields

from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from astrai_sim.trace.wire import DIALECTS
from tests.trace.recording import lines_of, resealed, written

# What no rule ties to the rest, so that only the digest and `seq` guard it.
UNTIED = {
    "ns",
    "duration_ns",  # on the real clock
    "id",
    "ids",  # what a model says
    "norms",
    "args",
    "steps",
    "result",
    "arrival_step",
}
# Left out with no trace in what follows: executed lines, and the step that a setting changes.
SILENT = {"lines", "setting"}


def lie(trace: Trace) -> TraceError:
    with pytest.raises(TraceError) as raised:
        verify(trace)
    return raised.value


def found_at(trace: Trace) -> int:
    """Line of the first lie; 0 where there is none."""
    try:
        verify(trace)
    except TraceError as error:
        return error.line
    return 0


def changed(value):
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("0" if value[-1:] != "0" else "1")
    if isinstance(value, list):
        return [changed(value[0]), *value[1:]] if value else [0]
    if isinstance(value, dict):
        key = next(iter(value), "x")
        return {**value, key: changed(value.get(key, 0))}
    return 0


def test_each_recording_holds(crowd_trace):
    report = verify(crowd_trace)
    assert report.events == len(crowd_trace)
    assert report.sha256 == crowd_trace.footer.sha256
    assert report.checks["least recently used"] and report.checks["latest admitted"]


def test_any_other_digit_anywhere_is_found(crowd_trace, tmp_path):
    """With no footer to fit: by the rules where they see it, by the digest else."""
    content = crowd_trace.content
    digits = [match.start() for match in re.finditer(rb"\d", content)]
    path = tmp_path / "lie.jsonl"
    for at in random.Random(1).sample(digits, 40):
        other = b"%d" % ((int(content[at : at + 1]) + 1) % 10)
        path.write_bytes(content[:at] + other + content[at + 1 :])
        line = content.count(b"\n", 0, at) + 1
        with pytest.raises(TraceError) as raised:
            verify(Trace.open(path))
        assert raised.value.line is None or raised.value.line >= line


def test_another_value_in_any_field_is_found(crowd_trace):
    """Though the digest fits. State is found at its own line, promises when they fall due."""
    lines = lines_of(crowd_trace)
    seen: dict[str, int] = {}
    promises = {"task_submitted", "prefix_hit", "pages_evicted"}
    believed = []
    for at, event in enumerate(lines[1:-1], 1):
        kind = event["event"]
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] not in (1, 3) or kind in SILENT:
            continue
        for name in event.keys() - UNTIED - {"seq"}:
            if kind in ("page_keyed", "pages_keyed") and name in ("key", "parent"):
                continue
            lied = {**event, name: changed(event[name])}
            trace = resealed([*lines[:at], lied, *lines[at + 1 :]])
            line = found_at(trace)
            if line != at + 1 and not (kind in promises and line > at + 1):
                believed.append((kind, name, event[name], lied[name], line, at + 1))
    assert not believed


def test_a_key_that_changes_is_found(crowd_trace):
    """A page's key is its children's parent key."""
    lines = lines_of(crowd_trace)
    at = next(i for i, line in enumerate(lines) if line.get("event") in ("page_keyed", "pages_keyed"))
    lied = {**lines[at], "key": changed(lines[at]["key"])}
    error = lie(resealed([*lines[:at], lied, *lines[at + 1 :]]))
    assert error.line >= at + 1 and "key" in error.message


def test_an_event_left_out_is_found(crowd_trace):
    """Though all others are numbered anew and the digest fits."""
    lines = lines_of(crowd_trace)
    chosen = random.Random(2).sample(range(1, len(lines) - 1), 60)
    for at in chosen:
        kind = lines[at]["event"]
        if kind in SILENT or (kind == "pages_keyed" and "prompt" not in lines[1]):
            continue
        error = lie(resealed([*lines[:at], *lines[at + 1 :]]))
        assert error.line >= at + 1, (kind, error.message)


def test_an_event_twice_is_found(crowd_trace):
    lines = lines_of(crowd_trace)
    harmless = {*SILENT, "snapshot", "prefix_miss", "prefix_hit"}
    believed = []
    for at in random.Random(3).sample(range(1, len(lines) - 1), 40):
        line = found_at(resealed([*lines[: at + 1], *lines[at:]]))
        if line < at + 2 and lines[at]["event"] not in harmless:
            believed.append((lines[at]["event"], line, at + 2))
    assert not believed


def test_events_that_change_places_are_found(crowd_trace):
    """By their numbers always; numbered anew, where their order means something."""
    lines = lines_of(crowd_trace)
    order = {
        "page_alloc",
        "table",
        "page_free",
        "page_cached",
        "page_evicted",
        "token",
        "tokens",
        "pages_alloc",
        "pages_free",
        "pages_cached",
        "pages_evicted",
        "task_admitted",
        "task_prefilled",
        "phase_begin",
        "phase_end",
        "step_begin",
        "step_end",
        "kv_write",
        "kv_lengths",
        "gather",
        "task_preempted",
        "task_finished",
    }
    believed = []
    pairs = [at for at in range(1, len(lines) - 2) if {lines[at]["event"], lines[at + 1]["event"]} <= order]
    for at in random.Random(4).sample(pairs, 40):
        swapped = [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]]
        assert "seq" in lie(written(swapped)).message
        line = found_at(resealed(swapped))
        if line not in (at + 1, at + 2, at + 3):
            believed.append((lines[at]["event"], lines[at + 1]["event"], line, at + 1))
    assert not believed


def test_a_missing_field_is_named_with_its_line(crowd_trace):
    lines = lines_of(crowd_trace)
    firsts = {line["event"]: at for at, line in reversed(list(enumerate(lines))) if "event" in line}
    needed = {
        line.__struct_config__.tag: [field.encode_name for field in fields(line) if field.required]
        for line in DIALECTS[crowd_trace.header.detail]
    }
    for kind, at in firsts.items():
        for name in {*needed[kind], "event"} - {"seq"}:
            without = {key: value for key, value in lines[at].items() if key != name}
            error = lie(resealed([*lines[:at], without, *lines[at + 1 :]]))
            assert error.line == at + 1
            assert f"the field {name!r} is missing" in error.message


def test_a_value_of_another_type_is_no_crash(crowd_trace):
    lines = lines_of(crowd_trace)
    firsts = {line["event"]: at for at, line in reversed(list(enumerate(lines))) if "event" in line}
    believed = []
    for kind in firsts.keys() - {"lines"}:
        at = firsts[kind]
        for name in lines[at].keys() - {"norms", "seq"}:
            for odd in (None, "x", [[]]):
                lied = {**lines[at], name: odd}
                trace = resealed([*lines[:at], lied, *lines[at + 1 :]])
                line = found_at(trace)
                if line < at + 1 and odd != lines[at][name]:
                    believed.append((kind, name, odd, line, at + 1))
    assert not believed


def test_an_unknown_event_is_a_lie(crowd_trace):
    lines = lines_of(crowd_trace)
    other = {**lines[5], "event": "page_lost"}
    error = lie(resealed([*lines[:5], other, *lines[5:]]))
    assert error.line == 6 and "unknown event 'page_lost'" in error.message


def test_an_event_of_the_other_detail_is_a_lie(crowd_trace):
    lines = lines_of(crowd_trace)
    kind = "pages_alloc" if crowd_trace.header.detail == "full" else "page_alloc"
    other = {**lines[5], "event": kind}
    error = lie(resealed([*lines[:5], other, *lines[5:]]))
    assert f"unknown event {kind!r}" in error.message


def test_a_cut_file_is_incomplete_at_the_event(crowd_trace, tmp_path):
    """Cut anywhere: all whole events count, and the place is named."""
    content = crowd_trace.content
    head = content.index(b"\n") + 1
    path = tmp_path / "cut.jsonl"
    for at in random.Random(5).sample(range(head, len(content) - 1), 20):
        path.write_bytes(content[:at])
        trace = Trace.open(path)
        whole = min(content.count(b"\n", head, at), len(crowd_trace))
        assert len(trace) == whole and not trace.complete
        error = lie(trace)
        assert f"incomplete at event {whole}" in error.message
        trace.state_at(whole - 1)


def test_a_lie_before_the_cut_is_still_a_lie(crowd_trace):
    lines = lines_of(crowd_trace)[:100]
    lines[50] = {**lines[50], "step": 77}
    assert lie(written(lines)).line == 51


@pytest.mark.parametrize(
    "field, value, message", [("events", 3, "the footer says 3 events"), ("sha256", "0" * 64, "the digest is")]
)
def test_a_wrong_footer_is_found(crowd_trace, field, value, message):
    lines = lines_of(crowd_trace)
    lines[-1] = {**lines[-1], field: value}
    error = lie(written(lines))
    assert error.line == len(lines) and message in error.message


def test_what_follows_the_footer_is_found(crowd_trace, tmp_path):
    path = tmp_path / "lie.jsonl"
    path.write_bytes(crowd_trace.content + b'{"seq":')
    assert "follows the footer" in lie(Trace.open(path)).message
    path.write_bytes(crowd_trace.content + b'{"seq":0}\n')
    assert lie(Trace.open(path)).line == len(crowd_trace) + 2


def test_a_snapshot_left_out_at_the_end_is_found(crowd_trace):
    lines = lines_of(crowd_trace)
    assert lines[-2]["event"] == "snapshot"
    assert "snapshot" in lie(resealed([*lines[:-2], lines[-1]])).message


@pytest.mark.parametrize("field", ["cache", "scheduler", "model"])
def test_a_header_without_a_part_is_refused(crowd_trace, field):
    lines = lines_of(crowd_trace)
    scenario = {key: value for key, value in lines[0]["scenario"].items() if key != field}
    with pytest.raises(TraceError) as raised:
        verify(resealed([{**lines[0], "scenario": scenario}, *lines[1:]]))
    assert raised.value.line == 1


def test_the_first_format_still_holds():
    """Recorded before optional fields were added."""
    path = Path(__file__).parent / "data" / "promo.jsonl.gz"
    trace = Trace.open(path)
    assert verify(trace).events == 1105
    assert trace.header.detail == "full" and trace.header.cost is None
