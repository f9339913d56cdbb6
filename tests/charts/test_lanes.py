"""Prompts computed beside decoding requests are found, and drawn as they were recorded."""

import numpy as np
import pytest

from astrai_sim.trace import Requests, Trace
from scenes import catalog, theme
from scenes.check.checker import check
from scenes.check.compare import differences
from scenes.check.recorded import Recorded
from scenes.film.rehearsal import rehearse
from scenes.layout import Box
from scenes.mobjects.steps import StepsPanel
from scenes.storyboard.beats import ShowSteps, ShowVersus, StepTokens
from scenes.storyboard.chunked_prefill import chosen, listed, times_text
from scenes.storyboard.errors import DoesNotApply
from scenes.storyboard.prefills import Prefill, StepLog, prefills

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
    requests = Requests.of(trace)
    gaps = requests.gaps[requests.names.index("short")] / 1e6
    assert np.allclose(log.gap_ms[1:7], gaps[1:7])
    for prefill in prefills(trace, log):
        at = requests.names.index(prefill.task)
        assert prefill.ttft_ms == pytest.approx(requests.time_to_first_token_ns[at] / 1e6)
        assert prefill.longest_ms == pytest.approx(gaps[prefill.steps[0] : prefill.steps[-1] + 1]
                                                   .max())


def test_what_a_step_computed(trace):
    log = StepLog(trace)
    assert log.computed[0].prompts == (("short", 5),)
    assert (log.computed[3].prompts, log.computed[3].decoded) == ((("chunked", 7),), ("short",))
    assert log.computed[3].tokens == 8
    assert log.computed[8].tokens == 30 + 2


def test_film_tells_both_in_the_order_of_the_run(trace):
    sections = FILM.tell(trace).sections
    keys = [section.key for section in sections]
    assert keys == ["decode", "stall-chunked", "steps-chunked", "stall-whole", "steps-whole",
                    "compare"]
    rows = next(b for b in sections[-1].beats if isinstance(b, ShowVersus)).rows
    assert rows[2].texts == ("1", "4")


def test_film_is_true_to_the_trace(path):
    report = check(FILM, path)
    assert [str(mismatch) for mismatch in report.mismatches] == []


def test_wrong_ticks_bars_and_peaks_are_found(path, trace):
    scene = rehearse(FILM, path, only={"stall-whole"}).scene
    until = scene.section.beats[-1].until
    recorded, state = Recorded.of(trace).at(until), trace.state_at(until)

    def found(change):
        shown = scene.stage.read()
        change(shown)
        return {difference.field for difference in differences(shown, state, recorded)}

    def move(shown):
        shown["lanes"]["short"][0][3] += 0.001

    def drop(shown):
        times, prompt = shown["lanes"]["whole"]
        shown["lanes"]["whole"] = (times[:-1], prompt)

    def less(shown):
        times, prompt = shown["lanes"]["chunked"]
        shown["lanes"]["chunked"] = (times, prompt - 7)

    def lie(shown):
        peak = shown["peaks"]["gaps"][0]
        shown["peaks"]["gaps"][0] = (*peak[:-1], "0.001 ms")

    assert found(lambda shown: None) == set()
    assert found(move) == {"lanes[short] tokens"}
    assert found(drop) == {"lanes[whole] tokens"}
    assert found(less) == {"lanes[chunked] prompt tokens"}
    assert found(lie) == {"peaks[gaps] longest gap"}


@pytest.mark.parametrize("scenario", ["two_requests", "one_page"])
def test_needs_both_kinds(record_scenario, scenario):
    with pytest.raises(DoesNotApply, match="computed in"):
        FILM.tell(Trace.open(record_scenario(scenario)))


def test_every_token_of_a_step_has_a_cell():
    steps = (StepTokens((("a", 2, False), ("b", 9, True)), ("one",)),
             StepTokens((("b", 40, True),), ("two", "more")))
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
