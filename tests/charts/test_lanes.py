"""Prompts computed beside decoding requests are found, and drawn as they were recorded."""

import numpy as np
import pytest
from msgspec.structs import replace

from astrai_sim.trace import RequestTimes, Trace
from scenes import theme
from scenes.check.compare import differences
from scenes.chunked_prefill import chosen
from scenes.draw.layout import Box
from scenes.film import catalog
from scenes.film.checking import check
from scenes.film.rehearsal import rehearse
from scenes.old.mobjects.chart import ChartView
from scenes.old.mobjects.lanes import LanesView
from scenes.old.mobjects.steps import StepsPanel
from scenes.story.beats import Chart, Lanes, ShowSteps, ShowVersus, StepTokens
from scenes.story.errors import DoesNotApply
from scenes.story.history import History, history_of
from scenes.story.history.prompts import Prompt, long_decode, prompts
from scenes.story.history.steps import PHASES
from scenes.truth import Witness

FILM = catalog.film("ChunkedPrefill")


@pytest.fixture(scope="module")
def path(record_scenario):
    return record_scenario("chunks")


@pytest.fixture(scope="module")
def trace(path):
    return Trace.open(path)


def test_prompts_are_found_with_their_steps(trace):
    chunked, whole = prompts(history_of(trace))
    assert (chunked.task, chunked.steps, chunked.counts) == ("chunked", (2, 3, 4, 5), (7, 7, 7, 4))
    assert (whole.task, whole.steps, whole.counts) == ("whole", (8,), (30,))
    assert chunked.beside == whole.beside == ("short",)
    assert whole.whole and not chunked.whole


def test_waits_are_those_of_the_requests(trace):
    history, requests = history_of(trace), RequestTimes.of(trace)
    gaps = requests.gaps[requests.names.index("short")]
    assert np.array_equal(history.gaps[1:7], gaps[1:7])
    for prompt in prompts(history):
        assert prompt.longest_ns == gaps[prompt.steps[0] : prompt.steps[-1] + 1].max()


def test_what_a_step_computed(trace):
    history = history_of(trace)
    assert history.prefilled(0) == [("short", 5)]
    assert (history.prefilled(3), history.decoded(3)) == ([("chunked", 7)], ["short"])
    assert history.prefilled(8) == [("whole", 30)] and len(history.decoded(8)) == 2


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


def prompt(task, steps, tokens):
    return Prompt(task, steps, (tokens // len(steps),) * len(steps), ("x",), 1)


def test_two_prompts_one_after_the_other_are_chosen():
    chunked = prompt("c", (4, 5, 6), 300)
    during, after, longer = prompt("d", (5,), 400), prompt("a", (7,), 90), prompt("l", (9,), 99)
    assert chosen("film", [chunked, during, after, longer]) == (longer, chunked)
    with pytest.raises(DoesNotApply, match="one after the other"):
        chosen("film", [chunked, during])
    with pytest.raises(DoesNotApply, match="in chunks"):
        chosen("film", [after])


@pytest.fixture
def told():
    """The film's own trace, a history of it, and its prompts: whole, and in chunks.

    In the history prefill phases take 30 ms and decode phases 15 ms, with the chunks' request
    50 ms; the last chunk ends the longest wait.
    """
    trace = Trace.open(FILM.trace_for())
    history = History(trace)
    whole, chunked = chosen("film", prompts(history))
    phases = history.steps.phases
    for row, (step, kind) in enumerate(zip(phases.step.tolist(), phases.kind.tolist(), strict=True)):
        slow = chunked.task in history.decoded(step)
        ms = {"prefill": 30, "decode": 50 if slow else 15}.get(PHASES[kind], 0)
        phases.ended[row] = phases.began[row] + ms * 1_000_000
    history.gaps[list(chunked.steps)] = 45_000_000
    history.gaps[chunked.steps[-1]] = 80_000_000
    return trace, history, whole, chunked


def test_padding_is_told_where_the_trace_shows_it(told):
    trace, history, whole, chunked = told
    found = long_decode(history, trace, chunked)
    last = chunked.steps[-1]
    assert (found.step, found.after) == (last, (last + 1, last + 2))
    assert found.before == tuple(step for step in chunked.steps if chunked.task not in history.decoded(step))
    assert long_decode(history, trace, whole) is None


def _quick_later(trace, history, chunked):
    row = history.steps.row("decode", chunked.steps[-1] + 1)
    history.steps.phases.ended[row] = history.steps.phases.began[row] + 20_000_000


def _slow_prefill(trace, history, chunked):
    history.steps.phases.ended[history.steps.row("prefill", chunked.steps[-1])] += 40_000_000


def _longest_elsewhere(trace, history, chunked):
    history.gaps[chunked.steps[0]] = 90_000_000


def _modelled(trace, history, chunked):
    trace.header = replace(trace.header, clock="modelled")


@pytest.mark.parametrize("change", [_quick_later, _slow_prefill, _longest_elsewhere, _modelled])
def test_padding_is_not_told_where_it_does_not_show(told, change):
    trace, history, _, chunked = told
    assert long_decode(history, trace, chunked) is not None
    change(trace, history, chunked)
    assert long_decode(history, trace, chunked) is None


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
