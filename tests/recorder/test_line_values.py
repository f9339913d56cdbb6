"""The lines on screen are those that ran, with the values that they gave."""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import SimpleNamespace

import pytest

from astrai_sim.engine.cache import PagedCache, paged_cache
from astrai_sim.trace import Trace
from tests.trace.recording import crowd, recorded


@pytest.fixture(scope="module")
def trace(tmp_path_factory) -> Trace:
    return recorded(crowd(), tmp_path_factory.mktemp("lines") / "run.jsonl")


def sources(trace: Trace, event) -> list[str]:
    return trace.header.sources[event.function].text.splitlines()


def test_sources_are_those_of_the_running_engine(trace):
    text = textwrap.dedent(inspect.getsource(PagedCache.alloc))
    assert trace.header.sources["PagedCache.alloc"].text == text
    text = inspect.getsource(paged_cache.pages_for)
    assert trace.header.sources["pages_for"].text == text


def test_every_line_that_ran_is_one_of_the_body(trace):
    """Never the signature, the docstring, an empty line or a comment."""
    count = 0
    for event in trace.find(event="lines"):
        lines = sources(trace, event)
        function = ast.parse("\n".join(lines)).body[0]
        first = function.body[ast.get_docstring(function) is not None].lineno
        for step in event.steps:
            text = lines[step.line - 1].strip()
            assert step.line >= first and text and not text.startswith("#")
            count += 1
    assert count > 100


def test_lines_run_in_an_order_that_the_source_allows(trace):
    """alloc: the whole way down for a free page, to evict where there is none."""
    for event in trace.find(event="lines"):
        if event.function == "PagedCache.alloc":
            texts = [sources(trace, event)[step.line - 1].strip() for step in event.steps]
            if len(texts) == 2:
                assert texts == ["if self._free_mask == 0:", "return self.evict()"]
            else:
                assert texts[0] == "if self._free_mask == 0:" and texts[-1] == "return idx"


def test_values_are_what_the_lines_compute(trace):
    """Each assignment is computed again from the values before it."""
    checked = set()
    for event in trace.find(event="lines"):
        if event.function not in ("pages_for", "PagedCache.alloc"):
            continue
        state = trace.state_at(event.seq)
        mask, refs = state.mask, state.refs.tolist()
        owner = SimpleNamespace(_free_mask=mask, _refs=refs)
        known = {**event.args, "self": owner, "divmod": divmod}
        for step in event.steps:
            text = sources(trace, event)[step.line - 1].strip()
            if "evict" in text or text.startswith(("if", "return")):
                assert not step.values or "evict" in text
                continue
            exec(text, {}, known)  # noqa: S102
            for name, value in step.values.items():
                if name.startswith("self."):
                    assert getattr(owner, name.removeprefix("self.")) == value
                else:
                    assert known[name] == value
                checked.add((event.function, name))
    assert checked == {
        ("pages_for", "full"),
        ("pages_for", "rest"),
        ("pages_for", "n_pages"),
        ("PagedCache.alloc", "lsb"),
        ("PagedCache.alloc", "idx"),
        ("PagedCache.alloc", "self._free_mask"),
        ("PagedCache.alloc", "self._refs"),
    }


def test_how_the_pool_was_made_is_told_before_anything_else(trace):
    first, *others = (e for e in trace.find(event="lines") if e.function == "PagedCache.__init__")
    assert not others and (first.seq, first.step, first.phase) == (0, -1, None)
    pool, model = trace.header.scenario.cache, trace.header.scenario.model
    shape = [model.n_layers, pool.n_pages, pool.page_size, model.n_kv_heads, model.head_dim]
    values = {name: value for step in first.steps for name, value in step.values.items()}
    assert values["self.k_cache"] == values["self.v_cache"] == {"shape": shape}
    assert values["self._free_mask"] == 2**pool.n_pages - 1 and values["self._refs"] == [0] * pool.n_pages
    assert first.args["dtype"] == model.dtype and values["self.tables"] == {}


def test_what_attention_sees_is_the_tables_of_the_tasks_side_by_side(trace):
    """Rows are padded with -1, lengths count what the pass has written: as the state has both then."""
    told, widths = 0, set()
    for event in trace.find(event="lines"):
        if event.function != "CacheView.__init__":
            continue
        write = next(trace.find(event="kv_write", after=event.seq))
        state = trace.state_at(write.seq)
        values = {name: value for step in event.steps for name, value in step.values.items()}
        tables = [state.tables[span.task] for span in write.spans]
        assert event.args["tables"] == tables
        width = max(map(len, tables))
        rows = [page for table in tables for page in (*table, *[-1] * (width - len(table)))]
        assert values["self.page_table"] == {"shape": [len(tables), width], "data": rows[:8]}
        assert values["self.lengths"]["data"] == [state.tasks[span.task].stored for span in write.spans]
        told += 1
        widths |= set(map(len, tables))
    assert told > 10 and len(widths) > 1


def test_lines_come_before_what_they_do(trace):
    """The state at a `lines` event is the one that the call found."""
    for event in trace.find(event="lines"):
        if event.function == "PagedCache.alloc":
            after = next(trace.find(event="pages_alloc", after=event.seq))
            assert after.page == event.result
            assert trace.state_at(event.seq).refs[after.page] == 0


def test_free_says_which_refcount_fell(trace):
    for event in trace.find(event="lines"):
        if event.function == "PagedCache.free":
            page = event.args["page"]
            before = trace.state_at(event.seq).refs.tolist()
            refs = [s.values["self._refs"] for s in event.steps if "self._refs" in s.values]
            before[page] -= 1
            assert refs == [before]


def test_what_an_admission_that_failed_traced_is_not_counted(trace):
    """Four `lookup`s that found something, though others were dropped in between."""
    calls = [e for e in trace.find(event="lines") if e.function == "PagedCache.lookup"]
    hits = [e.seq for e in trace.find(event="prefix_hit")]
    assert len(calls) == min(4, len(hits))
