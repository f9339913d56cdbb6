"""The replayed state, for pools of any size."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from msgspec import structs

from astrai_sim.trace import State
from astrai_sim.trace.wire import LineReader
from tests.trace.recording import crowd, mask_bits, recorded

BIG = 100_000


def replayed(trace, until: int) -> State:
    """The state after event `until`, from the first on."""
    cache = trace.header.scenario.cache
    state = State(cache.n_pages, cache.page_size)
    for index in range(until + 1):
        state.apply(trace[index])
    return state


def facts(state: State) -> dict:
    return {
        "mask": state.mask,
        "refs": state.refs.tolist(),
        "tables": state.tables,
        "lru": state.lru,
        "tasks": {name: structs.astuple(task)[:-1] for name, task in state.tasks.items()},
        "phase": state.phase,
        "step": state.step,
        "ns": state.ns,
        "states": state.page_states().tolist(),
        "fill": state.fill().tolist(),
        "tokens": {name: task.tokens for name, task in state.tasks.items()},
        "waiting": state.waiting,
    }


def test_asking_in_any_order_gives_the_same(crowd_trace):
    asked = random.Random(1).choices(range(-1, len(crowd_trace)), k=25)
    got = {seq: facts(crowd_trace.state_at(seq)) for seq in asked}
    for seq, state in got.items():
        assert state == facts(replayed(crowd_trace, seq))


def test_snapshots_say_what_was_replayed(crowd_trace):
    """Full ones page by page; bulk ones by the mask and the count of cached pages."""
    for event in crowd_trace.find(event="snapshot"):
        state = crowd_trace.state_at(event.seq)
        assert state.mask == event.mask
        if crowd_trace.header.detail == "bulk":
            assert state.n_cached == event.cached
            continue
        assert state.refs.tolist() == event.refs
        assert state.tables == event.tables and state.lru == event.lru
        assert {name: state.tasks[name].kv_len for name in state.tables} == event.lengths


def test_a_state_is_a_copy_of_its_own(crowd_trace):
    before = facts(crowd_trace.state_at(200))
    state = crowd_trace.state_at(200)
    for index in range(201, 300):
        state.apply(crowd_trace[index])
    state.refs[:] = 9
    assert facts(crowd_trace.state_at(200)) == before


def test_beyond_the_last_event_there_is_no_state(crowd_trace):
    with pytest.raises(IndexError):
        crowd_trace.state_at(len(crowd_trace))
    with pytest.raises(IndexError):
        crowd_trace.state_at(-2)


def test_pages_are_free_in_use_or_cached(crowd_trace):
    for event in crowd_trace.find(event="phase_end"):
        state = crowd_trace.state_at(event.seq)
        pages = state.page_states()
        assert [int(np.count_nonzero(pages == kind)) for kind in range(3)] == [
            state.n_free,
            state.n_in_use,
            state.n_cached,
        ]
        assert state.n_free == state.mask.bit_count()
        assert (pages == 1).tolist() == (state.refs > 0).tolist()
        assert sorted(np.flatnonzero(pages == 2)) == sorted(state.lru)
        names = ("free", "in use", "cached")
        assert [state.page_state(p) for p in range(state.n_pages)] == [names[k] for k in pages]


def test_the_first_owner_is_the_first_submitted(crowd_trace):
    for event in crowd_trace.find(event="phase_end"):
        state = crowd_trace.state_at(event.seq)
        order = list(state.tasks)
        expected = [
            min((order.index(task) for task, _ in state.owners(page)), default=-1) for page in range(state.n_pages)
        ]
        assert state.first_owner().tolist() == expected


def test_fill_follows_lengths_and_norms(tmp_path):
    """Where norms are recorded, as many slots hold one as are filled."""
    trace = recorded(crowd(), tmp_path / "a.jsonl")
    for event in trace.find(event="phase_end"):
        state = trace.state_at(event.seq)
        held = state.page_states() > 0
        norms = [np.count_nonzero(~np.isnan(state.norms(page))) for page in range(state.n_pages)]
        assert state.fill()[held].tolist() == np.array(norms)[held].tolist()
        assert state.fill()[~held].tolist() == [0] * int(np.count_nonzero(~held))


def test_bulk_says_the_same_as_full(tmp_path):
    """After every step: the same run, told in two ways."""
    full = recorded(crowd("none"), tmp_path / "full.jsonl")
    bulk = recorded(crowd("none", "bulk"), tmp_path / "bulk.jsonl")
    ends = [[t.state_at(e.seq) for e in t.find(event="step_end")] for t in (full, bulk)]
    assert len(ends[0]) == len(ends[1]) > 20
    for one, other in zip(*ends, strict=True):
        left, right = facts(one), facts(other)
        for name in left.keys() - {"tokens"}:
            assert left[name] == right[name], name


def test_text_and_ids_are_those_up_to_the_moment(tmp_path):
    """A log that is shared between states shows each its own part."""
    trace = recorded(crowd(), tmp_path / "a.jsonl")
    last = trace.state_at(len(trace) - 1)
    tokens = {name: [] for name in last.tasks}
    for event in trace:
        if event.event == "task_submitted":
            tokens[event.task] += event.prompt
        elif event.event == "tokens":
            tokens[event.task].append(event.id)
            task = trace.state_at(event.seq).tasks[event.task]
            assert task.tokens == tuple(tokens[event.task])
            assert task.generated == event.index + 1 and task.texts is None
    assert last.tasks["r0"].tokens == tuple(tokens["r0"])


def test_counts_alone_have_no_ids(tmp_path):
    trace = recorded(crowd("none", "bulk"), tmp_path / "a.jsonl")
    task = trace.state_at(len(trace) - 1).tasks["r1"]
    assert task.tokens is None and task.n_tokens == task.prompt_len + task.max_tokens


def test_a_name_may_come_again():
    state = State(4, 2)

    lines = LineReader("full")

    def at(seq: int, **data):
        line = {"seq": seq, "step": 0, "phase": None, "ns": seq, **data}
        state.apply(lines.event(json.dumps(line).encode(), seq + 2))

    at(0, event="task_submitted", task="A", prompt=[1, 2], max_tokens=1, arrival_step=0)
    at(1, event="task_submitted", task="B", prompt=[5], max_tokens=1, arrival_step=0)
    at(2, event="token", task="A", id=3, index=0, position=2, source="prefill")
    at(3, event="task_finished", task="A", reason="length", tokens=3, generated=1)
    before = state.copy()
    at(4, event="task_submitted", task="A", prompt=[7, 8, 9], max_tokens=4, arrival_step=0)
    assert state.tasks["A"].tokens == (7, 8, 9) and state.tasks["A"].status == "waiting"
    assert before.tasks["A"].tokens == (1, 2, 3) and list(state.tasks) == ["A", "B"]


def test_a_big_pool_is_held_in_arrays():
    """Nothing in a state of 100,000 pages is a Python object per page."""
    state = State(BIG, 16)
    assert state.refs.nbytes == 4 * BIG and state.page_states().nbytes == BIG
    assert state.mask.bit_count() == BIG and len(mask_bits(state)) == BIG
    twin = state.copy()
    twin.refs[5] = 1
    assert state.refs[5] == 0
    assert twin.first_owner().dtype == np.int32 and twin.fill().dtype == np.int32
