"""`doctor` as it is typed: what it prints, its exit status, and what it says of what is no trace."""

from __future__ import annotations

import json

import pytest

from astrai_sim.doctor import examine, kinds
from astrai_sim.trace import TraceError
from tests.cli.test_commands import run
from tests.doctor.script import Script
from tests.hostile.traces import corpus
from tests.trace.recording import crowd, recorded, resealed
from tests.trace.test_lies import lies


@pytest.fixture
def leaking(tmp_path):
    """A trace with a double free."""
    script = Script(caching=False)
    script.serve("A", [1, 2, 3], [0])
    with script.steps():
        script.go("A", 0)
        script.go("A", 0)
    path = tmp_path / "run.jsonl"
    path.write_bytes(bytes(script.trace().content))
    return path


def test_findings_are_told_with_their_events_and_exit_status_1(leaking):
    done = run("doctor", leaking)
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert lines[0] == f"{leaking}: 11 events of script 1, ended: done"
    assert lines[1].startswith("1. double free: page 0 is let go by A at refcount 0")
    assert lines[2] == "   page 0; request A"
    assert lines[3].startswith("   line 3, step -1, 0.00 ms: page 0 is taken for A, as page 0 of its table")
    assert lines[5].startswith("   line 10, step 0, decode, 0.01 ms: page 0 is let go by A (refcount -1)")
    assert "  - unreachable cached page: the engine caches no prefixes" in lines


def test_the_same_as_json(leaking):
    facts = json.loads(run("doctor", leaking, "--json").output)
    (finding,) = facts["findings"]
    assert finding["kind"] == "double free" and finding["pages"] == [0] and finding["requests"] == ["A"]
    assert finding["events"][-1] == {"line": 10, "step": 0, "ns": 9000}
    assert [*facts["not_looked_for"]] == ["unreachable cached page"]


def test_where_nothing_is_found_it_says_what_was_looked_for(tmp_path):
    trace = recorded(crowd(), tmp_path / "run.jsonl")
    done = run("doctor", trace.path)
    assert done.exit_code == 0 and "nothing found, looking for:" in done.output
    assert all(f"  - {kind.name}: {kind.looks_for}" in done.output for kind in kinds())
    blind = recorded(crowd("none", "bulk"), tmp_path / "bulk.jsonl")
    assert "does not record which tokens requests have" in run("doctor", blind.path).output


def test_a_recording_that_was_cut_short_is_examined_up_to_there(leaking):
    leaking.write_bytes(b"".join(leaking.read_bytes().splitlines(keepends=True)[:-1])[:-20])
    done = run("doctor", leaking)
    assert done.exit_code == 1 and "cut short: how it ended is not known" in done.output


def test_what_is_no_trace_is_refused_in_a_line_with_exit_status_2(tmp_path):
    trace = recorded(crowd(), tmp_path / "true.jsonl")
    (tmp_path / "made").mkdir()
    refused = 0
    for path in (*corpus(trace, tmp_path / "made"), tmp_path / "none.jsonl"):
        done = run("doctor", path)
        assert not {"\x1b", "\x00", "\x07"} & set(done.output)
        assert isinstance(done.exception, SystemExit | None), path
        if done.exit_code == 2:
            refused += 1
            assert len(done.output.splitlines()) == 1 and str(path) in done.output, path
    assert refused > 30


@pytest.mark.parametrize("detail", ["full", "bulk"])
def test_lies_are_examined_or_refused(tmp_path, detail):
    trace = recorded(crowd(detail=detail), tmp_path / "run.jsonl")
    examined = 0
    for _, where, _, _, lines in lies(trace, 120, seed=5):
        try:
            examine(resealed(lines))
            examined += 1
        except TraceError as error:
            assert error.line, where
    assert 20 < examined < 120
