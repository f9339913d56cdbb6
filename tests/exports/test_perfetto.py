"""Perfetto: every slice and counter of the file against the lines of the trace, and in Perfetto's own reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from astrai_sim.exports import export
from astrai_sim.trace import Trace
from tests.exports.processor import queried
from tests.trace.recording import lines_of

protos = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2")
VALUES = ("int_value", "string_value", "bool_value")


@dataclass
class Read:
    """What a file says: slices (name, begin, end, depth, facts) and values (ns, value) of each track by its name."""

    parents: dict[str, str | None] = field(default_factory=dict)
    slices: dict[str, list[list]] = field(default_factory=lambda: defaultdict(list))
    instants: dict[str, list[tuple]] = field(default_factory=lambda: defaultdict(list))
    counts: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))


def read(path: Path) -> Read:
    """Read a file as Perfetto does: packets by their time, an end being that of the slice that was begun last."""
    packets = protos.Trace.FromString(path.read_bytes()).packet
    tracks = {one.track_descriptor.uuid: one.track_descriptor for one in packets if one.HasField("track_descriptor")}
    names = {uuid: track.name for uuid, track in tracks.items()}
    found = Read({track.name: names.get(track.parent_uuid) for track in tracks.values()})
    assert len(names) == len(set(names.values())) and {packet.trusted_packet_sequence_id for packet in packets} == {1}
    events = [packet for packet in packets if packet.HasField("track_event")]
    going_on: dict[int, list[list]] = defaultdict(list)
    for packet in sorted(events, key=lambda packet: packet.timestamp):
        event, ns = packet.track_event, packet.timestamp
        name = names[event.track_uuid]
        facts = {
            note.name: next(getattr(note, kind) for kind in VALUES if note.HasField(kind))
            for note in event.debug_annotations
        }
        if event.type == event.TYPE_SLICE_BEGIN:
            one = [event.name, ns, None, len(going_on[event.track_uuid]), facts]
            going_on[event.track_uuid].append(one)
            found.slices[name].append(one)
        elif event.type == event.TYPE_SLICE_END:
            one = going_on[event.track_uuid].pop()
            one[2] = ns
            one[4].update(facts)
        elif event.type == event.TYPE_INSTANT:
            found.instants[name].append((event.name, ns, facts))
        else:
            assert event.type == event.TYPE_COUNTER
            found.counts[name].append((ns, event.counter_value))
    return found


def at(values: list[tuple[int, int]], ns: int) -> int:
    """The value of a counter at a time."""
    return [value for when, value in values if when <= ns][-1]


@pytest.fixture
def exported(trace, tmp_path: Path) -> Read:
    export(trace, "perfetto", tmp_path / "run.pftrace")
    return read(tmp_path / "run.pftrace")


def test_tracks_are_those_of_the_run(trace, exported):
    root = f"{trace.header.engine.name}: crowd"
    assert exported.parents[root] is None and exported.parents["steps"] == exported.parents["requests"] == root
    requests = {name for name, parent in exported.parents.items() if parent == "requests"}
    assert requests == {f"r{i}" for i in range(7)}


def test_steps_and_the_phases_in_them_begin_and_end_as_recorded(trace, exported):
    steps, phases = {}, []
    for line in lines_of(trace):
        match line.get("event"):
            case "step_begin":
                steps[line["step"]] = [line["ns"]]
            case "step_end":
                steps[line["step"]] += [line["ns"], line["waiting"], line["running"]]
            case "phase_begin":
                phases.append([line["phase"], line["ns"]])
            case "phase_end":
                phases[-1] += [line["ns"], line["n_tasks"] if "n_tasks" in line else len(line["tasks"])]
    slices = exported.slices["steps"]
    found = {
        facts["step"]: [begin, end, facts["waiting"], facts["running"]]
        for _, begin, end, _, facts in slices_at(slices, 0)
    }
    assert found == steps and len(steps) > 10
    inner = [[name, begin, end, facts["n_tasks"]] for name, begin, end, _, facts in slices_at(slices, 1)]
    assert inner == phases and len(inner) + len(found) == len(slices)


def slices_at(slices: list[list], depth: int) -> list[list]:
    return [one for one in slices if one[3] == depth]


def test_a_request_waits_is_computed_and_decodes_as_recorded(trace, exported):
    for task in (f"r{i}" for i in range(7)):
        own = [line for line in lines_of(trace) if line.get("task") == task and line["event"].startswith("task_")]
        what = {
            "task_submitted": "waiting",
            "task_admitted": "prefill",
            "task_prefilled": "decode",
            "task_preempted": "preempted",
        }
        expected = [(what[line["event"]], line["ns"], later["ns"]) for line, later in zip(own, own[1:], strict=False)]
        slices = exported.slices[task]
        assert [(name, begin, end) for name, begin, end, *_ in slices_at(slices, 0)] == expected
        assert own[-1]["event"] == "task_finished"
        assert slices[-1][4] == {"reason": own[-1]["reason"], "generated": own[-1]["generated"]}
        chunks = [line for line in lines_of(trace) if line.get("task") == task and "start" in line]
        inner = slices_at(slices, 1)
        assert [(facts["start"], facts["end"], end) for _, _, end, _, facts in inner] == [
            (line["start"], line["end"], line["ns"]) for line in chunks
        ]
        assert {name for name, *_ in inner} == {"chunk"}
    assert sum(len(slices) for slices in exported.slices.values()) > 100


def test_a_chunk_begins_with_its_phase(trace, exported):
    begun = {begin for name, begin, *_ in exported.slices["steps"] if name == "prefill"}
    inner = [one for i in range(7) for one in slices_at(exported.slices[f"r{i}"], 1)]
    assert inner and {begin for _, begin, *_ in inner} <= begun


def test_counters_are_those_of_the_state_at_every_time(trace, exported):
    last = {event.ns: event.seq for event in trace}
    for ns, seq in last.items():
        state = trace.state_at(seq)
        assert at(exported.counts["pages free"], ns) == state.mask.bit_count()
        assert at(exported.counts["pages cached"], ns) == len(state.lru)
        assert at(exported.counts["pages in use"], ns) == state.n_pages - state.mask.bit_count() - len(state.lru)
    ends = {line["ns"]: line for line in lines_of(trace) if line.get("event") == "step_end"}
    for ns, line in ends.items():
        if lines_at(trace, ns)[-1]["event"] == "step_end":
            assert at(exported.counts["requests waiting"], ns) == line["waiting"]
            assert at(exported.counts["requests running"], ns) == line["running"]
    for values in exported.counts.values():
        assert all(a[0] < b[0] and a[1] != b[1] for a, b in zip(values, values[1:], strict=False))


def lines_at(trace: Trace, ns: int) -> list[dict]:
    return [line for line in lines_of(trace)[1:-1] if line["ns"] == ns]


def test_evictions_are_told_where_they_happen(trace, exported):
    lines = [line for line in lines_of(trace) if line.get("event") in ("page_evicted", "pages_evicted")]
    evicted = [(ns, facts["pages"]) for name, ns, facts in exported.instants["steps"] if name == "evicted"]
    assert evicted == [(line["ns"], sum(abs(n) for _, n in line["runs"]) if "runs" in line else 1) for line in lines]
    assert evicted


def test_what_a_cut_recording_did_not_end_has_no_end(trace, tmp_path):
    seq = next(event.seq for event in trace if event.event == "chunk")
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(trace.content[: trace.end_of(seq)])
    export(Trace.open(cut), "perfetto", tmp_path / "cut.pftrace")
    found = read(tmp_path / "cut.pftrace")
    status = {"waiting": "waiting", "prefilling": "prefill", "running": "decode"}
    going_on = {task: [one[0] for one in found.slices[task] if one[2] is None] for task in found.slices}
    assert going_on == {"steps": ["step", "prefill"]} | {
        name: [status[task.status]] for name, task in trace.state_at(seq).tasks.items()
    }


def test_perfetto_itself_reads_it(trace, tmp_path):
    path = tmp_path / "run.pftrace"
    export(trace, "perfetto", path)
    own = read(path)
    slices, counts, wrong = queried(
        path,
        "SELECT track.name AS track, slice.name AS name, ts, dur, depth FROM slice JOIN track ON track_id = track.id "
        "ORDER BY slice.id",
        "SELECT name, ts, value FROM counter JOIN counter_track ON track_id = counter_track.id ORDER BY ts",
        "SELECT sum(value) AS n FROM stats WHERE severity IN ('error', 'data_loss')",
    )
    found, values = defaultdict(list), defaultdict(list)
    for row in slices:
        if row.dur or row.name not in ("evicted", "setting", "prefix reset"):
            found[row.track].append((row.name, row.ts, row.ts + row.dur, row.depth))
    assert dict(found) == {track: [tuple(one[:4]) for one in slices] for track, slices in own.slices.items()}
    for row in counts:
        values[row.name].append((row.ts, int(row.value)))
    assert dict(values) == dict(own.counts)
    assert not wrong[0].n
