"""Times in a trace are the engine's own, or the cost model's."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
import torch

from astrai_sim.engine.clock import CostClock, CostModel, RealClock
from astrai_sim.scenario import Run, build
from astrai_sim.scenario.schema import RequestPart
from astrai_sim.trace import RequestTimes, Series, TraceWriter
from astrai_sim.trace.verify import verify
from tests.trace.recording import crowd, recorded


class Ticks:
    """Stands in for the time module: every look at the clock takes a microsecond."""

    def __init__(self) -> None:
        self.ns = 0

    def perf_counter_ns(self) -> int:
        self.ns += 1000
        return self.ns

    def sleep(self, seconds: float) -> None:
        self.ns += round(seconds * 1e9)


@pytest.fixture
def ticks(monkeypatch) -> Ticks:
    found = Ticks()
    monkeypatch.setattr("astrai_sim.engine.clock.time", found)
    return found


def test_time_aside_does_not_pass(ticks):
    clock = RealClock()
    before = clock.now_ns()
    with clock.aside:
        ticks.ns += 5_000_000
        inside = clock.now_ns()
        with clock.aside:
            ticks.ns += 7_000_000
        ticks.ns += 1_000_000
    assert before <= inside <= clock.now_ns() < before + 20_000


def test_a_failure_inside_aside_ends_it(ticks):
    clock = RealClock()
    with pytest.raises(KeyError), clock.aside:
        raise KeyError
    before = clock.now_ns()
    ticks.ns += 3_000_000
    assert clock.now_ns() >= before + 3_000_000


def test_waiting_lets_time_pass(ticks):
    clock = RealClock()
    clock.wait_until(2_000_000_000)
    assert 2_000_000_000 <= clock.now_ns() < 2_000_100_000
    clock.wait_until(5)
    assert clock.now_ns() < 2_000_200_000


def test_what_the_recorder_does_is_not_in_the_times(tmp_path, monkeypatch):
    """A writer that takes 2 ms for each event: a thousand of them pass unnoticed."""
    original = TraceWriter.event

    def slow(self, data):
        time.sleep(0.002)
        original(self, data)

    monkeypatch.setattr(TraceWriter, "event", slow)
    scenario = replace(crowd(), requests=crowd().requests[:2])
    began = time.perf_counter_ns()
    trace = recorded(scenario, tmp_path / "run.jsonl")
    took = time.perf_counter_ns() - began
    spent = len(trace) * 2_000_000
    assert trace[-1].ns <= took - spent
    assert Series.of(trace).duration_ns.sum() <= took - spent


def test_the_cost_model_is_the_stated_formula():
    cost = CostModel(1.0, 0.5, 2.0, 0.25, 0.125)
    assert cost.prefill_s(10) == 1.0 + 10 * 0.5
    assert cost.decode_s(3, 40) == 2.0 + 3 * 0.25 + 40 * 0.125
    assert cost.as_dict()["decode_kv_s"] == 0.125 and "decode_kv_s" in cost.as_dict()["formula"]
    clock = CostClock(cost)
    clock.spend(cost.prefill_s(10))
    clock.spend(cost.decode_s(3, 40))
    assert clock.now_ns() == 13_750_000_000
    clock.wait_until(5)
    assert clock.now_ns() == 13_750_000_000
    clock.wait_until(20_000_000_000)
    assert clock.now_ns() == 20_000_000_000


def test_times_without_a_model_are_computed(tmp_path):
    """One request: prefill of 10, then decode passes over 11, 12, 13 tokens in the cache."""
    cost = CostModel(1.0, 0.5, 2.0, 0.25, 0.125)
    scenario = replace(crowd("none"), cost=cost, prefixes=(), requests=(RequestPart("a", 4, prompt_tokens=10),))
    trace = recorded(scenario, tmp_path / "run.jsonl")
    assert trace.header.clock == "cost-model" and trace.header.model == "none"
    assert trace.header.cost.prefill_token_s == 0.5
    requests = RequestTimes.of(trace)
    assert requests.first_token_ns[0] == 6_000_000_000
    assert requests.gaps[0].tolist() == [round((2.25 + kv * 0.125) * 1e9) for kv in (11, 12, 13)]


def test_an_idle_clock_jumps_to_the_next_arrival(tmp_path):
    requests = (
        RequestPart("a", 2, prompt_tokens=3, arrival_s=0.0),
        RequestPart("b", 2, prompt_tokens=3, arrival_s=50.0),
        RequestPart("c", 2, prompt_tokens=3, arrival_s=50.001),
    )
    scenario = replace(crowd("none"), requests=requests, prefixes=())
    trace = recorded(scenario, tmp_path / "run.jsonl")
    assert verify(trace)
    times = RequestTimes.of(trace)
    assert times.submitted_ns[0] == 0 and times.submitted_ns[1] == 50_000_000_000
    assert times.arrived_ns.tolist() == [0, 50_000_000_000, 50_001_000_000]
    assert times.submitted_ns[2] > times.arrived_ns[2]
    assert times.submitted_step[1] < 6


def test_a_run_says_when_it_waits(monkeypatch):
    """So that Ctrl-C need not wait for a step's end then."""
    scenario = replace(crowd("none"), requests=(RequestPart("a", 2, prompt_tokens=3, arrival_s=2.0),), prefixes=())
    built = build(scenario, torch.device("cpu"))
    run = Run(built.scheduler, built.tasks, scenario.stop, clock=built.clock)
    seen = []
    monkeypatch.setattr(built.clock, "wait_until", lambda ns: seen.append((ns, run.waiting)))
    next(run.steps())
    assert seen == [(2_000_000_000, True)] and not run.waiting


def test_requests_wait_for_their_second_with_a_model(tmp_path, ticks):
    """On the real clock nothing is submitted before it is due."""
    requests = (RequestPart("a", 2, prompt_tokens=3), RequestPart("b", 2, prompt_tokens=3, arrival_s=3.5))
    trace = recorded(replace(crowd(), requests=requests, prefixes=()), tmp_path / "run.jsonl")
    times = RequestTimes.of(trace)
    assert times.submitted_ns[1] >= 3_500_000_000
    assert verify(trace).checks["arrival"]


def test_requests_of_steps_and_seconds_mix(tmp_path):
    """While requests wait for their step, empty steps go by instead of time."""
    requests = (
        RequestPart("a", 2, prompt_tokens=3, arrival_s=1.0),
        RequestPart("b", 2, prompt_tokens=3, arrival_step=3),
    )
    trace = recorded(replace(crowd("none"), requests=requests, prefixes=()), tmp_path / "run.jsonl")
    assert verify(trace)
    assert [event.task for event in trace.find(event="task_submitted")] == ["b", "a"]


def test_tokens_without_a_model_follow_the_stated_rule(tmp_path):
    trace = recorded(crowd("none"), tmp_path / "run.jsonl")
    assert trace.header.token_rule == "(48271 * last + position) mod vocab_size"
    task = trace.state_at(len(trace) - 1).tasks["r3"]
    for position in range(task.prompt_len, task.n_tokens):
        assert task.tokens[position] == (48271 * task.tokens[position - 1] + position) % 50
