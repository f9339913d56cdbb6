"""One vocabulary: every kind of event is read, checked, replayed and verified, however it was written."""

from __future__ import annotations

import json

import pytest

from astrai_sim.trace import State, Trace, TraceError
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.events import EVENTS, PagesFree
from astrai_sim.trace.verify.bulk import BulkModel
from astrai_sim.trace.verify.full import FullModel
from astrai_sim.trace.verify.membership import MembershipModel
from astrai_sim.trace.verify.verify import verify
from astrai_sim.trace.wire import DIALECTS, LineReader
from tests.trace.recording import crowd, lines_of, recorded, resealed, written

KINDS = {kind.event for kind in (*EVENTS, *BLOCK_EVENTS)}
# These say what happens to whom, and leave pages, tables and tokens as they are.
UNCHANGING = {
    *("task_prefilled", "chunk", "setting", "step_begin", "step_end", "phase_begin", "phase_end"),
    *("prefix_hit", "prefix_miss", "gather", "lines", "snapshot", "messages_missed", "message_end"),
}


def cases(owner: type, prefix: str) -> set[str]:
    return {name.removeprefix(prefix) for name in dir(owner) if name.startswith(prefix)}


def test_every_event_has_a_case_in_the_replayed_state():
    assert cases(State, "_on_") | UNCHANGING == KINDS
    assert not cases(State, "_on_") & UNCHANGING


@pytest.mark.parametrize("detail, model", [("full", FullModel), ("bulk", BulkModel), ("membership", MembershipModel)])
def test_every_event_has_a_case_in_the_verifier(detail, model):
    kinds = set(LineReader(detail).names.values())
    assert kinds <= cases(model, "on_") <= KINDS


def test_every_event_is_read_from_a_line_of_one_dialect_or_the_other():
    assert {kind for detail in DIALECTS for kind in LineReader(detail).names.values()} == KINDS


def test_both_dialects_tell_of_the_same_pages(tmp_path):
    """Event by event in bulk, page by page in full: the same pages in the same order, with the same refcounts."""
    full, bulk = (recorded(crowd("random", detail), tmp_path / f"{detail}.jsonl") for detail in ("full", "bulk"))
    assert set(full.kinds()) ^ set(bulk.kinds()) == {"table", "kv_write", "gather", "lines", "kv_lengths"}
    for kind in ("alloc", "ref", "revived", "free", "cached"):
        told = [
            [
                (e.task, *page)
                for e in t.find(event=f"pages_{kind}")
                for page in zip(e.entries, e.pages, e.refs, strict=True)
            ]
            for t in (full, bulk)
        ]
        assert told[0] == told[1] and told[0], kind
    evicted = [[page for e in t.find(event="pages_evicted") for page in e.pages] for t in (full, bulk)]
    assert evicted[0] == evicted[1] and evicted[0]
    made = [
        [(task, token) for e in t.find(event="tokens") for task, token in zip(e.tasks, e.ids, strict=True)]
        for t in (full, bulk)
    ]
    assert made[0] == made[1] and made[0]
    hits = [[(e.task, e.pages, e.tokens) for e in t.find(event="prefix_hit")] for t in (full, bulk)]
    assert hits[0] == hits[1] and hits[0]
    assert [e.prompt_len for e in full.find("task_submitted")] == [e.prompt_len for e in bulk.find("task_submitted")]
    assert [e.n_pages for e in full.find("task_admitted")] == [e.n_pages for e in bulk.find("task_admitted")]


def test_entries_go_down_where_pages_are_let_go():
    event = PagesFree(seq=0, step=0, phase=None, ns=0, task="A", logical=4, pages=[7, 8, 2], refs=[0, 0, 1])
    assert event.entries == [4, 3, 2] and event.event == "pages_free" and (event.page, event.ref) == (7, 0)
    assert PagesFree(seq=0, step=0, phase=None, ns=0, pages=[7], refs=[0]).entries is None


def spaced(trace: Trace, **style) -> Trace:
    """The same lines, otherwise written."""
    return Trace(trace.path, b"".join(json.dumps(line, **style).encode() + b"\n" for line in lines_of(trace)))


@pytest.mark.parametrize("style", [{}, {"separators": (" , ", "  :  ")}, {"sort_keys": True}, {"ensure_ascii": True}])
def test_blanks_and_order_in_a_line_mean_nothing(crowd_trace, style):
    other = spaced(crowd_trace, **style)
    assert other.complete and list(other) == list(crowd_trace) and other.kinds() == crowd_trace.kinds()
    for kind in KINDS:
        assert list(other.find(event=kind)) == list(crowd_trace.find(event=kind))
    with pytest.raises(TraceError, match="the digest is"):
        verify(other)


def test_a_state_knows_where_it_is(crowd_trace):
    assert crowd_trace.state_at(-1).seq == -1 and crowd_trace.state_at(17).seq == 17


def test_no_kind_is_searched_for_in_vain(crowd_trace):
    with pytest.raises(ValueError, match="'page_alloc'"):
        next(crowd_trace.find(event="page_alloc"))


@pytest.mark.parametrize(
    "kind, change, message",
    [
        ("task_submitted", {"max_tokens": "9"}, "max_tokens: expected int, got str"),
        ("task_submitted", {"task": ...}, "the field 'task' is missing"),
        ("step_end", {"waiting": True}, "waiting: expected int, got bool"),
        ("step_end", {"event": "step_over"}, "unknown event 'step_over' in a recording of full detail"),
        ("step_end", {"event": "pages_alloc"}, "unknown event 'pages_alloc' in a recording of full detail"),
        ("step_end", {"event": ...}, "the field 'event' is missing"),
        ("phase_end", {"phase": "lunch"}, "phase: 'lunch' is none of the header's: cleanup, refill, prefill, decode"),
        ("page_alloc", {"mask": "0xqq"}, "invalid literal for int() with base 16: '0xqq'"),
        ("page_alloc", {"ref": 1.5}, "ref: expected int, got float"),
        ("table", {"pages": [0, None]}, "pages[1]: expected int, got null"),
        ("kv_lengths", {"counts": [1] * 99}, "99 counts for 2"),
    ],
)
def test_a_line_that_cannot_be_is_named(tmp_path, kind, change, message):
    """Whether the event is asked for, or passed on the way to the state at it."""
    lines = lines_of(recorded(crowd("none"), tmp_path / "run.jsonl"))
    at = next(i for i, line in enumerate(lines) if line.get("event") == kind)
    lied = {name: value for name, value in {**lines[at], **change}.items() if value is not ...}
    trace = resealed([*lines[:at], lied, *lines[at + 1 :]])
    named = f" ({lied['event']})" if "event" in lied else ""
    for ask in (lambda: trace[at - 1], lambda: trace.state_at(at - 1), lambda: list(trace), lambda: verify(trace)):
        with pytest.raises(TraceError) as raised:
            ask()
        assert str(raised.value) == f"lie.jsonl:{at + 1}: event {at - 1}{named}: {message}"
    if "event" in change:
        with pytest.raises(TraceError, match=f"lie.jsonl:{at + 1}: "):
            trace.kinds()


@pytest.mark.parametrize(
    "runs, message", [([[3, 0]], "a run of no pages at 3"), ([[3]], "runs[0]: expected array of length 2")]
)
def test_runs_that_cannot_be_are_named(tmp_path, runs, message):
    lines = lines_of(recorded(crowd("none", "bulk"), tmp_path / "run.jsonl"))
    at = next(i for i, line in enumerate(lines) if line.get("event") == "pages_alloc")
    trace = written([*lines[:at], {**lines[at], "runs": runs}])
    with pytest.raises(TraceError, match="pages_alloc") as raised:
        _ = trace[at - 1]
    assert message in str(raised.value)
