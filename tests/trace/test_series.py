"""A run in arrays, against what the events say one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from astrai_sim.scenario.schema import StopPart
from astrai_sim.trace import RequestTimes, Series
from tests.trace.recording import crowd, recorded


def test_steps_add_up(crowd_trace):
    series = Series.of(crowd_trace)
    ends = list(crowd_trace.find(event="step_end"))
    assert series.seq.tolist() == [event.seq for event in ends]
    assert series.step.tolist() == list(range(len(ends)))
    assert series.duration_ns.tolist() == [event.duration_ns for event in ends]
    assert series.waiting.tolist() == [event.waiting for event in ends]
    assert (series.start_ns <= series.end_ns).all()
    assert (series.free + series.in_use + series.cached == 14).all()


def test_steps_hold_what_the_states_hold(crowd_trace):
    series = Series.of(crowd_trace)
    for i, seq in enumerate(series.seq):
        state = crowd_trace.state_at(int(seq))
        used = state.page_states() == 1
        assert series.in_use[i] == np.count_nonzero(used)
        assert series.kv_slots[i] == state.fill()[used].sum()
        assert series.reserved_slots[i] == 4 * series.in_use[i] >= series.kv_slots[i]


def test_totals_are_those_of_the_run(crowd_trace):
    series, requests = Series.of(crowd_trace), RequestTimes.of(crowd_trace)
    last = crowd_trace.state_at(len(crowd_trace) - 1)
    assert series.generated.sum() == sum(task.generated for task in last.tasks.values())
    assert series.preemptions.sum() == requests.preemptions.sum() == 3
    assert series.evictions.sum() > 0
    computed = sum(
        event.end - event.start for kind in ("chunk", "task_prefilled") for event in crowd_trace.find(event=kind)
    )
    assert series.prompt_tokens.sum() == computed


def test_requests_have_their_times(crowd_trace):
    requests = RequestTimes.of(crowd_trace)
    assert requests.names == [event.task for event in crowd_trace.find(event="task_submitted")]
    for i, name in enumerate(requests.names):
        admitted = next(crowd_trace.find(event="task_admitted", task=name))
        finished = next(crowd_trace.find(event="task_finished", task=name))
        assert (requests.admitted_ns[i], requests.admitted_step[i]) == (admitted.ns, admitted.step)
        assert (requests.finished_ns[i], requests.finished_step[i]) == (finished.ns, finished.step)
        assert requests.cached[i] == admitted.cached_tokens
        assert requests.generated[i] == finished.generated
        assert len(requests.gaps[i]) == finished.generated - 1
        assert requests.admitted_ns[i] <= requests.first_token_ns[i] <= requests.finished_ns[i]
        assert requests.gaps[i].sum() <= requests.finished_ns[i] - requests.first_token_ns[i]
    waited = requests.time_to_first_token_ns
    assert (waited == requests.first_token_ns - requests.arrived_ns).all()


def test_both_details_give_the_same_arrays(tmp_path):
    full = recorded(crowd("none"), tmp_path / "full.jsonl")
    bulk = recorded(crowd("none", "bulk"), tmp_path / "bulk.jsonl")
    one, other = Series.of(full), Series.of(bulk)
    for name in vars(one).keys() - {"seq"}:
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    left, right = RequestTimes.of(full), RequestTimes.of(bulk)
    for name in vars(left).keys() - {"names", "gaps"}:
        assert getattr(left, name).tolist() == getattr(right, name).tolist(), name
    assert [gap.tolist() for gap in left.gaps] == [gap.tolist() for gap in right.gaps]


def test_what_has_not_happened_is_minus_one(tmp_path):
    scenario = replace(crowd("none"), stop=StopPart(max_steps=2))
    requests = RequestTimes.of(recorded(scenario, tmp_path / "a.jsonl"))
    assert requests.finished_ns.tolist() == [-1] * len(requests)
    assert -1 in requests.first_token_ns and -1 in requests.time_to_first_token_ns
