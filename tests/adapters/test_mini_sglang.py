"""An engine that takes and frees pages many at once is told page by page, and left as it was."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astrai_sim.adapters import CannotAttach, attach
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.adapters.parts import until_idle
from tests.adapters.standins_slots import EOS, Cache, SlotScheduler, Tree
from tests.adapters.test_attach import everything, kinds, recorded

SHARED = [5, 6, 8, 9, 10, 11, 12, 13]
BOTH = pytest.mark.parametrize("overlap", [False, True], ids=["one-by-one", "overlapping"])


@BOTH
def test_sharing_eviction_and_growth_hold_at_the_levels_that_are_claimed(overlap: bool, tmp_path: Path) -> None:
    engine = SlotScheduler(pages=14, overlap=overlap)
    with attach(engine, tmp_path / "run.jsonl"):
        later = [([30 + i] * 17, 6) for i in range(4)]
        for wave in ([(SHARED + [1, 2], 9)], [(SHARED + [3], 12), (SHARED + [4] * 11, 5)], later):
            for prompt, most in wave:
                engine.add(None, prompt, most)
            until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    report = verify(trace)
    assert {*report.rules} == {"cached-pages-last", "keyed-pages-stay", "longest-prefix", "first-come-first-served"}
    wanted = {"prefix_hit", "pages_revived", "pages_ref", "pages_keyed", "pages_cached", "pages_evicted", "chunk"}
    assert wanted <= kinds(trace)
    assert {event.generated for event in trace.find(event="task_finished")} == {9, 12, 5, 6}
    assert trace.header.phases == ("prefill", "decode", "cleanup")
    assert trace.header.scenario.cache.n_pages == 14


@BOTH
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_any_requests_are_told_truly(overlap: bool, data: st.DataObject) -> None:
    beginnings = st.sampled_from(([], SHARED, SHARED[:4], [4] * 9))
    prompts = st.tuples(beginnings, st.lists(st.integers(1, 3), min_size=1, max_size=9)).map(
        lambda two: [*two[0], *two[1]]
    )
    waves = data.draw(
        st.lists(st.lists(st.tuples(prompts, st.integers(1, 12), st.booleans()), min_size=1, max_size=4), max_size=3)
    )
    pages, size = data.draw(st.sampled_from(((9, 4), (13, 4), (16, 4), (40, 1))))
    how = {"budget": data.draw(st.sampled_from((5, 16))), "tree": data.draw(st.booleans())}
    engine = SlotScheduler(pages, size, overlap=overlap, **how)
    with tempfile.TemporaryDirectory() as folder:
        with attach(engine, Path(folder) / "run.jsonl", snapshot_every=1):
            for wave in waves:
                for prompt, most, ignore in wave:
                    engine.add(None, prompt, most, ignore)
                until_idle(engine)
        verify(Trace.open(Path(folder) / "run.jsonl"))


def test_a_node_that_is_evicted_whole_leaves_free_pages_behind(tmp_path: Path) -> None:
    trace = recorded(
        SlotScheduler(pages=8, most=1, budget=64), tmp_path / "run.jsonl", ([1] * 17, 3), ([2] * 15, 1), ([3] * 9, 1)
    )
    verify(trace)
    nobody = [event for event in trace.find(event="pages_alloc") if event.task is None]
    assert nobody
    for event in nobody:
        assert trace[event.seq - 1].event == "pages_evicted" and trace[event.seq - 1].pages == event.pages
        free = next(iter(trace.find(event="pages_free", before=len(trace), after=event.seq)), None)
        assert free is not None and free.task is None and free.refs == [0]


def test_without_a_tree_nothing_is_looked_up(tmp_path: Path) -> None:
    trace = recorded(SlotScheduler(tree=False), tmp_path / "run.jsonl", (SHARED + [1], 5), (SHARED + [2], 5))
    verify(trace)
    assert not trace.header.scenario.cache.prefix_caching
    assert not {"prefix_hit", "prefix_miss", "pages_keyed", "pages_cached"} & kinds(trace)
    assert trace.header.function("lookup") is None and trace.header.function("alloc") == "Cache._allocate"


def test_the_lines_of_its_functions_are_told_before_what_they_did(tmp_path: Path) -> None:
    engine = SlotScheduler(pages=10, most=1)
    trace = recorded(engine, tmp_path / "run.jsonl", (SHARED + [1], 5), (SHARED + [2], 3), ([9] * 21, 12))
    verify(trace)
    found = {
        role: [e for e in trace.find(event="lines") if e.function == trace.header.function(role)]
        for role in ("alloc", "free", "grow", "lookup", "evict")
    }
    assert all(found.values())
    after = {"alloc": "pages_alloc", "lookup": "prefix_hit", "evict": "pages_evicted"}
    for role, kind in after.items():
        later = [trace[seq].event for seq in range(found[role][0].seq + 1, found[role][0].seq + 8)]
        assert kind in later, (role, later)
    text = trace.header.sources["Cache._allocate"].text.splitlines()
    assert text[found["alloc"][0].steps[-1].line - 1].strip() == "return taken"
    assert found["lookup"][0].task == "B"


@BOTH
def test_an_answer_that_ends_early_is_told_with_what_the_engine_computed(overlap: bool, tmp_path: Path) -> None:
    engine = SlotScheduler(overlap=overlap)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add(None, [1] * 5, 30, ignore_eos=False)
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    done = next(iter(trace.find(event="task_finished")))
    ids = [event.id for event in trace.find(event="tokens")]
    assert done.reason == "eos" and ids.index(EOS) == len(ids) - 1 - overlap and done.generated == len(ids) < 30


def test_pages_that_are_let_go_while_they_are_read_are_found(tmp_path: Path) -> None:
    """Two requests that begin alike come at once: the second reads its own pages on, which are free already."""
    trace = recorded(SlotScheduler(early=True, budget=64), tmp_path / "run.jsonl", (SHARED + [1], 6), (SHARED + [2], 6))
    freed = next(iter(trace.find(event="pages_free", task="B")))
    assert freed.refs == [0] and freed.entries == [0]
    assert next(iter(trace.find(event="task_finished", task="B"))).seq > freed.seq
    with pytest.raises(TraceError, match=r"page 3 has refcount 0, but 1 tables hold it") as raised:
        verify(trace)
    assert raised.value.level == "paging"


def test_the_class_is_wrapped_while_a_region_replaces_the_method_and_deletes_it(tmp_path: Path) -> None:
    engine, original = SlotScheduler(), Cache._free
    with attach(engine, tmp_path / "run.jsonl"):
        assert Cache._free is not original and "_free" not in vars(engine.cache_manager)
        engine.add(None, SHARED, 3)
        until_idle(engine)
        assert Cache._free is not original and "_free" not in vars(engine.cache_manager)
        engine.add(None, [1] * 9, 30)
        engine.turn()
        engine.abort(1)
        other = SlotScheduler()
        other.add(None, SHARED, 2)
        until_idle(other)
    assert Cache._free is original
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    assert [(event.task, event.reason) for event in trace.find(event="task_finished")] == [
        ("A", "length"),
        ("B", "aborted"),
    ]
    assert len(engine.cache_manager.free_slots) == trace.state_at(trace[-1].seq).n_free


@BOTH
def test_requests_may_be_numbered_anew_and_taken_back(overlap: bool, tmp_path: Path) -> None:
    engine = SlotScheduler(budget=8, overlap=overlap)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add(None, SHARED + [1], 3)
        until_idle(engine)
        engine.asked = 0
        engine.add(None, SHARED + [2], 3)
        engine.add(None, [3] * 30, 3)
        engine.turn()
        engine.abort(1)
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    reasons = {event.task: event.reason for event in trace.find(event="task_finished")}
    assert reasons == {"A": "length", "B": "length", "C": "aborted"}


def test_afterwards_the_engine_is_as_it_was(tmp_path: Path) -> None:
    engine = SlotScheduler()
    before = everything(engine)
    with pytest.raises(ZeroDivisionError), attach(engine, tmp_path / "run.jsonl"):
        assert everything(engine) != before
        engine.add(None, [1, 2, 3], 2)
        until_idle(engine)
        raise ZeroDivisionError
    assert {key: known for key, known in everything(engine).items() if key in before} == before


LACKING = {
    "a pool": (
        lambda e: delattr(e.cache_manager, "free_slots"),
        "the Cache at .cache_manager has no attribute 'free_slots'",
    ),
    "lazy": (
        lambda e: setattr(e, "cache_manager", object()),
        "the object at .cache_manager has no attribute 'free_slots'",
    ),
    "rows": (lambda e: setattr(e, "table_manager", object()), "at .table_manager has no attribute '_max_running_reqs'"),
    "K": (lambda e: delattr(e.engine.kv_cache, "k_cache"), "at .engine.kv_cache has no attribute 'k_cache'"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_it_lacks_is_named(name: str, tmp_path: Path) -> None:
    engine: Any = SlotScheduler()
    LACKING[name][0](engine)
    with pytest.raises(
        CannotAttach, match=f"MiniSGLang, does not fit this SlotScheduler: .*{re.escape(LACKING[name][1])}"
    ):
        attach(engine, tmp_path / "run.jsonl")
    assert not list(tmp_path.iterdir())


def test_a_pool_in_use_is_refused(tmp_path: Path) -> None:
    engine = SlotScheduler()
    engine.add(None, [1] * 9, 2)
    engine.turn()
    with pytest.raises(CannotAttach, match="3 pages are in use or cached already: attach before the first request"):
        attach(engine, tmp_path / "run.jsonl")
    assert hasattr(Tree, "_tree_walk")
