"""States kept on the way: few, small, true, and near every other."""

from __future__ import annotations

import random

import pytest

from astrai_sim.trace import Series, State, Trace, checkpoints
from tests.trace.recording import crowd, recorded
from tests.trace.test_state import facts, replayed


@pytest.fixture(scope="module", params=[("random", "full"), ("none", "bulk")], ids="-".join)
def run(request, tmp_path_factory):
    return recorded(crowd(*request.param), tmp_path_factory.mktemp("kept") / "run.jsonl")


@pytest.fixture
def trace(run, monkeypatch):
    """The run opened anew, with a state kept after every eighth event, and all requests with every third of these."""
    monkeypatch.setattr(checkpoints, "SPACING", 8)
    monkeypatch.setattr(checkpoints, "WHOLE", 3)
    return Trace(run.path, run.content)


@pytest.fixture
def applied(monkeypatch):
    """Events that were replayed, by their numbers."""
    seen = []
    apply = State.apply

    def watched(self, event):
        seen.append(event.seq)
        apply(self, event)

    monkeypatch.setattr(State, "apply", watched)
    return seen


def test_every_state_is_what_a_replay_from_the_first_event_gives(trace):
    trace.state_at(len(trace) - 1)
    for seq in random.Random(0).sample(range(-1, len(trace)), 60):
        state, whole = trace.state_at(seq), replayed(trace, seq)
        assert facts(state) == facts(whole) and [*state.tasks] == [*whole.tasks]


def test_requests_that_changed_are_told_in_order_of_submission(trace):
    state, known = State(trace.header.scenario.cache.n_pages, trace.header.scenario.cache.page_size), {}
    for number, event in enumerate(trace):
        state.apply(event)
        if number % 5 == 0:
            known.update(state.changed())
    known.update(state.changed())
    assert known == state.tasks and [*known] == [*state.tasks]
    assert state.changed() == {}


def test_any_state_costs_few_events_once_the_trace_was_gone_through(trace, applied):
    trace.state_at(len(trace) - 1)
    assert applied == [*range(len(trace))]
    for seq in random.Random(1).sample(range(len(trace)), 40):
        applied.clear()
        trace.state_at(seq)
        assert len(applied) <= 8


def test_going_through_a_trace_for_something_else_is_enough(trace, applied):
    Series.of(trace)
    applied.clear()
    trace.state_at(len(trace) // 2)
    assert len(applied) < 8


def test_a_state_that_was_reached_goes_on_from_there(trace, applied):
    trace.state_at(20)
    applied.clear()
    trace.state_at(22)
    assert applied == [21, 22]


def test_few_states_are_kept_of_a_long_trace():
    first = State(4, 2)
    assert checkpoints.Checkpoints(first, 1_000_000).spacing == 1954
    assert checkpoints.Checkpoints(first, 10).spacing == checkpoints.SPACING
