"""Private traces: nothing of what was said is in them, and everything else is as it was."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.tools.reproduce import CannotReproduce, reproduce
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.private import letter, private
from astrai_sim.trace.verify import RULES, verify
from scenes.film import catalog
from tests.conftest import ROOT, SCENARIOS
from tests.trace.foreign import foreign
from tests.trace.recording import lines_of, written

TRACES = {path.name.split(".")[0]: path for path in (ROOT / "assets" / "traces").glob("*.jsonl.gz")}
BIG = "pool_at_scale"


@pytest.fixture(params=[pytest.param(n, marks=[pytest.mark.slow] * (n == BIG)) for n in sorted(TRACES)])
def pair(request, tmp_path: Path) -> tuple[Trace, Trace]:
    """A shipped trace, and its private one."""
    trace = Trace.open(TRACES[request.param])
    digest = private(trace, tmp_path / "private.jsonl.gz")
    hidden = Trace.open(tmp_path / "private.jsonl.gz")
    assert hidden.sha256 == digest == hidden.computed_sha256
    return trace, hidden


def test_shipped_traces_hold_when_they_are_private(pair):
    """By every rule but the one that needs what was asked."""
    trace, hidden = pair
    report = verify(hidden)
    assert hidden.header.private and report.unclaimed == ("scenario-kept",)
    assert set(report.rules) | {"scenario-kept"} == set(RULES)
    assert any("the trace is private" in item for item in report.trusted)
    assert len(hidden) == len(trace) and not trace.header.private


def test_pages_lengths_and_times_stay(pair):
    trace, hidden = pair
    names = dict(zip(trace.state_at(len(trace) - 1).tasks, hidden.state_at(len(hidden) - 1).tasks, strict=True))
    assert list(names.values()) == [letter(i) for i in range(len(names))]
    for seq in range(0, len(trace), max(1, len(trace) // 20)):
        one, two = trace.state_at(seq), hidden.state_at(seq)
        assert (one.ns, one.mask, one.lru, one.refs.tolist()) == (two.ns, two.mask, two.lru, two.refs.tolist())
        assert {names[task]: pages for task, pages in one.tables.items()} == two.tables
        assert [task.kv_len for task in one.tasks.values()] == [task.kv_len for task in two.tasks.values()]


def test_equal_tokens_stay_equal_and_others_different(pair):
    trace, hidden = pair
    ids: dict[int, int] = {}
    texts: dict[str, str] = {}
    one, two = (t.state_at(len(t) - 1).tasks.values() for t in pair)
    for was, now in zip(one, two, strict=True):
        for known, before, after in ((ids, was.tokens, now.tokens), (texts, was.texts, now.texts)):
            for old, new in zip(before or (), after or (), strict=True):
                assert known.setdefault(old, new) == new
    for known in (ids, texts):
        assert len({*known.values()}) == len(known)
        assert not [old for old, new in known.items() if old == new and old != ""]


def test_nothing_of_what_was_said_is_left(pair):
    trace, hidden = pair
    first, *lines = bytes(hidden.content).decode().splitlines()
    header, scenario = json.loads(first), trace.header.scenario
    assert header["scenario"]["prefixes"] == [] and header["scenario"]["seed"] == header["seed"] == 0
    assert {source["file"] for source in header.pop("sources").values()} <= {""}
    tasks = trace.state_at(len(trace) - 1).tasks.values()
    said = {scenario.title, scenario.question, scenario.takeaway, scenario.name, *(task.name for task in tasks)}
    said |= {it for request in scenario.requests for it in (request.prompt, request.prefix) if it}
    said |= {it for prefix in scenario.prefixes for it in (prefix.text, prefix.name) if it}
    words = {text for task in tasks for text in task.texts or () if len(text.strip()) > 5}
    rest = [json.dumps(header, ensure_ascii=False), *(line for line in lines if '"event":"lines"' not in line)]
    strings = set(re.findall(r'"((?:[^"\\]|\\.)*)"', "".join(rest[1:]))) | {*map(str, header["scenario"].values())}
    assert not {text for text in said | words if len(text) > 2} & strings
    assert '"norms"' not in "".join(rest)


def test_the_same_films_tell_it(pair):
    trace, hidden = pair
    if trace.header.detail == "full":
        told = [[film.__name__ for film in catalog.films().values() if film.why_not(t) is None] for t in pair]
        assert told[0] == told[1] and told[0]


def test_no_two_private_traces_of_one_run_have_the_same_tokens(tmp_path: Path):
    trace = Trace.open(TRACES["promo"])
    first, second = ([private(trace, tmp_path / name), Trace.open(tmp_path / name)] for name in ("a.jsonl", "b.jsonl"))
    assert first[0] != second[0]
    one, two = (set(next(iter(t.state_at(len(t) - 1).tasks.values())).tokens) for _, t in (first, second))
    assert not one & two


def test_of_another_engine_no_code_is_left(tmp_path: Path):
    own = lines_of(Trace.open(TRACES["eviction"]))
    lines = foreign(own)
    lines[0]["sources"] = {"secret": {"file": "/home/me/x.py", "line": 1, "text": "def secret(): ..."}}
    told = {"seq": 0, "step": -1, "phase": None, "ns": 0, "event": "lines", "function": "secret", "task": None}
    told |= {"args": {"who": "me"}, "steps": [], "result": None, "unknown": "field"}
    lines = [lines[0], *({**line, "seq": i} for i, line in enumerate([told, *lines[1:-1]])), lines[-1]]
    lines[-1] = {**lines[-1], "events": len(lines) - 2}
    private(written(lines), tmp_path / "x.jsonl")
    content = (tmp_path / "x.jsonl").read_text()
    assert "secret" not in content and "/home" not in content and "unknown" not in content
    verify(Trace.open(tmp_path / "x.jsonl"))


def test_record_writes_through_it(tmp_path: Path):
    out = tmp_path / "run.jsonl"
    command = ["record", str(SCENARIOS / "two_requests.toml"), "-o", str(out), "--device", "cpu", "-q", "--private"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    trace = Trace.open(out)
    assert trace.header.private and verify(trace).unclaimed == ("scenario-kept",)
    with pytest.raises(CannotReproduce, match="private"):
        reproduce(trace)


def test_what_cannot_be_made_private_is_said_in_a_line(crowd_trace: Trace, tmp_path: Path):
    """And nothing is written."""
    out, cut = tmp_path / "out.jsonl", tmp_path / "cut.jsonl"
    lines = bytes(crowd_trace.content).splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:-1]))
    done = CliRunner().invoke(main, ["private", str(cut), "-o", str(out)])
    assert done.exit_code == 1 and "incomplete" in done.output and len(done.output.splitlines()) == 1
    with pytest.raises(TraceError, match="not JSON"):
        private(Trace(Path("x"), b"".join([*lines[:5], b"{\n", *lines[6:]])), out)
    assert not list(tmp_path.glob("out*"))


def test_letters_go_on_after_z():
    assert [letter(i) for i in (0, 25, 26, 27, 51, 52, 701, 702)] == ["A", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]
