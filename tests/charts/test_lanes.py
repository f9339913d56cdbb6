"""Prompts computed beside decoding requests are found, and drawn as they were recorded."""

import numpy as np
import pytest
from msgspec.structs import replace

from astrai_sim.trace import RequestTimes, Trace
from scenes import theme
from scenes.check.compare import differences
from scenes.draw.layout import Box
from scenes.draw.mobjects.chart import ChartView
from scenes.draw.mobjects.lanes import LanesView
from scenes.draw.mobjects.steps import StepsPanel
from scenes.film import catalog
from scenes.film.checking import check
from scenes.film.rehearsal import rehearse
from scenes.story.beats import Chart, Lanes, ShowSteps, ShowVersus, StepTokens
from scenes.story.chunked_prefill import chosen, listed, times_text
from scenes.story.errors import DoesNotApply
from scenes.story.prefills import Prefill, StepLog, long_decode, prefills
from scenes.truth import Witness

FILM = catalog.film("ChunkedPrefill")


@pytest.fixture(scope="module")
def path(record_scenario):
    return record_scenario("chunks")


@pytest.fixture(scope="module")
def trace(path):
    return Trace.open(path)


def test_prompts_are_found_with_their_steps(trace):
    chunked, whole = prefills(trace, StepLog(trace))
    assert (chunked.task, chunked.steps, chunked.counts) == ("chunked", (2, 3, 4, 5), (7, 7, 7, 4))
    assert (whole.task, whole.steps, whole.counts) == ("whole", (8,), (30,))
    assert chunked.beside == whole.beside == ("short",)
    assert whole.whole and not chunked.whole


def test_waits_are_those_of_the_requests(trace):
    log = StepLog(trace)
    requests = RequestTimes.of(trace)
    gaps = requests.gaps[requests.names.index("short")] / 1e6
    assert np.allclose(log.gap_ms[1:7], gaps[1:7])
    for prefill in prefills(trace, log):
        at = requests.names.index(prefill.task)
        assert prefill.ttft_ms == pytest.approx(requests.time_to_first_token_ns[at] / 1e6)
        assert prefill.longest_ms == pytest.approx(gaps[prefill.steps[0] : prefill.steps[-1] + 1].max())


def test_what_a_step_computed(trace):
    log = StepLog(trace)
    assert log.computed[0].prompts == (("short", 5),)
    assert (log.computed[3].prompts, log.computed[3].decoded) == ((("chunked", 7),), ("short",))
    assert log.computed[3].tokens == 8
    assert log.computed[8].tokens == 30 + 2


def test_film_tells_both_in_the_order_of_the_run(trace):
    sections = FILM.tell(trace).sections
    keys = [section.key for section in sections]
    assert keys == ["decode", "stall-chunked", "steps-chunked", "stall-whole", "steps-whole", "compare"]
    rows = next(b for b in sections[-1].beats if isinstance(b, ShowVersus)).rows
    assert rows[2].texts == ("1", "4")


def test_film_is_true_to_the_trace(path):
    report = check(FILM, path)
    assert [str(mismatch) for mismatch in report.mismatches] == []


def test_wrong_ticks_and_bars_are_found(path, trace):
    scene = rehearse(FILM, path, only={"stall-whole"}).scene
    until = scene.section.beats[-1].until

    def found(change):
        shown = scene.stage.read()
        change(shown)
        return {difference.field for difference in differences(shown, Witness.of(trace), until)}

    def move(shown):
        shown["lanes"]["short"][0][3] += 0.001

    def drop(shown):
        times, prompt = shown["lanes"]["whole"]
        shown["lanes"]["whole"] = (times[:-1], prompt)

    def less(shown):
        times, prompt = shown["lanes"]["chunked"]
        shown["lanes"]["chunked"] = (times, prompt - 7)

    assert found(lambda shown: None) == set()
    assert found(move) == {"lanes[short]"}
    assert found(drop) == {"lanes[whole]"}
    assert found(less) == {"lanes[chunked]"}


@pytest.mark.parametrize("scenario", ["two_requests", "one_page"])
def test_needs_both_kinds(record_scenario, scenario):
    with pytest.raises(DoesNotApply, match="computed in"):
        FILM.tell(Trace.open(record_scenario(scenario)))


def test_every_token_of_a_step_has_a_cell():
    steps = (StepTokens((("a", 2, False), ("b", 9, True)), ("one",)), StepTokens((("b", 40, True),), ("two", "more")))
    beat = ShowSteps(0, None, "t", steps, columns=10, shown=1)
    colors = {"a": theme.task_color(0), "b": theme.task_color(1)}
    panel = StepsPanel(beat, colors, Box(100, 100, 900, 500))
    assert [row.cells.n for row in panel.rows] == [11, 40]
    assert np.allclose(panel.rows[0].cells.rgba[:2, :3], theme.rgb(colors["a"]))
    assert panel.rows[1] not in panel.submobjects
    assert len(panel.reveal(2)) == 1 and panel.reveal(2) == []
    with pytest.raises(ValueError, match="do not fit"):
        StepsPanel(beat, colors, Box(100, 100, 900, 120))


def prefill(task, steps, tokens):
    share = tokens // len(steps)
    return Prefill(task, steps, (share,) * len(steps), ("x",), 1.0, 1.0)


def test_two_prompts_one_after_the_other_are_chosen():
    chunked = prefill("c", (4, 5, 6), 300)
    during, after, longer = prefill("d", (5,), 400), prefill("a", (7,), 90), prefill("l", (9,), 99)
    assert chosen([chunked, during, after, longer]) == (longer, chunked)
    with pytest.raises(DoesNotApply, match="one after the other"):
        chosen([chunked, during])
    with pytest.raises(DoesNotApply, match="in chunks"):
        chosen([after])


def test_words():
    assert listed(["A"]) == "A"
    assert listed(["A", "B", "C"]) == "A, B and C"
    assert (times_text(4.53), times_text(24.4)) == ("4.5", "24")


@pytest.fixture
def told():
    """The film's own trace, a log of it, and its prompts: whole, and in chunks.

    In the log prefill phases take 30 ms and decode phases 15 ms, with the chunks' request
    50 ms; the last chunk ends the longest wait.
    """
    trace = Trace.open(FILM.trace_for())
    log = StepLog(trace)
    whole, chunked = chosen(prefills(trace, log))
    log.prefill_ns[:, 1] = log.prefill_ns[:, 0] + 30_000_000
    log.decode_ns[:, 1] = log.decode_ns[:, 0] + 15_000_000
    for step, done in enumerate(log.computed):
        if chunked.task in done.decoded:
            log.decode_ns[step, 1] = log.decode_ns[step, 0] + 50_000_000
    log.gap_ms[list(chunked.steps)] = 45.0
    log.gap_ms[chunked.steps[-1]] = 80.0
    return trace, log, whole, chunked


def test_padding_is_told_where_the_trace_shows_it(told):
    trace, log, whole, chunked = told
    found = long_decode(trace, log, chunked)
    last = chunked.steps[-1]
    assert (found.step, found.tokens) == (last, chunked.counts[-1])
    assert (found.decode_ms, found.others_ms) == pytest.approx((50.0, 15.0))
    state = trace.state_at(int(log.series.seq[last]))
    assert found.positions == state.tasks[chunked.task].kv_len
    assert found.positions == max(state.tasks[task].kv_len for task in state.tables)
    assert found.after == ((last + 1, pytest.approx(50.0)), (last + 2, pytest.approx(50.0)))
    assert long_decode(trace, log, whole) is None


def _quick_later(trace, log, chunked):
    step = chunked.steps[-1] + 1
    log.decode_ns[step, 1] = log.decode_ns[step, 0] + 20_000_000


def _slow_prefill(trace, log, chunked):
    log.prefill_ns[chunked.steps[-1], 1] += 40_000_000


def _longest_elsewhere(trace, log, chunked):
    log.gap_ms[chunked.steps[0]] = 90.0


def _modelled(trace, log, chunked):
    trace.header = replace(trace.header, clock="modelled")


@pytest.mark.parametrize("change", [_quick_later, _slow_prefill, _longest_elsewhere, _modelled])
def test_padding_is_not_told_where_it_does_not_show(told, change):
    trace, log, _, chunked = told
    assert long_decode(trace, log, chunked) is not None
    change(trace, log, chunked)
    assert long_decode(trace, log, chunked) is None


def test_what_begins_empty_is_drawn_while_it_grows(told):
    trace = told[0]
    section = FILM.tell(trace).sections[0]
    lanes = next(prop for prop in section.props if isinstance(prop, Lanes))
    chart = ChartView(next(prop for prop in section.props if isinstance(prop, Chart)), Box(0, 400, 1800, 400))
    colors = {lane.task: theme.ACCENT for lane in lanes.lanes}
    view = LanesView(lanes, colors, chart.axes.scale, Box(0, 100, 1800, 280))
    view.set_seq(-1)
    assert view.step == -1 and all(not any(row) for row in view.read().values())
    for shape in (
        chart.lines["longest gap"].line,
        *(lane.spans for lane in view.views.values()),
        *(lane.ticks for lane in view.views.values()),
    ):
        assert len(shape.points)
    begin, end = lanes.steps[4][1], lanes.steps[5][1]
    view.set_head((begin + end) / 2)
    assert view.step == 5
