"""Prompts computed beside decoding requests are found, and drawn on one clock as they were recorded."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

from astrai_sim.trace import RequestTimes, Trace
from scenes.check.compare import differences
from scenes.chunked_prefill import LONGEST
from scenes.draw.running import Running
from scenes.film import catalog
from scenes.film.moments import evenly
from scenes.film.rehearsal import check, rehearse
from scenes.film.scene import Observer
from scenes.story.errors import DoesNotApply
from scenes.story.history import history_of
from scenes.story.history.prompts import Prompt, chosen, prompts
from scenes.story.limits import round_factor
from scenes.truth import Witness
from tests.film.clean import Looker

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
    told = FILM.chapters(FILM.__name__, trace)
    for side, prompt in enumerate(told.prompts):
        steps = slice(prompt.steps[0], prompt.steps[-1] + 1)
        assert told.waits[side].value == gaps[steps].max()


def test_what_a_step_computed(trace):
    history = history_of(trace)
    assert history.prefilled(0) == [("short", 5)]
    assert (history.prefilled(3), history.decoded(3)) == ([("chunked", 7)], ["short"])
    assert history.prefilled(8) == [("whole", 30)] and len(history.decoded(8)) == 2


def test_film_tells_question_cause_remedy_and_price(trace):
    keys = [section.key for section in FILM.tell(trace).sections]
    assert keys == ["question", "whole", "inside", "chunks", "race", "price", "takeaway"]


def test_film_is_true_to_the_trace(path):
    report = check(FILM, path)
    assert [str(found) for found in (*report.mismatches, *report.unvouched, *report.contradictions)] == []


class OnItsWay(Observer):
    """What lanes that run say of themselves in the middle of their way, and how fast the clock went."""

    def __init__(self):
        self.wrong, self.looked, self.factors = [], 0, []

    def moment(self, scene, time):
        if not isinstance(scene.animations[0], Running):
            return
        self.looked += 1
        stage = scene.stage
        self.wrong += map(str, differences(stage.read(), Witness.of(stage.trace), stage.state.seq))

    def animation_ended(self, scene, began, moved):
        if isinstance(scene.animations[0], Running):
            clocks = [act.parts[-1].time for act in scene.stage.shot.acts if act.running]
            spans = [abs(clock.now - clock.came) for clock in clocks]
            self.factors.append(min((scene.clock - began) * 1e9 / span for span in spans if span))


def test_lanes_are_true_while_the_clock_runs_and_it_runs_at_one_speed(path):
    watch = OnItsWay()
    rehearse(FILM, path, observers=(watch,), moments=evenly(7))
    assert watch.looked > 40 and watch.wrong == []
    factor = FILM.chapters(FILM.__name__, Trace.open(path)).factor
    slower = [pace for pace in watch.factors if pace != pytest.approx(factor, rel=1e-3)]
    assert len(watch.factors) > 6 and not slower


def test_wrong_tokens_prompts_and_waits_are_found(path, trace):
    scene = rehearse(FILM, path, observers=[Looker()], only={"whole"}).scene
    shown, until = scene.stage.read(), scene.section.beats[-1].until

    def found(change):
        lied = deepcopy(shown)
        change(lied["lanes"]["whole"])
        return [difference.field for difference in differences(lied, Witness.of(trace), until)]

    assert "wait" in shown["lanes"]["whole"]
    assert found(lambda lanes: None) == []
    for change in (
        lambda lanes: lanes.update({("tokens", "short"): lanes["tokens", "short"][1:]}),
        lambda lanes: lanes.update(
            {("tokens", "short"): (lanes["tokens", "short"][0] + 0.01, *lanes["tokens", "short"][1:])}
        ),
        lambda lanes: lanes.pop(("prompt", "whole", 8)),
        lambda lanes: lanes.update({("prompt", "whole", 8): (lanes["prompt", "whole", 8][0], 0.01)}),
        lambda lanes: lanes.update(wait=(lanes["wait"][0], lanes["wait"][1] / 2)),
        lambda lanes: lanes.update(zero=lanes["zero"] + 1),
        lambda lanes: lanes["times"].update({max(lanes["times"]): 0.9}),
    ):
        assert found(change) == ["lanes[whole]"]


def test_what_a_step_computed_is_shown_token_by_token(path, trace):
    scene = rehearse(FILM, path, observers=[Looker()], only={"inside"}).scene
    shown, until = scene.stage.read(), scene.section.beats[-1].until
    assert shown["batch"]["step-8"] == {
        "step": 8,
        ("short", "decode"): 1,
        ("whole", "decode"): 1,
        ("whole", "prompt"): 30,
    }
    chunk = f"step-{FILM.chapters(FILM.__name__, trace).dearest()}"
    shown["batch"][chunk]["chunked", "prompt"] -= 1
    assert [d.field for d in differences(shown, Witness.of(trace), until)] == [f"batch[{chunk}]"]


def test_the_chunk_looked_into_is_in_the_step_that_was_waited_for_the_longest(trace):
    told, times = FILM.chapters(FILM.__name__, trace), RequestTimes.of(trace)
    gaps, (_, chunked) = times.gaps[times.names.index("short")], told.prompts
    assert told.dearest() == max(chunked.steps, key=lambda step: gaps[step])
    (shown,) = [section for section in told.sections() if section.key == "inside"]
    whole, chunk = (f"step-{step}" for step in (8, told.dearest()))
    assert [beat.subject[0] for beat in shown.beats][1:] == [whole, chunk]


@pytest.mark.parametrize("scenario", ["two_requests", "one_page"])
def test_needs_both_kinds(record_scenario, scenario):
    with pytest.raises(DoesNotApply, match="computed in"):
        FILM.tell(Trace.open(record_scenario(scenario)))


@pytest.mark.parametrize("wanted", [1e-6, 0.013, 0.99, 1.0, 1.05, 9.99, 10.0, 12.5, 4321.0])
def test_the_clock_has_a_round_speed_that_is_not_faster_than_asked(wanted):
    factor = round_factor(wanted)
    assert wanted / 1.25 <= factor <= wanted * (1 + 1e-9)
    written = factor if factor >= 1 else 1 / factor
    assert float(f"{written:.2g}") == pytest.approx(written)


def test_all_of_the_clock_is_seen_in_the_time_allowed(trace):
    told = FILM.chapters(FILM.__name__, trace)
    assert (told.time.end - told.time.start) / 1e9 * told.factor <= LONGEST * (1 + 1e-9)


def test_what_is_shown_ends_where_another_prompt_begins(trace):
    told = FILM.chapters(FILM.__name__, trace)
    _, chunked = told.stretches
    assert chunked.zero + chunked.until == told.step_ns(8)
    moved = replace(told.time, came=0, now=told.time.end)
    assert [moved.during(share).now for share in (0.0, 1.0)] == [0, told.time.end]


def prompt(task, steps, tokens):
    return Prompt(task, steps, (tokens // len(steps),) * len(steps), ("x",))


def test_two_prompts_one_after_the_other_are_chosen():
    chunked = prompt("c", (4, 5, 6), 300)
    during, after, longer = prompt("d", (5,), 400), prompt("a", (7,), 90), prompt("l", (9,), 99)
    assert chosen("film", [chunked, during, after, longer]) == (longer, chunked)
    with pytest.raises(DoesNotApply, match="one after the other"):
        chosen("film", [chunked, during])
    with pytest.raises(DoesNotApply, match="in chunks"):
        chosen("film", [after])
