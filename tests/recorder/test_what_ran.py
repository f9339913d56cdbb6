"""Recordings of large pools, and of a device that works behind the host, show the functions that ran there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from astrai_sim.engine.cache import PagedCache, QueuedView
from astrai_sim.engine.cache.free_tree import FreeTree
from astrai_sim.scenario.schema import CachePart
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.roles import ROLES
from astrai_sim.trace.verify import verify
from scenes.prefix_cache import PrefixCacheTelling
from tests.trace.recording import crowd, lines_of, recorded, resealed

TIMES = ("ns", "duration_ns")


def events(trace: Trace) -> list[dict]:
    """What happened, without times and lines of functions."""
    _, *lines, _ = lines_of(trace)
    told = ({name: value for name, value in line.items() if name not in (*TIMES, "seq")} for line in lines)
    return [line for line in told if line["event"] != "lines"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return recorded(crowd(), tmp_path_factory.mktemp("plain") / "run.jsonl")


def test_a_run_through_the_queued_view_is_the_same_run(
    plain: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PagedCache, "view_type", QueuedView)
    trace = recorded(crowd(), tmp_path / "run.jsonl")
    assert events(trace) == events(plain)
    ran = {"view": "QueuedView.__init__", "write": "PagedCache.put", "gather": "PagedCache.take"}
    assert trace.header.roles == {**ROLES, **ran}
    assert all(name in trace.header.sources for name in ran.values())
    calls = [event for event in trace.find(event="lines") if event.function in ran.values()]
    assert {event.function for event in calls} == set(ran.values()) and all(event.steps for event in calls)
    assert {event.function for event in plain.find(event="lines")} & set(ran.values()) == set()
    assert not any(name in item for item in verify(trace).trusted for name in ran.values())
    assert PrefixCacheTelling("PrefixCache", trace).storyboard().sections


@pytest.mark.parametrize(
    ("function", "name"),
    [("QueuedView.__init__", "self.slots"), ("QueuedView.__init__", "self.token"), ("PagedCache.take", "k")],
)
def test_a_lie_about_a_value_of_a_queued_pass_is_found(
    function: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PagedCache, "view_type", QueuedView)
    lines = lines_of(recorded(crowd(), tmp_path / "run.jsonl"))
    told = [line for line in lines if line.get("function") == function]
    step = next(step for line in told for step in line["steps"] if name in step["values"])
    step["values"][name]["shape"] = [7777]
    with pytest.raises(TraceError, match="values of line"):
        verify(resealed(lines))


def test_a_run_of_a_large_pool_shows_its_own_alloc_and_free(tmp_path: Path) -> None:
    scenario = replace(crowd(), cache=CachePart(n_pages=16_385, page_size=4, prefix_caching=True))
    trace = recorded(scenario, tmp_path / "run.jsonl")
    verify(trace)
    own = {role: name.replace("PagedCache", "LargePagedCache") for role, name in ROLES.items()}
    roles = trace.header.roles
    assert roles == {**ROLES, **{role: own[role] for role in ("alloc", "share", "free")}}
    assert {"LargePagedCache.alloc", "PagedCache.grow"} <= {event.function for event in trace.find(event="lines")}
    assert "self._free.pop_lowest()" in trace.header.sources["LargePagedCache.alloc"].text
    assert PrefixCacheTelling("PrefixCache", trace).storyboard().sections


@pytest.mark.parametrize("detail", ["bulk", "full"])
def test_the_whole_mask_is_made_for_snapshots_only(
    detail: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    mask = FreeTree.mask
    monkeypatch.setattr(FreeTree, "mask", lambda tree: made.append(1) or mask(tree))
    scenario = crowd(kind="none", detail=detail)
    scenario = replace(scenario, cache=CachePart(n_pages=20_000, page_size=4, prefix_caching=True))
    scenario = replace(scenario, record=replace(scenario.record, line_calls=0))
    trace = recorded(scenario, tmp_path / "run.jsonl")
    snapshots = sum(1 for _ in trace.find(event="snapshot"))
    assert len(made) == snapshots > 1
    pages = sum(event.event.startswith("page") for event in trace)
    assert pages > 3 * snapshots
