"""Workloads: formats, selections, and what is wrong with a row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from astrai_sim.workload import Selection, WorkloadError, read_workload

ROOT = Path(__file__).resolve().parents[2]
AZURE_SLICE = ROOT.parent / "shared" / "workloads" / "AzureLLMInferenceTrace_conv.csv"

AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
2023-11-16 18:16:46.6805900,10,7
"""
COLUMNS = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type"
BURSTGPT = f"""{COLUMNS}
5.0,1,2,ChatGPT,472,18,490,Conversation log
45.5,2,3,GPT-4,1087,230,1317,API log
118.0,,,GPT-4,417,0,417,API log
"""


def mooncake(**changes) -> str:
    row = {"timestamp": 1500, "input_length": 600, "output_length": 3, "hash_ids": [7, 8]}
    return json.dumps(row | changes) + "\n"


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "workload"
        path.write_text(text)
        return path

    return write


def lengths(workload) -> list[tuple[float, int, int]]:
    return [(round(request.arrival_s, 4), request.prompt_len, request.output_len) for request in workload.requests]


def test_azure(write):
    workload = read_workload(write(AZURE))
    assert workload.kind == "azure" and workload.rows == 3
    assert lengths(workload) == [(0.0, 374, 44), (4.3146, 396, 109), (60.0, 10, 7)]


def test_burstgpt_leaves_out_what_got_no_answer(write):
    workload = read_workload(write(BURSTGPT))
    assert workload.kind == "burstgpt" and workload.failed == 1
    assert lengths(workload) == [(0.0, 472, 18), (40.5, 1087, 230)]


def test_mooncake_keeps_what_prompts_share(write):
    other = mooncake(timestamp=500, input_length=1100, hash_ids=[7, 9, 10])
    workload = read_workload(write(mooncake() + other))
    assert workload.kind == "mooncake"
    assert lengths(workload) == [(0.0, 1100, 3), (1.0, 600, 3)]
    first, second = workload.requests
    assert (first.blocks, second.blocks) == ((7, 9, 10), (7, 8))
    assert first.block_size == second.block_size == 512


def test_a_selection_cuts_and_stretches(write):
    path = write(AZURE)
    late = read_workload(path, None, Selection(window=(4.0, 60.0), time_scale=0.5))
    assert lengths(late) == [(0.1573, 396, 109)]
    short = read_workload(path, None, Selection(length_limit=420))
    assert lengths(short) == [(0.0, 374, 44), (60.0, 10, 7)]
    assert short.too_long == 1
    assert len(read_workload(path, None, Selection(limit=2)).requests) == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (AZURE + "2023-11-16 18:17:00,12\n", 5, "2 fields where the header has 3"),
        (AZURE + "2023-11-16 18:17:00,twelve,1\n", 5, "ContextTokens must be a whole number"),
        (AZURE + "2023-11-16 18:17:00,12,-1\n", 5, "GeneratedTokens must be a whole number"),
        (AZURE + "yesterday,12,1\n", 5, "TIMESTAMP must be a date and time, not 'yesterday'"),
        (AZURE.replace("GeneratedTokens", "Tokens"), 1, "no column 'GeneratedTokens'"),
        (BURSTGPT + "nan,1,2,GPT-4,1,1,2,API log\n", 5, "must be a number of seconds, not 'nan'"),
        (mooncake() + "{\n", 2, "not JSON"),
        (mooncake() + "[1]\n", 2, "not a request: Expected `object`"),
        (mooncake() + '{"timestamp": 1}\n', 2, "missing required field `input_length`"),
        (mooncake(hash_ids=[7]), 1, "600 tokens are 2 blocks of 512, but hash_ids has 1"),
        (mooncake(output_length=True), 1, "Expected `int`, got `bool` at `output_length`"),
        (mooncake(timestamp="soon"), 1, "Expected `float`, got `str` at `timestamp`"),
        ("when,what\n1,2\n", 1, "the first line fits none of: azure, burstgpt, mooncake"),
        ("", 1, "the first line fits none of"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line(write, text: str, line: int, message: str):
    path = write(text)
    with pytest.raises(WorkloadError) as raised:
        read_workload(path)
    told = str(raised.value)
    assert told.startswith(f"{path}:{line}: ") and message in told and "\n" not in told


def test_an_empty_selection_is_refused(write, tmp_path: Path):
    path = write(AZURE)
    with pytest.raises(WorkloadError, match=r"no request is left: 3 in the file, 0 of them in"):
        read_workload(path, None, Selection(window=(100.0, 200.0)))
    with pytest.raises(WorkloadError, match="cannot be read"):
        read_workload(tmp_path / "absent")


@pytest.mark.skipif(not AZURE_SLICE.exists(), reason=f"the Azure trace is not at {AZURE_SLICE}")
def test_the_azure_slice():
    workload = read_workload(AZURE_SLICE, None, Selection(window=(0.0, 600.0)))
    assert (workload.kind, workload.rows, workload.failed) == ("azure", 19366, 0)
    assert len(workload.requests) == 2867
    assert all(a.arrival_s <= b.arrival_s for a, b in zip(workload.requests, workload.requests[1:], strict=False))
