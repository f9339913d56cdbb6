"""The history of a run agrees with the replayed states and with the series of the trace."""

import gc
import weakref

import numpy as np
import pytest

from astrai_sim.trace import RequestTimes, Series, Trace
from astrai_sim.trace.events import PhaseEnd
from scenes.film.scene import ASSETS
from scenes.story.history import history_of

SHIPPED = sorted(path.name for path in (ASSETS / "traces").glob("*.jsonl.gz") if "scale" not in path.name)


@pytest.fixture(params=SHIPPED)
def trace(request):
    return Trace.open(ASSETS / "traces" / request.param)


def test_requests_are_those_of_the_trace(trace):
    requests, times = history_of(trace).requests, RequestTimes.of(trace)
    assert list(requests) == times.names
    for i, life in enumerate(requests.values()):
        assert life.generated == times.generated[i]
        assert life.ttft_ns == times.time_to_first_token_ns[i]
        assert np.array_equal(np.diff(life.tokens.ns), times.gaps[i])
        for event, stored in zip(life.preempted, life.stored, strict=True):
            assert trace.state_at(event.seq - 1).tasks[life.name].kv_len == stored


def test_pages_are_held_and_cached_as_the_states_say(trace):
    history = history_of(trace)
    pages, names = history.pages, history.requests.names
    holds, kept = pages.holds, pages.kept
    for seq in range(0, len(trace), 7):
        state = trace.state_at(seq)
        known = (holds.shown <= seq) & (holds.end > seq)
        rows = zip(holds.task[known].tolist(), holds.page[known].tolist(), strict=True)
        held = {(names[task], page) for task, page in rows}
        entries = {(task, page) for task, table in state.tables.items() for page in table}
        leaving = {task for task, _ in entries} - {task for task, _ in held}
        assert {(task, page) for task, page in held} <= entries
        assert all(state.tasks[task].status in ("finished", "preempted") for task, _ in entries - held), leaving
        assert np.count_nonzero((kept.begin <= seq) & (kept.end > seq)) == state.n_cached


def test_steps_and_slots_are_those_of_the_series(trace):
    history, series = history_of(trace), Series.of(trace)
    assert np.array_equal(history.steps.end, series.seq)
    assert np.array_equal(history.steps.ns, series.duration_ns)
    decoded = sum(len(history.decoded(step)) for step in range(len(series)))
    assert history.requests.computed == series.prompt_tokens.sum() + decoded


def test_events_are_found_by_kind_and_fields(trace):
    history = history_of(trace)
    ends = [event.seq for event in trace.find(event="phase_end") if event.phase == "decode"]
    assert [event.seq for event in history.events(PhaseEnd, phase="decode")] == ends
    assert history.latest(PhaseEnd, ends[-1] + 1, phase="decode").seq == ends[-1]
    assert history.first(PhaseEnd, ends[0], phase="decode").seq == ends[1]


def test_a_history_goes_with_its_trace():
    trace = Trace.open(ASSETS / "traces" / SHIPPED[0])
    history = weakref.ref(history_of(trace))
    assert history() is history_of(trace)
    del trace
    gc.collect()
    assert history() is None
