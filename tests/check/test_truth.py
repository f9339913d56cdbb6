"""The second computation: forms are written alike, the pool without pages is the same one, lines are moments."""

import random

import pytest

from astrai_sim.trace import Trace
from scenes.check.labels import Writer
from scenes.film import catalog
from scenes.measures import measure, say, written
from scenes.measures.forms import FORMS
from scenes.story.contiguous import at_step, loads, simulate
from scenes.truth import VOUCHERS, Witness
from scenes.truth.contiguous import plan
from scenes.truth.vouching import is_live
from scenes.truth.writing import WRITING
from tests.lint.board import label as labelled

DRAW = random.Random(7)
VALUES = {
    "count": [0, 7, 999, 1000, 12_345_678],
    "plain": [0, 12_345, "any"],
    "name": ["A", "qwen-7b"],
    "time": [0, 999_499_999, 999_500_000, 10**9, *(int(10 ** DRAW.uniform(3, 13)) for _ in range(500))],
    **{f"ms.{n}": [0, 500_000, 542_567_890, *(int(10 ** DRAW.uniform(3, 13)) for _ in range(100))] for n in range(7)},
    "exact": [0, 499_999, 10**9, 1_791_136_158, 12_345_678_901],
    "clock": [0, 49_999_999, 10**9, 1_234_567_890_123, *(int(10 ** DRAW.uniform(6, 13)) for _ in range(200))],
    "number": [0, 3, 1234, 0.123456, 12.0, 999.94, 1234.5, *(10 ** DRAW.uniform(-7, 5) for _ in range(300))],
    "tick": [0.0, 0.5, 0.025, 3.0, 1500.0, 0.000001],
    "span": [0, 9_940_000_000, 10**10, 1_234_567_890_123],
    "seconds": [1.5e-3, 2.0, 3.7e-6, 4e-9, 0.0999],
    "share": [0.0, 0.005, 0.5678, 1.0],
    "percent": [0.0, 0.083, 0.0051, 0.5678, 53 / 5466, 0.00996, *(10 ** DRAW.uniform(-9, 0) for _ in range(300))],
    "times": [0.0, 1.25, 3.44, 9.94, 9.96, 12.5, 104.2],
    "bytes": [0, 1, 1023, 1024, 12 * 2**20, 1_536, 1009 * 2**30, *(int(10 ** DRAW.uniform(0, 14)) for _ in range(300))],
    "table": [(), (3,), tuple(range(8)), tuple(range(40, 60))],
    "list": [(), (1,), (1, 2), ("A", "B", "C")],
}


def test_every_form_has_a_twin():
    assert set(FORMS) == set(WRITING) == set(VALUES)


@pytest.mark.parametrize("form", FORMS)
def test_a_twin_writes_the_same(form):
    for value in VALUES[form]:
        assert WRITING[form](value) == FORMS[form](value)


@pytest.mark.parametrize("scenario", ["two_requests", "crowded", "shared_prefix"])
def test_the_pool_without_pages_is_computed_twice(record_scenario, scenario):
    trace = Trace.open(record_scenario(scenario))
    cache, told = trace.header.scenario.cache, plan(trace)
    n_slots = cache.n_pages * cache.page_size
    layouts = simulate(loads(trace), n_slots, trace.header.scenario.scheduler.max_batch)
    assert told.end == len(layouts) - 2
    for step in range(-1, len(layouts) + 1):
        layout = at_step(layouts, step, n_slots)
        pieces = [(piece.task, piece.start, piece.size, piece.used) for piece in layout.pieces]
        assert pieces == [(stay.life.task, stay.start, stay.size, stay.used(step)) for stay in told.held(step)]
        assert [*told.holes(step).items()] == layout.holes()
        assert tuple(told.waiting(step)) == (layout.waiting if step >= 0 else ())


def test_a_line_that_has_run_is_a_moment():
    """Ahead of the event that tells of a page taken, the line has cleared its bit."""
    witness = Witness.of(Trace.open(catalog.film("PrefixCache").trace_for()))
    lines = next(event for event in witness.events("lines") if event.function.endswith("alloc"))
    before, after = witness.state(lines.seq), witness.state(witness.lines_of(lines.seq)[-1])
    page = lines.result
    assert before.mask >> page & 1 and not after.mask >> page & 1
    assert after.tables == before.tables and after.refs[page] == 1 and before.refs[page] == 0


def test_what_nobody_vouches_for_or_that_has_no_value_is_said_so(two_requests):
    writer = Writer(Witness.of(Trace.open(two_requests)))
    for said in (written("weather", 3), written("task.tokens", 3, task="A"), written("page.ref", 0, page=999)):
        assert writer.text(labelled(said), -1).startswith("(nothing: ")


def test_measures_of_measures_are_computed_from_below(two_requests):
    trace = Trace.open(two_requests)
    prompts = [measure("request.prompt", event.prompt_len, task=event.task) for event in trace.find("task_submitted")]
    both = measure("total", 1, parts=tuple(prompts))
    label = labelled(say("{} tokens", measure("less", 0, of=both, less=prompts[0])))
    assert writer_text(trace, label) == f"{sum(p.value for p in prompts[1:])} tokens"


def writer_text(trace, label):
    return Writer(Witness.of(trace)).text(label, len(trace) - 1)


def test_every_voucher_says_which_arguments_it_takes():
    assert is_live(measure("pool.free", 2)) and not is_live(measure("pool.pages", 2))
    with pytest.raises(TypeError, match="page"):
        VOUCHERS["page.ref"](None, at=0)
