"""Each kind of finding, in a run of an engine with that mistake: found, with the events that led there."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from astrai_sim.doctor import examine, kinds
from astrai_sim.shipped import ASSETS
from astrai_sim.trace import Trace
from tests.doctor.script import PAGES, SIZE, SYSTEM, Script
from tests.trace.recording import crowd, recorded

TRACES = sorted((ASSETS / "traces").glob("*.jsonl.gz"))


def found(script, stopped="done"):
    """What is found, as (kind, says, lines of the events, pages, requests)."""
    trace = script.trace(stopped)
    report = examine(trace)
    return [
        (one.kind, one.says, [trace[seq].line for seq in one.events], one.pages, one.requests)
        for one in report.findings
    ]


@pytest.fixture
def script():
    return Script()


@contextmanager
def left_cached(script):
    """A step in which A, with two keyed pages of three, is done and leaves those cached; it goes on in the block."""
    script.serve("A", [*SYSTEM, 5, 6, 7, 8, 9], [0, 1, 2], ["k1", "k2"])
    with script.steps():
        script.finish("A")
        script.leave("A", cached=[0, 1])
        yield


def test_every_kind_has_a_name_and_says_what_it_looks_for():
    assert len(kinds()) == 8 == len({kind.name for kind in kinds()})
    assert all(kind.looks_for and kind.__doc__ for kind in kinds())


def test_a_run_without_a_mistake(script):
    script.serve("A", [*SYSTEM, 5, 6], [0, 1], ["k"])
    with script.steps():
        script.token("A")
        script.finish("A")
        script.leave("A", cached=[0])
        script.submit("B", [*SYSTEM, 7])
        script.hit("B", [0])
        script.come("B", 0, "revived")
        script.come("B", 1)
        script.admit("B", SIZE)
        script.compute("B", SIZE)
        script.token("B")
        script.finish("B")
        script.leave("B", cached=[0])
    assert found(script) == []


def test_a_leak(script):
    script.serve("A", [1, 2, 3, 4, 5], [0, 1])
    with script.steps():
        end = script.finish("A")
    for _ in range(3):
        with script.steps():
            pass
    ((kind, says, lines, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("leak", (0, 1), ("A",))
    assert "never given back: A had them, and is over" in says and lines[-1] == end


def test_pages_of_who_is_only_just_finished_are_no_leak(script):
    script.serve("A", [1, 2, 3, 4, 5], [0, 1])
    with script.steps():
        script.finish("A")
    assert found(script) == []


def test_a_page_that_leaves_its_table_without_being_given_back_is_a_leak(script):
    script.serve("A", [1, 2, 3], [0])
    with script.steps():
        script.finish("A")
        script.emit("table", task="A", pages=[])
    ((kind, _, _, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("leak", (0,), ())


def test_a_double_free(script):
    script.serve("A", [1, 2, 3], [0])
    with script.steps():
        first = script.go("A", 0)
        second = script.go("A", 0)
    ((kind, says, lines, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("double free", (0,), ("A",))
    assert "let go by A at refcount 0, and its refcount becomes -1" in says and lines[-2:] == [first, second]


def test_a_page_let_go_by_somebody_who_does_not_hold_it(script):
    script.serve("A", [1, 2, 3], [0])
    script.submit("B", [7])
    with script.steps():
        line = script.go("B", 0)
    kind, says, lines, pages, requests = found(script)[0]
    assert (kind, pages, requests) == ("double free", (0,), ("A", "B"))
    assert "by B, which does not hold it: A does" in says and lines[-1] == line


def test_a_page_shared_by_accident(script):
    script.serve("A", [1, 2, 3], [0])
    script.submit("B", [7, 8])
    with script.steps():
        line = script.come("B", 0)
    ((kind, says, lines, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("shared by accident", (0,), ("A", "B"))
    assert "given to B, which no lookup found it for, while A holds it" in says and lines[-1] == line


def test_a_page_shared_by_a_hit_is_shared_on_purpose(script):
    script.serve("A", [*SYSTEM, 5], [0, 1], ["k"])
    script.submit("B", [*SYSTEM, 6])
    with script.steps():
        script.hit("B", [0])
        script.come("B", 0, "ref")
    assert found(script) == []


def test_a_live_page_in_the_lru_and_its_eviction(script):
    script.serve("A", [*SYSTEM, 5], [0, 1], ["k"])
    with script.steps():
        script.finish("A")
        script.leave("A", cached=[0])
        script.submit("B", [*SYSTEM, 6])
        script.hit("B", [0])
        line = script.come("B", 0, "revived", lru=[0])
        gone = script.evict(0)
    live, evicted = found(script)
    assert live[0] == evicted[0] == "live page in the LRU" and live[3:] == evicted[3:] == ((0,), ("B",))
    assert live[2][-1] == line and "in use, by B, and still in the LRU" in live[1]
    assert evicted[2][-1] == gone and evicted[1] == "page 0 is evicted while B holds it"


def test_a_hit_on_a_page_that_was_computed_after_another_prefix(script):
    script.serve("A", [9, 9, 9, 9, *SYSTEM, 5], [0, 1, 2], ["k9", "k"])
    script.submit("B", [*SYSTEM, 6])
    with script.steps():
        line = script.hit("B", [1])
    ((kind, says, lines, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("stale or unchained hit", (1,), ("B",))
    assert "the tokens in it are the same, but it was computed after other tokens" in says and lines[-1] == line


def test_a_hit_on_a_page_with_other_tokens(script):
    script.serve("A", [9, 9, 9, 9, 5], [0, 1], ["k9"])
    script.submit("B", [*SYSTEM, 6])
    with script.steps():
        script.hit("B", [0])
    ((kind, says, *_),) = found(script)
    assert kind == "stale or unchained hit" and says.endswith("but other tokens are in it")


def test_a_hit_on_a_page_that_was_rewritten(script):
    script.serve("A", [*SYSTEM, 5], [0, 1], ["k"])
    with script.steps():
        script.finish("A")
        script.leave("A", cached=[0])
        script.submit("B", [7, 7, 7, 7])
        script.come("B", 0, "alloc")
        script.admit("B")
        wrote = script.compute("B")
        script.submit("C", [*SYSTEM, 6])
        line = script.hit("C", [0])
    stale = [one for one in found(script) if one[0] == "stale or unchained hit"]
    ((_, says, lines, pages, requests),) = stale
    assert (pages, requests) == ((0,), ("C",)) and lines[-2:] == [wrote, line]
    assert "written to since it got its key" in says


def test_cached_pages_whose_prefix_was_evicted_cannot_be_reached(script):
    with left_cached(script):
        script.submit("B", [7])
        line = script.evict(0)
        script.come("B", 0)
    ((kind, says, lines, pages, _),) = found(script)
    assert (kind, pages) == ("unreachable cached page", (1,)) and lines[-1] == line
    assert "page 1 stays cached, and no lookup comes to it: the page before, 0, went" in says
    assert examine(script.trace()).notes == ("at the end at least 1 of 1 cached pages (100%) cannot be found",)


def test_they_can_be_reached_again_where_the_prefix_is_there_again(script):
    with left_cached(script):
        script.evict(0)
    script.serve("B", [*SYSTEM, 3], [0, 3], ["k1"])
    assert found(script) == []


def test_a_cached_page_that_a_lookup_passes_by(script):
    with left_cached(script):
        script.submit("B", [*SYSTEM, 5, 6, 7, 8, 1])
        script.hit("B", [0])
        line = script.miss("B", 1)
    ((kind, says, lines, pages, _),) = found(script)
    assert (kind, pages) == ("unreachable cached page", (1,)) and lines[-1] == line
    assert "a lookup passed by page 1, which holds what it was to find" in says


def test_cached_pages_that_the_engines_own_tree_does_not_lead_to(script):
    with left_cached(script):
        pass
    read = {"mask": "0xfc", "refs": [0] * PAGES, "tables": {}, "lengths": {}, "lru": [0, 1]}
    script.emit("snapshot", **read, reached=[0, 1])
    assert found(script) == []
    line = script.emit("snapshot", **read, reached=[0])
    ((kind, says, lines, pages, _),) = found(script)
    assert (kind, pages) == ("unreachable cached page", (1,)) and lines[-1] == line
    assert says.endswith("the engine's own tree, read back, does not lead there")
    assert examine(script.trace()).notes == ("at the end 1 of 2 cached pages (50%) cannot be found",)


def test_a_cached_page_whose_key_another_page_took(script):
    script.serve("A", [*SYSTEM, 5], [0, 1], ["k1"])
    script.serve("B", [*SYSTEM, 6], [2, 3], ["k1"])
    with script.steps():
        script.finish("A")
        script.leave("A", cached=[0])
    ((kind, says, _, pages, _),) = found(script)
    assert (kind, pages) == ("unreachable cached page", (0,)) and says.endswith("page 2 got the same key")


def test_a_prefill_that_is_repeated(script):
    script.serve("A", [1, 2, 3, 4, 5], [0, 1])
    with script.steps():
        passes = [script.compute("A") for _ in range(60)]
        token = script.token("A")
    ((kind, says, lines, pages, requests),) = found(script)
    assert (kind, pages, requests) == ("prefilled again", (0, 1), ("A",))
    assert "A was prefilled 61 times before its next token: 300 tokens were computed for nothing" in says
    assert lines[-3:] == [passes[0], passes[-1], token]


def test_what_is_lost_to_preemption_is_computed_again_for_a_reason(script):
    script.serve("A", [1, 2, 3, 4, 5], [0, 1])
    with script.steps():
        script.emit("task_preempted", task="A", tokens=5, pages=[0, 1])
        script.leave("A")
        for page in (0, 1):
            script.come("A", page)
        script.admit("A")
        script.compute("A")
        script.token("A")
    assert found(script) == []


def test_an_exception_when_a_prompt_ends_on_a_pages_end(script):
    script.submit("A", [1, 2, 3, 4, 5])
    script.come("A", 0)
    script.admit("A")
    script.compute("A", end=4)
    with script.steps():
        pass
    ((kind, says, _, pages, requests),) = found(script, "IndexError: index 1 is out of bounds")
    assert (kind, pages, requests) == ("exception", (0,), ("A",))
    assert "ended with IndexError: index 1 is out of bounds in the phase decode of step 0" in says
    assert "A has no slot for position 4, before its first token" in says and "though 7 were free" in says


def test_an_exception_when_no_page_is_left(script):
    script.serve("A", [1, 2, 3, 4], [0])
    script.serve("B", [*range(28)], [*range(1, 8)])
    with script.steps():
        script.token("A")
    ((kind, says, _, _, requests),) = found(script, "IndexError: index 1 is out of bounds")
    assert kind == "exception" and requests == ("A",)
    assert "after 1 token" in says and "no page came, since none was free" in says


def test_an_exception_in_a_lookup_that_finds_a_live_page(script):
    script.serve("A", [*SYSTEM, 5], [0, 1], ["k"])
    script.submit("B", [*SYSTEM, 6])
    with script.steps("refill"):
        pass
    ((kind, says, _, pages, requests),) = found(script, "KeyError: 0")
    assert (kind, pages, requests) == ("exception", (0,), ("B", "A"))
    assert "B, which waits first, begins with what page 0 holds, and a lookup finds that while A holds it" in says


@pytest.mark.parametrize("stopped", ["idle", "done", "task", "max_steps", "detached"])
def test_other_reasons_to_stop_are_no_exception(script, stopped):
    assert found(script, stopped) == []


def test_many_findings_of_a_kind_are_counted(script):
    script.serve("A", [1, 2, 3], [0])
    for _ in range(30):
        script.go(None, 3)
    report = examine(script.trace())
    assert len(report.findings) == 20 and report.more == {"double free": 10}


@pytest.mark.parametrize("path", [path for path in TRACES if path.stat().st_size < 50_000], ids=lambda path: path.name)
def test_nothing_is_found_in_the_shipped_traces(path):
    assert examine(Trace.open(path)).findings == ()


@pytest.mark.slow
def test_nothing_is_found_in_the_large_shipped_traces():
    for path in TRACES:
        assert examine(Trace.open(path)).findings == ()


@pytest.mark.parametrize("kind, detail", [("random", "full"), ("random", "bulk"), ("none", "full"), ("none", "bulk")])
def test_nothing_is_found_in_a_run_of_this_engine(tmp_path, kind, detail):
    report = examine(recorded(crowd(kind, detail), tmp_path / "run.jsonl"))
    assert report.findings == ()
    blind = {"stale or unchained hit", "unreachable cached page"} if (kind, detail) == ("none", "bulk") else set()
    assert set(report.not_looked_for) == blind and len(report.looked_for) == len(kinds()) - len(blind)
