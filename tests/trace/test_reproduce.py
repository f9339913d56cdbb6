"""A run that is made again gives the same trace, but for times and places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from astrai_sim.extras import MissingExtra
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.scenario.schema import CachePart, RecordPart, RequestPart, Scenario, SchedulerPart, WorkloadPart
from astrai_sim.tools.reproduce import CannotReproduce, reproduce
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from astrai_sim.workload import read_workload
from tests.conftest import ROOT
from tests.trace.recording import CPU, TINY, crowd, lines_of, recorded, resealed

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
    f"2023-11-16 18:15:{second:02}.5,{20 + second},{3 + second}\n" for second in range(9)
)


def lied(trace: Trace, field: str, event: str, change) -> Trace:
    """The trace with another value in the third event that has `field`."""
    lines = lines_of(trace)
    at = [i for i, line in enumerate(lines) if line.get("event") == event and field in line][2]
    return resealed([*lines[:at], {**lines[at], field: change(lines[at][field])}, *lines[at + 1 :]])


@pytest.mark.parametrize("kind", ["random", "none"])
@pytest.mark.parametrize("detail", ["full", "bulk"])
def test_a_recording_is_reproduced(tmp_path, kind, detail):
    trace = recorded(crowd(kind, detail), tmp_path / "run.jsonl")
    found = reproduce(trace)
    assert (found.count, found.events, found.device) == (0, len(trace), "cpu")
    assert bool(found.left_out) == (kind == "random")


@pytest.mark.parametrize(
    "name", ["fragmentation", *(pytest.param(name, marks=pytest.mark.slow) for name in ("paging", "promo"))]
)
def test_the_shipped_traces_are_reproduced(name):
    trace = Trace.open(ROOT / "assets" / "traces" / f"{name}.jsonl.gz")
    assert reproduce(trace).differences == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["chat", "eviction", "preemption", "prefix_sharing"])
def test_the_shipped_traces_with_words_are_reproduced(name):
    try:
        smollm2()
    except MissingExtra as missing:
        pytest.skip(str(missing))
    test_the_shipped_traces_are_reproduced(name)


def test_what_verify_cannot_see_is_told_with_its_line(tmp_path):
    """A norm, and a token whose page is never keyed; a time is nothing to compare."""
    trace = recorded(crowd(), tmp_path / "run.jsonl")

    def louder(spans: list[dict]) -> list[dict]:
        return [{**spans[0], "norms": [norm + 1 for norm in spans[0]["norms"]]}, *spans[1:]]

    lie = lied(trace, "spans", "kv_write", louder)
    assert verify(lie)
    found = reproduce(lie)
    ((line, text),) = found.differences
    assert found.count == 1 and lines_of(lie)[line - 1]["event"] == "kv_write" and "kv_write: spans is recorded" in text
    assert reproduce(lied(trace, "ns", "kv_write", lambda ns: ns + 1)).count == 0
    timed = recorded(crowd("none"), tmp_path / "timed.jsonl")
    assert reproduce(lied(timed, "duration_ns", "step_end", lambda ns: ns + 1)).count == 1


def test_sources_are_compared_by_their_text(tmp_path):
    lines = lines_of(recorded(crowd(), tmp_path / "run.jsonl"))
    sources = {name: {**source, "file": "elsewhere.py", "line": 1} for name, source in lines[0]["sources"].items()}
    assert reproduce(resealed([{**lines[0], "sources": sources}, *lines[1:]])).count == 0
    sources["pages_for"]["text"] += "# more\n"
    found = reproduce(resealed([{**lines[0], "sources": sources}, *lines[1:]]))
    assert found.differences == ((1, "the header: the source text of pages_for is another"),)


@pytest.mark.parametrize("where", ["gpu", ["avx2"], None])
def test_another_device_rounds_otherwise(tmp_path, where):
    """A GPU's trace on a CPU, or one of another processor: norms are left out, and in low precision what was chosen."""
    scenario = replace(crowd(), model=replace(TINY, dtype="bfloat16"))
    lines = lines_of(recorded(scenario, tmp_path / "run.jsonl"))
    assert reproduce(Trace.open(tmp_path / "run.jsonl")).left_out == ("times and durations: the clock is real",)
    gpu = {"type": "cuda", "capability": [9, 0], "driver": "1", "instructions": None}
    device = {**lines[0]["device"], **(gpu if where == "gpu" else {"instructions": where})}
    louder = [
        {**line, "spans": [{**span, "norms": [1.0] * span["count"]} for span in line["spans"]]}
        if "spans" in line
        else line
        for line in lines[1:]
    ]
    found = reproduce(resealed([{**lines[0], "device": device}, *louder]))
    assert found.count == 0 and [item.split(":")[0] for item in found.left_out] == [
        "times and durations",
        "norms of K",
        "tokens, keys and lines' values",
    ]
    wrong = [{**line, "refs": [9] * len(line["refs"])} if "refs" in line else line for line in louder]
    assert reproduce(resealed([{**lines[0], "device": device}, *wrong])).count > 1


def test_a_load_is_run_again_from_its_file(tmp_path):
    from astrai_sim.recorder import record

    file, other = tmp_path / "load.csv", tmp_path / "other.csv"
    file.write_text(AZURE)
    other.write_text(AZURE.replace(",20,", ",21,"))
    scenario = Scenario(
        name="load",
        model=replace(TINY, kind="none"),
        cache=CachePart(n_pages=24, page_size=4),
        requests=(),
        scheduler=SchedulerPart(max_batch=4),
        record=RecordPart(detail="bulk"),
        workload=WorkloadPart("azure", file.name),
    )
    path = tmp_path / "run.jsonl"
    record(scenario, path, CPU, workload=read_workload(file, "azure"))
    trace = Trace.open(path)
    assert verify(trace) and reproduce(trace, file).count == 0
    with pytest.raises(CannotReproduce, match="give it with --workload FILE"):
        reproduce(trace)
    with pytest.raises(CannotReproduce, match="other.csv has the SHA-256"):
        reproduce(trace, other)


def test_what_arrived_by_the_real_clock_is_not_run_again(tmp_path: Path):
    request = RequestPart("A", max_tokens=2, prompt_tokens=3, arrival_s=0.01)
    trace = recorded(replace(crowd(), requests=(request,), prefixes=()), tmp_path / "run.jsonl")
    assert verify(trace)
    with pytest.raises(CannotReproduce, match="no second run has the same times"):
        reproduce(trace)


def test_a_scenario_that_cannot_be_run_is_one_line(tmp_path):
    lines = lines_of(recorded(crowd(), tmp_path / "run.jsonl"))
    model = {**lines[0]["scenario"]["model"], "ffn_dim": None}
    lie = resealed([{**lines[0], "scenario": {**lines[0]["scenario"], "model": model}}, *lines[1:]])
    with pytest.raises(CannotReproduce, match="the scenario cannot be run"):
        reproduce(lie)
