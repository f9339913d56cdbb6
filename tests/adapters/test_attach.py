"""Engines of other shapes are watched live; what is recorded holds, and they are left as they were."""

from __future__ import annotations

import inspect
import json
import re
import tempfile
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import astrai_sim
from astrai_sim.adapters import CannotAttach, attach
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.adapters.parts import BitPool, until_idle
from tests.adapters.standins import TreeScheduler
from tests.adapters.standins_before import FacadeScheduler, PagesScheduler
from tests.adapters.standins_blocks import BlockEngine

SHARED = [5, 6, 7, 8, 9, 10, 11, 12]
SHAPES = (TreeScheduler, FacadeScheduler, PagesScheduler)
EACH = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)


def everything(thing: Any, seen: dict[int, Any] | None = None) -> dict[int, Any]:
    """Names of the attributes of all objects that can be reached, those that can be called, and their classes'."""
    seen = {} if seen is None else seen
    if (
        id(thing) in seen
        or not type(thing).__module__.startswith(("tests.", "types"))
        or not hasattr(thing, "__dict__")
    ):
        return seen
    own, kind = dict(vars(thing)), type(thing)
    called = {name: value for name, value in own.items() if callable(value)}
    seen[id(thing)] = [*own], called, [dict(vars(base)) for base in kind.__mro__ if base.__module__ != "builtins"]
    for value in own.values():
        everything(value, seen)
    return seen


def recorded(engine: Any, out: Path, *asked: tuple[list[int], int], **options: Any) -> Trace:
    """What an engine did for requests."""
    with attach(engine, out, **options):
        for number, (prompt, most) in enumerate(asked):
            engine.add(f"request-{number}", prompt, most)
        until_idle(engine)
    return Trace.open(out)


def stopped(trace: Trace) -> str:
    return trace.footer.stopped if trace.footer else "not at all"


def kinds(trace: Trace) -> set[str]:
    return {event.event for event in trace}


def test_a_run_of_a_tree_of_prefixes_holds_at_all_levels(tmp_path: Path) -> None:
    asked = [(SHARED + [1, 2], 6), (SHARED + [3], 9), (SHARED + [4, 4, 4], 3)]
    trace = recorded(TreeScheduler(batch=2), tmp_path / "run.jsonl", *asked)
    report = verify(trace)
    assert {"lowest-page-first", "least-recently-used", "pages-on-demand"} <= {*report.rules}
    assert {"prefix_hit", "pages_revived", "pages_keyed", "pages_cached", "kv_write", "gather"} <= kinds(trace)
    done = [(event.task, event.reason, event.generated) for event in trace.find(event="task_finished")]
    assert sorted(done) == [("A", "length", 6), ("B", "length", 9), ("C", "length", 3)]
    assert [event.prompt for event in trace.find(event="task_submitted")] == [prompt for prompt, _ in asked]


@pytest.mark.parametrize("shape", SHAPES[1:], ids=lambda shape: shape.__name__)
def test_the_last_token_of_a_prompt_is_told_as_often_as_it_is_in_the_cache(shape: Any, tmp_path: Path) -> None:
    trace = recorded(shape(), tmp_path / "run.jsonl", ([1, 2, 3, 4, 5, 6], 5), ([9, 8, 7, 6, 5, 4], 3))
    verify(trace)
    assert trace[0].prompt == [1, 2, 3, 4, 5, 6, 6]
    chunk = next(iter(trace.find(event="chunk", task="A")))
    last = next(iter(trace.find(event="task_prefilled", task="A")))
    assert (chunk.start, chunk.end, chunk.phase, last.start, last.end, last.phase) == (0, 6, "prefill", 6, 7, "decode")


@EACH
def test_the_source_on_screen_is_the_engines_own_and_so_are_the_lines(shape: Any, tmp_path: Path) -> None:
    trace = recorded(shape(), tmp_path / "run.jsonl", ([1, 2, 3, 4, 5, 6], 5))
    header, function = trace.header, shape.__name__.startswith("Pages") and "PagesCache.alloc" or "BitPool.alloc"
    assert header.function("alloc") == function
    kind = type(shape().page_cache) if function.startswith("Pages") else BitPool
    assert header.sources[function].text == textwrap.dedent(inspect.getsource(kind.alloc))
    first = next(e for e in trace.find(event="lines") if e.function == function)
    text = header.sources[function].text.splitlines()
    assert [text[step.line - 1].strip() for step in first.steps][-1] == "return page"
    assert first.result == 0
    assert header.function("evict") is None
    assert header.function("make") is None


@pytest.mark.parametrize("shape", (*SHAPES, BlockEngine), ids=lambda shape: shape.__name__)
def test_afterwards_the_engine_is_as_it_was(shape: Any, tmp_path: Path) -> None:
    engine = shape()
    before = everything(engine)
    assert len(before) > 1
    with pytest.raises(ZeroDivisionError), attach(engine, tmp_path / "run.jsonl"):
        assert everything(engine) != before
        engine.add("a", [1, 2, 3], 2)
        until_idle(engine)
        raise ZeroDivisionError
    assert {key: known for key, known in everything(engine).items() if key in before} == before
    assert stopped(Trace.open(tmp_path / "run.jsonl")) == "ZeroDivisionError"
    engine.add("b", [1, 2, 3], 2)
    until_idle(engine)


@EACH
def test_a_run_in_a_thread_is_recorded_from_whole_steps(shape: Any, tmp_path: Path) -> None:
    engine = shape(pages=30, batch=3)
    engine.start()
    out = tmp_path / "run.jsonl"
    with attach(engine, out) as attached:
        for number in range(6):
            engine.add(f"r{number}", [number + 1, 2, 3, 4, 5, 6], 12)
        until = threading.Event()
        for _ in range(200):
            if len((out.with_name("run.jsonl.partial")).read_text().split('"task_finished"')) > 3:
                break
            until.wait(0.02)
    engine.stop()
    assert engine.error is None
    assert attached.path == out
    report = verify(Trace.open(out))
    assert report.levels["paging"]


def test_a_queue_of_blocks_with_hits_chunks_and_preemption_holds_at_all_levels(tmp_path: Path) -> None:
    asked = [
        (SHARED + [1, 2], 16),
        ([4] * 21, 9),
        (SHARED + [3], 19),
        (SHARED * 2, 3),
        ([4] * 17, 5),
        (SHARED + [1], 9),
    ]
    trace = recorded(BlockEngine(), tmp_path / "run.jsonl", *asked)
    report = verify(trace)
    assert {"least-recently-used", "latest-preempted", "longest-prefix", "first-come-first-served"} <= {*report.rules}
    wanted = {"chunk", "task_preempted", "prefix_hit", "pages_revived", "pages_ref", "pages_evicted"}
    assert wanted <= kinds(trace)
    assert {event.generated for event in trace.find(event="task_finished")} == {most for _, most in asked}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_any_requests_to_any_shape_are_told_truly(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from((TreeScheduler, BlockEngine)))
    beginnings = st.sampled_from(([], SHARED, SHARED[:4], [4] * 9))
    prompts = st.tuples(beginnings, st.lists(st.integers(1, 3), min_size=1, max_size=9)).map(
        lambda two: [*two[0], *two[1]]
    )
    asked = data.draw(st.lists(st.tuples(prompts, st.integers(1, 12)), min_size=1, max_size=7))
    if shape is TreeScheduler:  # one token must be left to compute, where a prompt ends with a page
        asked = [(prompt if len(prompt) % 4 else [*prompt, 1], most) for prompt, most in asked]
    with tempfile.TemporaryDirectory() as folder:
        verify(recorded(shape(data.draw(st.integers(9, 16))), Path(folder) / "run.jsonl", *asked))


def test_pages_that_are_taken_from_the_cache_are_told_with_their_lines(tmp_path: Path) -> None:
    asked = [([number + 1] * 9, 3) for number in range(6)]
    trace = recorded(TreeScheduler(pages=8, batch=1), tmp_path / "run.jsonl", *asked)
    verify(trace)
    evicted = next(iter(trace.find(event="pages_evicted")))
    lines = next(e for e in trace.find(event="lines", before=evicted.seq + 1) if e.result == evicted.page and e.steps)
    assert any("self._lru" in step.values for e in trace.find(event="lines") for step in e.steps)
    assert lines.function == "BitPool.alloc"


def test_what_is_refused_and_changes_nothing_is_not_told(tmp_path: Path) -> None:
    trace = recorded(TreeScheduler(pages=4, batch=4), tmp_path / "run.jsonl", ([1] * 9, 3), ([2] * 9, 3))
    verify(trace)
    freed = next(iter(trace.find(event="task_finished"))).seq
    assert not [e for e in trace.find(event="pages_alloc", task="B") if e.seq < freed]
    assert [e.task for e in trace.find(event="task_admitted")] == ["A", "B"]


def test_who_finds_no_page_or_is_taken_back_is_aborted(tmp_path: Path) -> None:
    engine = TreeScheduler(pages=4, batch=2)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add("a", [1] * 7, 12)
        engine.add("b", [2] * 7, 12)
        engine.add("c", [3] * 7, 12)
        engine.turn()
        engine.remove("c")
        engine.remove("a")
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    reasons = {event.task: event.reason for event in trace.find(event="task_finished")}
    assert reasons == {"A": "aborted", "B": "aborted" if reasons["B"] == "aborted" else "length", "C": "aborted"}


def test_a_hit_on_a_page_after_another_beginning_is_found(tmp_path: Path) -> None:
    engine = FacadeScheduler(pages=20)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add("a", [1, 2, 3, 4, *SHARED[:4], 9], 2)
        until_idle(engine)
        engine.add("b", [*SHARED[:4], 7, 7], 2)
        until_idle(engine)
    with pytest.raises(TraceError, match="content of a hit") as raised:
        verify(Trace.open(tmp_path / "run.jsonl"))
    assert raised.value.level == "paging"


def test_an_engine_that_fails_leaves_a_trace_up_to_there(tmp_path: Path) -> None:
    engine = PagesScheduler()
    with pytest.raises(IndexError), attach(engine, tmp_path / "run.jsonl"):
        engine.add("a", [1, 2, 3, 4], 5)
        until_idle(engine)
    trace = Trace.open(tmp_path / "run.jsonl")
    verify(trace)
    assert stopped(trace).startswith("IndexError: ")
    assert "chunk" in kinds(trace)


LACKING = {
    "contiguous": (TreeScheduler, lambda e: setattr(e._cache, "strategy", object()), ".strategy has no attribute '_al"),
    "no facade": (FacadeScheduler, lambda e: setattr(e, "_page_cache", object()), "has no attribute 'page_size'"),
    "no tensors": (PagesScheduler, lambda e: delattr(e.page_cache, "k_cache"), "PagesCache at .page_cache has no att"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_an_engine_lacks_is_named(name: str, tmp_path: Path) -> None:
    shape, break_it, told = LACKING[name]
    engine = shape()
    break_it(engine)
    with pytest.raises(CannotAttach, match=re.escape(told)):
        attach(engine, tmp_path / "run.jsonl")
    assert not list(tmp_path.iterdir())


def test_adapters_are_chosen_by_name_too(tmp_path: Path) -> None:
    with pytest.raises(CannotAttach, match="no adapter is named 'x': choose from astrai, "):
        attach(PagesScheduler(), tmp_path / "run.jsonl", adapter="x")
    with pytest.raises(CannotAttach, match="Facade does not fit this PagesScheduler: .*'_task_mgr'"):
        attach(PagesScheduler(), tmp_path / "run.jsonl", adapter="astrai-facade")
    attach(PagesScheduler(), tmp_path / "run.jsonl", adapter="astrai-pages").detach()
    assert verify(Trace.open(tmp_path / "run.jsonl")).events == 1


def test_a_pool_in_use_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    engine = TreeScheduler()
    engine.add("a", [1] * 9, 2)
    engine.turn()
    with pytest.raises(CannotAttach, match="3 pages are in use or cached already: attach before the first request"):
        attach(engine, tmp_path / "run.jsonl")
    assert not list(tmp_path.iterdir())


def test_an_engine_behind_another_object_is_found(tmp_path: Path) -> None:
    class Server:
        scheduler = TreeScheduler()

    attached = astrai_sim.attach(Server(), tmp_path / "run.jsonl", title="Behind a server")
    attached.detach()
    attached.detach()
    header = json.loads((tmp_path / "run.jsonl").read_text().splitlines()[0])
    assert header["scenario"]["title"] == "Behind a server"
    assert header["engine"]["name"] == "tests"
