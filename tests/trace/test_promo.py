"""The shipped story: masks and tables that came out of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from tests.trace.recording import mask_bits

SHIPPED = Path(__file__).resolve().parents[2] / "assets" / "traces"


@pytest.fixture(scope="module")
def promo() -> Trace:
    return Trace.open(SHIPPED / "promo.jsonl.gz")


def states(trace: Trace, *kinds: str):
    return [trace.state_at(event.seq) for event in trace if event.event in kinds]


def test_the_masks_of_the_story(promo):
    masks = [mask_bits(promo.state_at(-1))]
    for state in states(promo, "task_admitted", "table"):
        if mask_bits(state) != masks[-1]:
            masks.append(mask_bits(state))
    assert masks == ["11111111", "11111110", "11111100", "11111000", "11110000", "11100000", "11110011"]


def test_refcounts_match_the_masks(promo):
    for event in promo.find():
        if event.event in ("phase_end", "step_end"):
            state = promo.state_at(event.seq)
            free = [bool(state.mask >> page & 1) for page in range(8)]
            assert free == [ref == 0 for ref in state.refs]


def test_the_tables_of_the_story(promo):
    tables: dict[str, list[list[int]]] = {"A": [], "B": []}
    for event in promo.find(event="task_admitted"):
        tables[event.task].append(promo.state_at(event.seq).tables[event.task])
    for event in promo.find(event="table"):
        if event.phase == "decode":
            tables[event.task].append(event.pages)
    assert tables == {"A": [[0, 1], [0, 1, 4]], "B": [[2, 3]]}


def test_the_third_page_comes_with_the_129th_token(promo):
    grown = next(e for e in promo.find(event="table") if e.phase == "decode")
    state = promo.state_at(grown.seq)
    assert grown.task == "A" and state.tasks["A"].n_tokens == 129
    assert state.tasks["A"].kv_len == 128


def test_a_finishes_and_b_goes_on(promo):
    finished = [event.task for event in promo.find(event="task_finished")]
    assert finished == ["A"]
    last = promo.state_at(len(promo) - 1)
    assert last.tasks["A"].status == "finished" and last.tasks["B"].status == "running"
    assert last.tasks["A"].n_tokens == 180 and list(last.tables) == ["B"]


def shipped() -> list:
    """All shipped traces; the big ones are checked with the slow tests."""
    return [
        pytest.param(path, id=path.name, marks=[pytest.mark.slow] if path.stat().st_size > 500_000 else [])
        for path in sorted(SHIPPED.glob("*.jsonl.gz"))
    ]


@pytest.mark.parametrize("path", shipped())
def test_each_shipped_trace_holds(path):
    trace = Trace.open(path)
    assert verify(trace).events == len(trace)
