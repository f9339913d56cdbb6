"""Executed lines in a trace: whose, when, and the queue that they act on."""

from dataclasses import replace

import pytest
import torch

from astrai_sim.recorder import record
from astrai_sim.scenario import load_scenario
from astrai_sim.trace import Trace
from tests.conftest import SCENARIOS


@pytest.fixture(scope="module")
def crowded(record_scenario):
    return Trace.open(record_scenario("crowded"))


def test_preemption_is_recorded_line_by_line(crowded):
    """The lines end with the call that preempts, and say who runs on."""
    name = "InferenceScheduler._make_room"
    event = next(e for e in crowded.find(event="lines") if e.function == name)
    source = crowded.header.sources[name].text.splitlines()
    left = [(source[s.line - 1].strip(), s.values["self.running"]) for s in event.steps if "self.running" in s.values]
    preempted = next(crowded.find(event="task_preempted", after=event.seq))
    ((line, running),) = left
    assert line == "self._preempt(self.running[-1])"
    assert preempted.task not in running and event.args["task"] in [*running, preempted.task]


def test_waiting_is_the_queue_that_the_scheduler_has(crowded):
    queues = [(e.waiting, crowded.state_at(e.seq).waiting) for e in crowded.find(event="step_begin")]
    assert all(recorded == replayed for recorded, replayed in queues)
    assert max(len(recorded) for recorded, _ in queues) >= 4


def test_no_line_is_recorded_from_the_step_that_line_steps_names(tmp_path):
    scenario = load_scenario(SCENARIOS / "crowded.toml")
    scenario = replace(scenario, record=replace(scenario.record, line_steps=2))
    record(scenario, tmp_path / "run.jsonl", torch.device("cpu"))
    steps = {event.step for event in Trace.open(tmp_path / "run.jsonl").find(event="lines")}
    assert steps == {-1, 0, 1}, "from the making of the pool on"
