"""Settings that change in mid-run: made at their step, recorded, verified; bad ones refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from astrai_sim.recorder import record
from astrai_sim.scenario import Run, ScenarioError, build, load_scenario
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.trace.recording import lines_of, resealed

BASE = """
name = "changes"
[model]
n_layers = 1
n_heads = 2
n_kv_heads = 1
head_dim = 4
ffn_dim = 8
vocab_size = 32
dtype = "float32"
[cache]
n_pages = 24
page_size = 8
[scheduler]
max_batch = 3
[[request]]
name = "running"
prompt_tokens = 10
max_tokens = 20
[[request]]
name = "whole"
prompt_tokens = 64
max_tokens = 2
arrival_step = 3
[[request]]
name = "chunked"
prompt_tokens = 64
max_tokens = 2
arrival_step = 8
"""
CHANGES = """
[[change]]
step = 8
max_tokens_per_step = 16
[[change]]
step = 14
max_tokens_per_step = "none"
[[change]]
step = 15
decode_policy = "same-position"
[[change]]
step = 15
preemption = false
"""


def scenario_of(folder: Path, text: str):
    path = folder / "changes.toml"
    path.write_text(text)
    return load_scenario(path)


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> Trace:
    folder = tmp_path_factory.mktemp("changes")
    record(scenario_of(folder, BASE + CHANGES), folder / "t.jsonl", torch.device("cpu"))
    return Trace.open(folder / "t.jsonl")


def test_each_change_is_recorded_right_before_its_step(trace):
    verify(trace)
    found = [
        (event.name, event.value, next(trace.find("step_begin", after=event.seq)).step)
        for event in trace.find("setting")
    ]
    assert found == [
        ("max_tokens_per_step", 16, 8),
        ("max_tokens_per_step", None, 14),
        ("decode_policy", "same-position", 15),
        ("preemption", False, 15),
    ]


def test_a_long_prompt_is_served_whole_before_the_change_and_in_chunks_after(trace):
    def spans(task):
        return [
            (event.step, span.count)
            for event in trace.find("kv_write")
            for span in event.spans
            if span.task == task and event.phase == "prefill"
        ]

    assert spans("whole") == [(3, 64)]
    assert spans("chunked") == [(8, 15), (9, 15), (10, 15), (11, 15), (12, 4)]


def test_the_run_has_the_settings_in_the_end(tmp_path):
    built = build(scenario := scenario_of(tmp_path, BASE + CHANGES), torch.device("cpu"))
    for _ in Run(built.scheduler, built.tasks, scenario.stop, scenario.changes).steps():
        pass
    scheduler = built.scheduler
    assert (scheduler.max_tokens_per_step, scheduler.decode_policy, scheduler.preemption) == (
        None,
        "same-position",
        False,
    )


@pytest.mark.parametrize(
    ("change", "line", "message"),
    [
        ("step = 3", "[[change]]", "sets one of decode_policy, max_tokens_per_step, preemption"),
        ("step = 3\npreemption = true\ndecode_policy = 'all'", "[[change]]", "not 2"),
        ("step = 3\nmax_tokens_per_step = 2", "max_tokens_per_step = 2", "at least max_batch (3)"),
        ("step = 3\nmax_tokens_per_step = 'no'", "max_tokens_per_step = 'no'", "int or 'none'"),
        ("step = 3\ndecode_policy = 'fair'", "decode_policy", "choose from all, same-position"),
        ("step = 3\nmax_batch = 4", "max_batch = 4", "unknown key 'max_batch' in [[change]]"),
        ("step = -1\npreemption = true", "step", "step must be at least 0"),
        ("preemption = true", "[[change]]", "needs 'step'"),
        ("step = 9\npreemption = true\n[stop]\nmax_steps = 9", "step = 9", "is never reached"),
        (
            "step = 3\npreemption = true\n[[change]]\nstep = 3\npreemption = false",
            "preemption = false",
            "is changed twice before step 3",
        ),
    ],
)
def test_a_bad_change_is_refused_with_its_line(tmp_path, change, line, message):
    text = f"{BASE}[[change]]\n{change}\n"
    with pytest.raises(ScenarioError) as error:
        scenario_of(tmp_path, text)
    where, told = str(error.value).split(": ", 1)
    assert message in told
    number = int(where.rsplit(":", 1)[1])
    assert text.splitlines()[number - 1].startswith(line)


def test_preemption_cannot_be_switched_off_over_tasks_that_may_outgrow_the_pool(tmp_path):
    text = BASE.replace("n_pages = 24", "n_pages = 11")
    text = text.replace("max_tokens = 2\n", "max_tokens = 9\n")
    text += "[[change]]\nstep = 5\npreemption = false"
    built = build(scenario := scenario_of(tmp_path, text), torch.device("cpu"))
    with pytest.raises(ValueError, match="the running tasks may need 13 pages, the pool has 11"):
        for _ in Run(built.scheduler, built.tasks, scenario.stop, scenario.changes).steps():
            pass
    assert built.scheduler.preemption is True


def tampered(trace: Trace, folder: Path, change) -> Trace:
    """The trace with `change` applied to each event's data, and a header that does not claim
    the rules that would be the first to fail."""
    lines = trace.content.splitlines()
    lines[0] = lines[0].replace(b'"scenario-kept",', b"").replace(b'"passes-planned",', b"")
    for i, line in enumerate(lines[1:-1], start=1):
        data = json.loads(line)
        change(data)
        lines[i] = json.dumps(data, separators=(",", ":")).encode()
    (folder / "lie.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return Trace.open(folder / "lie.jsonl")


def test_verify_finds_a_change_that_the_scenario_does_not_have(trace):
    lines = lines_of(trace)
    at = next(i for i, line in enumerate(lines) if line.get("value") == 16)
    with pytest.raises(TraceError, match="change is recorded as .*15.*scenario-kept"):
        verify(resealed([*lines[:at], {**lines[at], "value": 15}, *lines[at + 1 :]]))
    with pytest.raises(TraceError, match="is due, but was not made"):
        verify(resealed([*lines[:at], *lines[at + 1 :]]))


def test_verify_finds_a_step_over_the_budget_in_force(trace, tmp_path):
    def lie(data):
        if data["event"] == "setting" and data["value"] == 16:
            data["value"] = 15

    with pytest.raises(TraceError, match="16 tokens computed in a step of at most 15"):
        verify(tampered(trace, tmp_path, lie))


def test_verify_finds_a_group_that_the_policy_forbids(trace, tmp_path):
    def lie(data):
        if data["event"] == "setting" and data["step"] == 7:
            data.update(name="decode_policy", value="same-position")

    with pytest.raises(TraceError, match="several positions"):
        verify(tampered(trace, tmp_path, lie))
