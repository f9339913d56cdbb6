"""record, verify and inspect as they are typed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from astrai_sim.scenario import load as load_module
from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from tests.trace.recording import crowd, recorded

SCENARIO = """
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

[[request]]
name = "A"
prompt_tokens = 5
max_tokens = 3
"""


def run(*words: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(main, [str(word) for word in words])


@pytest.fixture
def scenario(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


def test_record_then_verify_then_inspect(tmp_path, scenario):
    output = tmp_path / "new" / "run.jsonl.gz"
    done = run("record", scenario, "-o", output, "--device", "cpu")
    assert done.exit_code == 0 and Trace.open(output).sha256 in done.output
    assert "device: cpu" in done.output
    done = run("verify", output)
    assert done.exit_code == 0 and "policy: holds in" in done.output and "- the norms of K" in done.output
    done = run("verify", "--verbose", "--reproduce", output)
    assert done.exit_code == 0 and "refcount = tables holding it" in done.output
    assert "run again on cpu: no differences in 68 events" in done.output
    done = run("inspect", output)
    assert done.exit_code == 0 and "task_finished" in done.output and "complete" in done.output


def test_record_without_a_model(tmp_path, scenario):
    output = tmp_path / "run.jsonl"
    assert run("record", scenario, "--model", "none", "-o", output).exit_code == 0
    header = Trace.open(output).header
    assert (header.model, header.clock) == ("none", "cost-model") and header.cost.formula
    shown = run("inspect", output).output
    assert "cache and scheduler alone" in shown and "computed by a cost model" in shown


def test_record_where_it_cannot_write(tmp_path, scenario):
    (tmp_path / "file").write_text("")
    done = run("record", scenario, "-o", tmp_path / "file" / "run.jsonl")
    assert done.exit_code == 1 and "cannot be written" in done.output
    assert "Traceback" not in done.output


def test_record_of_a_pool_that_no_machine_has(tmp_path, scenario):
    scenario.write_text(
        SCENARIO.replace("n_pages = 8", "n_pages = 16000000").replace("page_size = 4", "page_size = 1000000")
    )
    output = tmp_path / "run.jsonl"
    done = run("record", scenario, "-o", output)
    assert done.exit_code == 1 and "lower n_layers or n_pages" in done.output and not output.exists()


def test_record_on_a_device_that_is_not_there(tmp_path, scenario, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    done = run("record", scenario, "-o", tmp_path / "run.jsonl", "--device", "cuda")
    assert done.exit_code == 1 and "no CUDA device" in done.output


def test_verify_names_the_first_lie(tmp_path):
    trace = recorded(crowd("none"), tmp_path / "run.jsonl")
    lines = trace.content.splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if b'"page_alloc"' in line)
    lines[at] = lines[at].replace(b'"ref":1', b'"ref":2')
    trace.path.write_bytes(b"".join(lines))
    done = run("verify", trace.path)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {trace.path}:{at + 1}: event {at - 1} (pages_alloc): ")


def test_verify_of_a_file_that_is_not_there(tmp_path):
    done = run("verify", tmp_path / "none.jsonl")
    assert done.exit_code == 1 and "cannot be read" in done.output


@pytest.fixture(scope="module")
def long(tmp_path_factory) -> Trace:
    return recorded(crowd("none"), tmp_path_factory.mktemp("long") / "run.jsonl")


def rows(output: str) -> list[str]:
    """The cells of the timeline's first column."""
    timeline = output[output.index("timeline") :]
    cells = [line.split("│")[1].strip() for line in timeline.splitlines() if line.startswith("│")]
    return [cell for cell in cells if cell]


def test_inspect_shows_a_bounded_beginning_and_end(long):
    shown = rows(run("inspect", long.path).output)
    assert len(shown) == 61 and shown[40] == "…"
    quiet = run("inspect", long.path, "--first", 10_000)
    assert f"{len(rows(quiet.output))}" == str(
        61 - 1 + int(run("inspect", long.path).output.split(" more:")[0].split()[-1])
    )


def test_inspect_shows_what_is_asked_for(long):
    shown = rows(run("inspect", long.path, "--all", "--last", 3).output)
    assert shown == ["…", *[str(len(long) - 3 + i) for i in range(3)]]
    shown = rows(run("inspect", long.path, "--all", "--first", 2).output)
    assert shown == ["0", "1", "…"]
    shown = rows(run("inspect", long.path, "--all", "--first", len(long)).output)
    assert shown == [str(seq) for seq in range(len(long))]
    assert rows(run("inspect", long.path, "--first", 0, "--last", 0).output) == ["…"]


def test_inspect_counts_each_kind(long):
    kinds = long.kinds()
    assert sum(kinds.values()) == len(long)
    assert kinds["step_end"] == sum(event.event == "step_end" for event in long)


def test_inspect_of_a_cut_file(long, tmp_path):
    path = tmp_path / "cut.jsonl"
    path.write_bytes(long.content[: len(long.content) // 2])
    done = run("inspect", path)
    assert done.exit_code == 0 and "incomplete at event" in done.output


def test_all_scenarios_are_recorded_on_one_device_and_say_so(tmp_path, monkeypatch, scenario):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    for name in ("second", "first"):
        (folder / f"{name}.toml").write_text(SCENARIO)
    load = '\n[workload]\nkind = "azure"\n'
    (folder / "of_a_load.toml").write_text(SCENARIO.split("[[request]]")[0] + load)
    monkeypatch.setattr(load_module, "FOLDER", folder)
    done = run("record-all", "-o", tmp_path / "out", "--device", "cpu")
    assert done.exit_code == 0, done.output
    assert "of_a_load: left out: its requests are those of a production load" in done.stderr
    traces = {path.name: Trace.open(path) for path in (tmp_path / "out").iterdir()}
    assert sorted(traces) == ["first.jsonl.gz", "second.jsonl.gz"]
    assert {trace.header.device.type for trace in traces.values()} == {"cpu"}
    assert all(trace.sha256 in done.stdout for trace in traces.values())


def test_record_all_ends_at_a_scenario_that_cannot_run(tmp_path, monkeypatch):
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "first.toml").write_text(SCENARIO.replace("prompt_tokens = 5", "prompt_tokens = 500"))
    monkeypatch.setattr(load_module, "FOLDER", folder)
    done = run("record-all", "-o", tmp_path / "out", "--device", "cpu", "--quiet")
    assert done.exit_code == 1 and len(done.stderr.splitlines()) == 1 and "never fit" in done.stderr
    assert not (tmp_path / "out").exists()
