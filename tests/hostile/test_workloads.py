"""`record` of every hostile workload: one line with file, line, what is wrong, what to do; exit 1; nothing written."""

from __future__ import annotations

import gzip
import json
import tracemalloc

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.workload import WorkloadError, read_workload, request

SCENARIO = """
[model]
kind = "none"
n_layers = 1
n_kv_heads = 1
head_dim = 4
vocab_size = 50
[cache]
n_pages = 16000000
page_size = 1000
[record]
detail = "bulk"
[workload]
"""
DATES, SECONDS = "TIMESTAMP,ContextTokens,GeneratedTokens\n", "Timestamp,Request tokens,Response tokens\n"
DATE = "2023-11-16 18:15:46"
HUGE, LONG, DEEP = "9" * 5000, "x" * 200_000, "[" * 100_000 + "]" * 100_000


def mooncake(**fields: object) -> str:
    return json.dumps({"timestamp": 0, "input_length": 5, "output_length": 3, **fields}) + "\n"


ROWS = {
    "tokens of 30 digits": (f"{DATES}{DATE},{'9' * 30},1\n", "2: ContextTokens must be a whole number from 0 to"),
    "tokens of 5000 digits": (f"{DATES}{DATE},1,{HUGE}\n", "2: GeneratedTokens must be a whole number"),
    "tokens negative": (f"{SECONDS}0,-5,1\n", "2: Request tokens must be a whole number"),
    "tokens missing": (f"{SECONDS}0,,1\n", "2: Request tokens must be a whole number from 0 to 10,000,000, not ''"),
    "tokens left out": (f"{SECONDS}0,1\n", "2: 2 fields where the header has 3"),
    "tokens with a fraction": (f"{SECONDS}0,1.5,1\n", "2: Request tokens must be a whole number"),
    "a year of 5 digits": (f"{DATES}12023-11-16 18:15:46,1,1\n", "2: TIMESTAMP must be a date and time"),
    "a month beyond the year": (f"{DATES}2023-13-16 18:15:46,1,1\n", "2: TIMESTAMP must be a date and time"),
    "a zone here and none there": (f"{DATES}{DATE},1,1\n{DATE}+02:00,1,1\n", "3: TIMESTAMP must be a date and time"),
    "seconds 1e300": (f"{SECONDS}1e300,1,1\n", "2: Timestamp must be a number of seconds, not '1e300'"),
    "seconds of 400 digits": (f"{SECONDS}{'9' * 400},1,1\n", "2: Timestamp must be a number of seconds"),
    "seconds infinite": (f"{SECONDS}inf,1,1\n", "2: Timestamp must be a number of seconds"),
    "a span of a century": (
        f"{SECONDS}0,1,1\n3e9,1,1\n",
        "arrival_s must be at most 1,000,000, not 3000000000.0: set win",
    ),
    "a field of 200 kB": (f"{SECONDS}{LONG},1,1\n", "2: field larger than field limit (131072): is a quote left open?"),
    "a field of 100 kB": (f"{SECONDS}{LONG[:100_000]},1,1\n", "2: Timestamp must be a number of seconds, not 'xxxxxxx"),
    "a quote left open": (f'{SECONDS}"0,1,1\n' + "0,1,1\n" * 50_000, "is a quote left open?"),
    "a header of 200 kB": (f"Timestamp,{LONG}\n0,1\n", "1: field larger than field limit"),
    "zeros": (f"{SECONDS}\0,1,1\n", "2: "),
    "JSON nested deeply": (mooncake(hash_ids="@").replace('"@"', DEEP), "1: "),
    "unknown JSON nested deeply": (mooncake(more="@").replace('"@"', DEEP), "1: JSON nested too deeply"),
    "JSON 1e300": (mooncake(timestamp=1e300), "1: timestamp must be a time before the year 10000, not 1e+300"),
    "JSON of 400 digits": (mooncake(timestamp=int("9" * 400)), "1: "),
    "JSON of 5000 digits": (mooncake(input_length=0).replace(": 0", f": {HUGE}", 2), "1: "),
    "JSON NaN": (mooncake(timestamp=float("nan")), "1: not JSON: "),
    "JSON tokens negative": (mooncake(input_length=-1), "1: not a request: Expected `int` >= 0 at `input_length`"),
    "JSON tokens missing": ('{"timestamp": 0, "input_length": 1}\n', "1: not a request: Object missing required field"),
    "JSON tokens 10^12": (mooncake(output_length=10**12), "1: not a request: Expected `int` <= 10000000"),
    "JSON ids of text": (mooncake(hash_ids=[LONG]), "1: not a request: Expected `int`, got `str`"),
    "JSON of 200 kB": (mooncake(timestamp=LONG), "1: not a request: Expected `float`, got `str`"),
    "prompts of 10^9 tokens": (
        SECONDS + "0,9000000,1\n" * 120,
        "the prompts have 1,080,000,000 tokens, at most 50,000",
    ),
    "answers of 10^10 tokens": (
        SECONDS + "0,1,9999999\n" * 9,
        "the run takes at least 11,249,998 steps, a trace has roo",
    ),
}
ADVICE = ("correct the line, or take it out", "set window or time_scale", "set limit or length_limit in [workload]")


def refused(tmp_path, content: bytes) -> str:
    scenario, file, output = tmp_path / "s.toml", tmp_path / "load", tmp_path / "run.jsonl"
    scenario.write_text(SCENARIO)
    file.write_bytes(content)
    done = CliRunner().invoke(main, ["record", str(scenario), "--workload", str(file), "-q", "-o", str(output)])
    assert done.exit_code == 1 and isinstance(done.exception, SystemExit), done.exception
    assert len(done.output.splitlines()) == 1 and len(done.output) < 500
    assert not {"\x1b", "\x00"} & set(done.output) and not list(tmp_path.glob("run*"))
    return done.output


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_cannot_be(tmp_path, name):
    text, told = ROWS[name]
    said = refused(tmp_path, text.encode())
    assert told in said and any(advice in said for advice in ADVICE)


def test_files_that_are_no_text(tmp_path):
    bomb = gzip.compress(b"0" * 50_000_000)
    assert "unpack it, or write it as UTF-8" in refused(tmp_path, bomb)
    assert "unpack it, or write it as UTF-8" in refused(tmp_path, DATES.encode() + b"\xff\xfe,1,1\n")
    assert "the first line fits none of" in refused(tmp_path, b"\0" * 1000)
    with pytest.raises(WorkloadError, match="/dev/zero: cannot be read: not a file"):
        read_workload(type(tmp_path)("/dev/zero"))


def test_lines_without_an_end_are_not_read_to_it(tmp_path, monkeypatch):
    path = tmp_path / "load"
    path.write_text(mooncake() + "{" + " " * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(WorkloadError, match="load:2: a line of more than 4 MiB"):
            read_workload(path)
        assert tracemalloc.get_traced_memory()[1] < 30_000_000
    finally:
        tracemalloc.stop()
    monkeypatch.setattr(request, "MOST_LINES", 3)
    path.write_text(SECONDS + "0,1,1\n" * 3)
    with pytest.raises(WorkloadError, match="load:4: more than 3 lines: split the file"):
        read_workload(path)
    path.write_text("")
    with path.open("r+b") as file:
        file.truncate(2 << 30)
    with pytest.raises(WorkloadError, match="larger than 1024 MiB: split the file"):
        read_workload(path)
