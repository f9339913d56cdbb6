"""A scenario that cannot be used is refused in one line, with file and line."""

from __future__ import annotations

import pytest
import torch
from click.testing import CliRunner

from astrai_sim.recorder import record
from astrai_sim.scenario import ScenarioError, find_scenario, load_scenario
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from tests.trace.recording import lines_of, resealed

GOOD = """name = "good"
seed = 1

[model]
n_layers = 1
n_heads = 2
n_kv_heads = 1
head_dim = 4
ffn_dim = 8
vocab_size = 50

[cache]
n_pages = 8
page_size = 4

[scheduler]
max_batch = 2

[record]
snapshot_every = 4

[[request]]
name = "A"
prompt_tokens = 5
max_tokens = 3

[[request]]
name = "B"
prompt_ids = [1, 2, 3]
max_tokens = 2
arrival_step = 1
"""


def line_of(text: str) -> int:
    return GOOD[: GOOD.index(text)].count("\n") + 1


# (what is replaced, with what, the line's text that the error must point to, its message)
BAD = [
    ("seed = 1", "seed = -1", "seed", "seed must be a whole number from 0 on"),
    ("seed = 1", "sed = 1", "seed", "unknown key 'sed'"),
    ("[cache]\n", "[cash]\n", "[cache]", "unknown key 'cash'"),
    ("n_pages = 8", "n_page = 8", "n_pages", "unknown key 'n_page' in [cache]"),
    ("n_pages = 8", "n_pages = 0", "n_pages", "n_pages must be at least 1, not 0"),
    ("n_pages = 8", 'n_pages = "8"', "n_pages", "n_pages must be int, not '8'"),
    ("n_pages = 8", "n_pages = true", "n_pages", "n_pages must be int, not True"),
    ("n_pages = 8", "n_pages = 1", "max_tokens = 3", "request 'A' can never fit"),
    ("page_size = 4\n", "", "[cache]", "[cache] needs 'page_size'"),
    ("n_heads = 2", "n_heads = 2\nkind = 'big'", "n_heads = 2\n", "kind 'big': choose from"),
    ("n_heads = 2", "n_heads = 3\nn_kv_heads = 2", "n_kv_heads", "not TOML"),
    ("head_dim = 4", "head_dim = 3", "head_dim", "head_dim must be even"),
    ("ffn_dim = 8\n", "", "[model]", "[model] needs 'ffn_dim'"),
    ("vocab_size = 50", "vocab_size = 3", "prompt_ids", "token id 3 is not below vocab_size (3)"),
    ("vocab_size = 50", "vocab_size = 50\ndtype = 'int8'", "vocab_size", "dtype 'int8'"),
    ("max_batch = 2", "decode_policy = 'best'", "max_batch", "decode_policy 'best': choose from"),
    ("max_batch = 2", "max_batch = 2\nmax_tokens_per_step = 1", "max_batch", "must be at least"),
    ("snapshot_every = 4", "detail = 'some'", "snapshot_every", "detail 'some': choose from"),
    ("snapshot_every = 4", "detail = 'bulk'\nline_calls = 2", "snapshot_every", "line_calls goes"),
    ("snapshot_every = 4", "kv_layer = 1", "snapshot_every", "kv_layer must be below n_layers"),
    ("snapshot_every = 4", "snapshot_every = 0", "snapshot_every", "must be at least 1, not 0"),
    ('name = "B"', 'name = "A"', 'name = "B"', "the name 'A' is used twice"),
    ("prompt_tokens = 5", "prompt_tokens = 5\nprompt_ids = [1]", 'name = "A"', "give one of"),
    ("prompt_ids = [1, 2, 3]", "prompt_ids = [1, -2]", "prompt_ids", "list of token ids"),
    ("prompt_ids = [1, 2, 3]", "prompt_ids = []", "prompt_ids", "list of token ids"),
    ("arrival_step = 1", "arrival_step = 1\narrival_s = 2.0", "arrival_step", "give either"),
    ("arrival_step = 1", "arrival_s = -2.0", "arrival_step", "must be a number from 0 on"),
    ("arrival_step = 1", "arrival_s = inf", "arrival_step", "must be a number from 0 on"),
    ("arrival_step = 1", "arrival_s = 'now'", "arrival_step", "arrival_s must be float"),
    ("arrival_step = 1", "prefix = 'P'", "arrival_step", "no [[prefix]] is named 'P'"),
    ("arrival_step = 1", "[stop]\ntask = 'A'", "arrival_step", "task and tokens go together"),
    ("arrival_step = 1", "[stop]\ntask = 'C'\ntokens = 1", "arrival_step", "no request is named"),
    ("arrival_step = 1", "[cost]\ndecode_step_s = 1", "arrival_step", "[cost] is the clock of"),
    ("seed = 1", "seed = = 1", "seed", "not TOML"),
    ("seed = 1", "question = 'Why {task?'", "seed", "question: write each measure in one pair of braces"),
    ("seed = 1", "takeaway = '{a {b}}'", "seed", "takeaway: write each measure in one pair of braces"),
    ("seed = 1", "takeaway = '{} pages'", "seed", "takeaway: write each measure in one pair of braces"),
    ("seed = 1", "question = 'A } and a {'", "seed", "question: write each measure in one pair of braces"),
    ("seed = 1", "question = 3", "seed", "question must be text, not 3"),
]


@pytest.mark.parametrize("old, new, place, message", BAD, ids=[row[3][:40] for row in BAD])
def test_each_mistake_is_named_where_it_is(tmp_path, old, new, place, message):
    path = tmp_path / "bad.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(ScenarioError) as raised:
        load_scenario(path)
    said = str(raised.value)
    assert message in said and "\n" not in said
    near = line_of(place)
    assert any(said.startswith(f"{path}:{line}: ") for line in (near, near + 1)), said


def test_the_good_one_is_read(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    scenario = load_scenario(path)
    assert scenario.record.snapshot_steps == 4 and scenario.record.traced_calls == 4
    assert scenario.requests[1].prompt_ids == (1, 2, 3)


def test_what_a_film_asks_and_says_goes_into_the_header_as_it_is(tmp_path):
    said = {"film": "Other", "question": "Why does {task} live in {table}?", "takeaway": "{n} of {m} pages."}
    path = tmp_path / "asked.toml"
    path.write_text("".join(f'{key} = "{text}"\n' for key, text in said.items()) + GOOD)
    record(load_scenario(path), tmp_path / "run.jsonl", torch.device("cpu"))
    trace = Trace.open(tmp_path / "run.jsonl")
    facts = trace.header.scenario
    assert {key: getattr(facts, key) for key in said} == said
    assert f"the question: {said['question']!r}" in verify(trace).trusted
    path.write_text(GOOD)
    assert (load_scenario(path).question, load_scenario(path).takeaway) == ("", "")


def test_a_header_from_before_there_were_questions_is_read(tmp_path):
    path = tmp_path / "good.toml"
    path.write_text(GOOD)
    record(load_scenario(path), tmp_path / "run.jsonl", torch.device("cpu"))
    header, *events = lines_of(Trace.open(tmp_path / "run.jsonl"))
    header["scenario"] = {k: v for k, v in header["scenario"].items() if k not in ("question", "takeaway")}
    old = resealed([header, *events])
    assert old.header.scenario.question == "" and verify(old).events == len(events) - 1


def test_a_run_without_a_model_needs_fewer_sizes(tmp_path):
    text = GOOD.replace("n_heads = 2\n", 'kind = "none"\n').replace("ffn_dim = 8\n", "")
    path = tmp_path / "none.toml"
    path.write_text(text + "[cost]\nprefill_token_s = 2\n")
    scenario = load_scenario(path)
    assert scenario.cost.prefill_token_s == 2.0 and scenario.model.n_heads is None


def test_bulk_has_its_own_defaults(tmp_path):
    path = tmp_path / "bulk.toml"
    path.write_text(GOOD.replace("snapshot_every = 4", 'detail = "bulk"'))
    record = load_scenario(path).record
    assert record.bulk and record.snapshot_steps == 512 and record.traced_calls == 0


def test_a_name_that_is_no_scenario_lists_those_there_are():
    with pytest.raises(ScenarioError, match="give a file, or one of: .*promo"):
        find_scenario("nothing")


def test_the_command_says_so_and_writes_nothing(tmp_path):
    path, output = tmp_path / "bad.toml", tmp_path / "out" / "run.jsonl"
    path.write_text(GOOD.replace("n_pages = 8", "n_pages = 0"))
    done = CliRunner().invoke(main, ["record", str(path), "-o", str(output)])
    assert done.exit_code == 1 and not output.exists() and not output.parent.exists()
    assert done.output.strip() == (f"Error: {path}:{line_of('n_pages')}: n_pages must be at least 1, not 0")
