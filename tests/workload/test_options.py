"""Block size and time unit of a workload: read, recorded in the header, and run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.tools.reproduce import reproduce
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from astrai_sim.workload import Selection, WorkloadError, read_workload
from tests.trace.recording import lines_of, resealed

SCENARIO = """
[model]
kind = "none"
n_layers = 1
n_kv_heads = 1
head_dim = 4
vocab_size = 50
[cache]
n_pages = 40
page_size = 8
prefix_caching = true
[workload]
"""
BURSTGPT = "Timestamp,Request tokens,Response tokens\n5000,20,3\n45500,30,4\n"
BAILIAN = "".join(
    json.dumps({"chat_id": chat, "parent_chat_id": -1, "timestamp": at, "input_length": prompt, "output_length": 3}
    | {"type": "text", "turn": 1, "hash_ids": blocks}) + "\n"
    for chat, at, prompt, blocks in ((1, 0.25, 40, [7, 8, 9]), (2, 61.114, 33, [7, 8, 4]), (3, 62.0, 16, [7]))
)  # fmt: skip
OF_BAILIAN = Selection(block_size=16, time_unit="s")


@pytest.fixture
def bailian(tmp_path: Path) -> Path:
    path = tmp_path / "bailian.jsonl"
    path.write_text(BAILIAN)
    return path


def run(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


def test_qwen_bailians_traces_are_read_with_their_blocks_and_seconds(bailian):
    found = read_workload(bailian, None, OF_BAILIAN)
    assert found.kind == "mooncake" and [request.prompt_len for request in found.requests] == [40, 33, 16]
    assert [round(request.arrival_s, 6) for request in found.requests] == [0.0, 60.864, 61.75]
    assert [(request.blocks, request.block_size) for request in found.requests] == [
        ((7, 8, 9), 16),
        ((7, 8, 4), 16),
        ((7,), 16),
    ]


@pytest.mark.parametrize(("unit", "seconds"), [("s", 40500.0), ("ms", 40.5), ("us", 0.0405)])
def test_a_time_unit_is_taken_where_times_are_numbers(tmp_path, unit, seconds):
    (tmp_path / "burst.csv").write_text(BURSTGPT)
    found = read_workload(tmp_path / "burst.csv", None, Selection(time_unit=unit))
    assert found.requests[1].arrival_s == pytest.approx(seconds, rel=1e-12)


def refused(path: Path, selection: Selection) -> str:
    with pytest.raises(WorkloadError) as raised:
        read_workload(path, None, selection)
    assert "\n" not in str(raised.value)
    return str(raised.value).removeprefix(str(path))


def test_milliseconds_are_not_taken_for_seconds_unasked(bailian):
    assert refused(bailian, Selection(block_size=16)) == (
        ":1: a request with a chat_id, as Qwen-Bailian's traces have them: "
        'set time_unit = "s" and block_size = 16 in [workload]'
    )


def test_blocks_of_another_size_are_refused(bailian):
    assert refused(bailian, Selection(time_unit="s")) == (
        ":1: 40 tokens are 1 blocks of 512, but hash_ids has 3: correct the line, or set block_size in [workload]"
    )


def test_an_option_that_a_kind_has_no_use_for_is_refused(tmp_path):
    (tmp_path / "burst.csv").write_text(BURSTGPT)
    told = ": block_size goes with kind mooncake, and this is burstgpt: take it out of [workload]"
    assert refused(tmp_path / "burst.csv", Selection(block_size=16)) == told
    (tmp_path / "azure.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46,1,1\n")
    told = ": time_unit goes with kind burstgpt or mooncake, and this is azure: take it out of [workload]"
    assert refused(tmp_path / "azure.csv", Selection(time_unit="s")) == told


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("block_size = 0", "13: block_size must be at least 1, not 0"),
        ("block_size = 16.0", "13: block_size must be int, not 16.0"),
        ('time_unit = "minutes"', "13: time_unit 'minutes': choose from s, ms, us"),
        ("time_unit = 1", "13: time_unit must be str, not 1"),
    ],
)
def test_an_option_that_is_none_is_refused_with_its_line(tmp_path, bailian, line, told):
    scenario = tmp_path / "s.toml"
    scenario.write_text(SCENARIO + line + "\n")
    done = run("record", scenario, "--workload", bailian, "-q", "-o", tmp_path / "run.jsonl")
    assert done.exit_code == 1 and f"s.toml:{told}" in done.output and not (tmp_path / "run.jsonl").exists()


@pytest.fixture
def recorded(tmp_path, bailian) -> Trace:
    scenario, path = tmp_path / "s.toml", tmp_path / "run.jsonl"
    scenario.write_text(SCENARIO + 'path = "bailian.jsonl"\nblock_size = 16\ntime_unit = "s"\n')
    done = run("record", scenario, "-q", "-o", path)
    assert done.exit_code == 0, done.output
    return Trace.open(path)


def test_the_header_has_the_options_and_the_run_is_made_again_by_them(recorded, bailian):
    asked = recorded.header.scenario.workload
    assert (asked.block_size, asked.time_unit) == (16, "s")
    hits = {event.task: event.tokens for event in recorded.find("prefix_hit")}
    assert hits == {"r2": 32, "r3": 8}
    done = run("verify", "--reproduce", "--workload", bailian, recorded.path)
    assert done.exit_code == 0 and "no differences" in done.output
    lines = lines_of(recorded)
    other = {**lines[0]["scenario"]["workload"], "time_unit": "ms"}
    lie = resealed([{**lines[0], "scenario": {**lines[0]["scenario"], "workload": other}}, *lines[1:]])
    assert reproduce(lie, bailian).count > 0


def test_a_trace_of_before_there_were_options_is_read_and_made_again(tmp_path):
    load = tmp_path / "load.jsonl"
    load.write_text('{"timestamp": 1500, "input_length": 20, "output_length": 3, "hash_ids": [1]}\n')
    scenario, path = tmp_path / "s.toml", tmp_path / "run.jsonl"
    scenario.write_text(SCENARIO)
    assert run("record", scenario, "--workload", load, "-q", "-o", path).exit_code == 0
    lines = lines_of(Trace.open(path))
    asked = lines[0]["scenario"]["workload"]
    assert (asked.pop("block_size"), asked.pop("time_unit")) == (None, None)
    older = resealed(lines)
    assert verify(older) and older.header.scenario.workload.block_size is None
    assert reproduce(older, load).count == 0
