"""Scenarios whose requests are text, or come from a production trace."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from astrai_sim.extras import MissingExtra
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.recorder import record as record_scenario
from astrai_sim.scenario import ScenarioError, load_scenario
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify

RANDOM = """
[model]
kind = "random"
n_layers = 1
n_heads = 2
n_kv_heads = 1
head_dim = 4
ffn_dim = 8
vocab_size = 50
"""
SMOLLM2 = '\n[model]\nkind = "smollm2"\ndtype = "float32"\n'
ALONE = RANDOM.replace("random", "none")
POOL = "[cache]\nn_pages = 8\npage_size = 16\nprefix_caching = true\n"
AZURE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.0,40,3
2023-11-16 18:15:46.5,20,4
2023-11-16 18:15:48.0,90,2
"""
MOONCAKE = """{"timestamp": 0, "input_length": 600, "output_length": 2, "hash_ids": [1, 2]}
{"timestamp": 900, "input_length": 530, "output_length": 2, "hash_ids": [1, 3]}
"""


@pytest.fixture
def scenario(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "scenario.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def installed() -> None:
    try:
        smollm2()
    except MissingExtra as missing:
        pytest.skip(str(missing))


def refused(path: Path) -> str:
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    told = str(raised.value)
    assert told.startswith(f"{path}:") and "\n" not in told
    return told.removeprefix(f"{path}:")


def record(*arguments: str | Path):
    return CliRunner().invoke(main, ["record", *map(str, arguments), "--device", "cpu"])


def test_text_needs_a_model_that_knows_it(scenario):
    request = '[[request]]\nname = "A"\nmax_tokens = 4\nprompt = "Why?"\n'
    assert refused(scenario(RANDOM + POOL + request)).startswith("17: prompt needs a model that knows text")
    prefix = '[[prefix]]\nname = "p"\ntext = "Be brief."\n' + request.replace(
        'prompt = "Why?"', 'prompt_tokens = 4\nprefix = "p"'
    )
    assert refused(scenario(RANDOM + POOL + prefix)).startswith("16: text needs a model")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            SMOLLM2 + "n_layers = 2\n" + POOL + '[[request]]\nname = "A"\nmax_tokens = 4\n',
            "5: n_layers comes from the file",
        ),
        (SMOLLM2 + POOL + '[[request]]\nname = "A"\nmax_tokens = 4\nprompt = " "\n', "12: prompt is empty"),
        (
            SMOLLM2 + POOL + '[[request]]\nname = "A"\nmax_tokens = 400\nprompt = "Why?"\n',
            "11: request 'A' can never fit: ",
        ),
        (
            SMOLLM2 + POOL + '[[prefix]]\nname = "p"\ntext = "Be brief."\n'
            '[[request]]\nname = "A"\nmax_tokens = 4\nprompt_tokens = 4\nprefix = "p"\n',
            "16: a prefix with text goes with requests whose prompt is text",
        ),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_line(scenario, text: str, message: str):
    assert refused(scenario(text)).startswith(message)


@pytest.mark.usefixtures("installed")
def test_prompts_and_answers_are_recorded_as_text(scenario, tmp_path: Path):
    path = scenario(
        SMOLLM2 + POOL + '[[prefix]]\nname = "p"\ntext = "Answer in one short sentence."\n'
        '[[request]]\nname = "A"\nmax_tokens = 12\nprefix = "p"\n'
        'prompt = "What is the capital of France?"\n'
    )
    out = tmp_path / "said.jsonl"
    done = record(path, "-o", out)
    assert done.exit_code == 0, done.output
    trace = Trace.open(out)
    assert verify(trace).checks["texts of tokens"] > 8
    task = trace.state_at(len(trace) - 1).tasks["A"]
    said = "".join(task.texts)
    assert said == (
        "<|im_start|>system\nAnswer in one short sentence.<|im_end|>\n"
        "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n"
        "<|im_start|>assistant\nThe capital of France is Paris.<|im_end|>"
    )
    assert len(task.texts) == len(task.tokens)
    assert trace.header.weights.quantization == "Q4_1"
    assert trace.header.tokenizer.tokens == 49152
    assert trace.header.scenario.scheduler.eos == 2


def test_a_load_is_run_and_named_in_the_header(scenario, tmp_path: Path):
    path = scenario(ALONE + POOL + "[workload]\ntime_scale = 0.5\nlimit = 2\n")
    (tmp_path / "load.csv").write_text(AZURE)
    out = tmp_path / "load.jsonl.gz"
    done = record(path, "-o", out, "--workload", tmp_path / "load.csv")
    assert done.exit_code == 0, done.output
    trace = Trace.open(out)
    verify(trace)
    assert trace.header.workload.requests == 2 and trace.header.workload.rows == 3
    named = trace.header.scenario.workload
    assert (named.kind, named.path) == ("azure", "load.csv")
    submitted = [(e.task, len(e.prompt), e.max_tokens, e.arrival_s) for e in trace.find("task_submitted")]
    assert submitted == [("r1", 40, 3, 0.0), ("r2", 20, 4, 0.25)]


def test_equal_blocks_hit_the_prefix_cache(scenario, tmp_path: Path):
    (tmp_path / "shared.jsonl").write_text(MOONCAKE)
    pool = POOL.replace("n_pages = 8", "n_pages = 80")
    path = scenario(ALONE + pool + '[workload]\npath = "shared.jsonl"\n')
    out = tmp_path / "load.jsonl.gz"
    done = record(path, "-o", out)
    assert done.exit_code == 0, done.output
    trace = Trace.open(out)
    verify(trace)
    hits = {event.task: event.tokens for event in trace.find("prefix_hit")}
    assert hits == {"r2": 512}


def test_a_load_that_was_not_read_is_not_run_as_none(scenario, tmp_path: Path):
    parsed = load_scenario(scenario(ALONE + POOL + "[workload]\n"))
    with pytest.raises(ValueError, match="a workload, which was not read"):
        record_scenario(parsed, tmp_path / "x.jsonl", torch.device("cpu"))
    assert not (tmp_path / "x.jsonl").exists()


@pytest.mark.parametrize(
    ("table", "extra", "message"),
    [
        ("[workload]\n", (), "[workload] names no path: give --workload FILE"),
        ('[workload]\npath = "absent.csv"\n', (), "absent.csv: cannot be read"),
        ("[workload]\nwindow = [5]\n", (), ":15: window must be [from, to] in seconds"),
        ('[workload]\nkind = "csv"\n', (), ":15: kind 'csv': choose from azure, burstgpt"),
        ("[workload]\ntime_scale = 0\n", (), ":15: time_scale must be above 0"),
        (
            '[workload]\n[[request]]\nname = "A"\nmax_tokens = 1\nprompt_tokens = 1\n',
            (),
            "[[request]] or [workload] is needed, and not both",
        ),
        (
            '[[request]]\nname = "A"\nmax_tokens = 1\nprompt_tokens = 1\n',
            ("--workload", "load.csv"),
            "the scenario has no [workload] table",
        ),
        ('[workload]\npath = "broken.csv"\n', (), "broken.csv:5: ContextTokens must be"),
        ('[workload]\npath = "long.csv"\n', (), "900 + 2 tokens in long.csv can never fit: it needs 57 pages"),
    ],
)
def test_a_load_that_cannot_be_run_is_refused(
    scenario, tmp_path: Path, table: str, extra: tuple[str, ...], message: str
):
    (tmp_path / "broken.csv").write_text(AZURE + "2023-11-16 18:15:49,x,2\n")
    (tmp_path / "long.csv").write_text(AZURE + "2023-11-16 18:15:49,900,2\n")
    out = tmp_path / "load.jsonl"
    done = record(scenario(ALONE + POOL + table), "-o", out, *extra)
    assert done.exit_code == 1 and message in done.output
    errors = [line for line in done.output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and not out.exists()
