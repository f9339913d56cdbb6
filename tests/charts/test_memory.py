"""Both pools of the film Fragmentation are compared with the trace and with the model."""

import pytest

from astrai_sim.trace import Series, Trace
from scenes import theme
from scenes.check.compare import differences
from scenes.check.labels import Writer
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.fragmentation import MOST_STOPS, stops
from scenes.old.mobjects.memory import status_text
from scenes.old.parts.looks import Looks
from scenes.story.beats import RunOn, ShowVersus
from scenes.story.contiguous import loads, simulate
from scenes.story.errors import DoesNotApply
from scenes.truth import Witness

FILM = catalog.film("Fragmentation")


@pytest.fixture(scope="module")
def path(record_scenario):
    return record_scenario("crowded")


@pytest.fixture(scope="module")
def trace(path):
    return Trace.open(path)


def stage_after(path, key):
    scene = rehearse(FILM, path, only={key}).scene
    return scene.stage, scene.section.beats[-1].until


def spoil_piece(shown):
    task, start, size, used = shown["contiguous"][0]
    shown["contiguous"][0] = (task, start, size, used + 1)


def spoil_page(shown):
    task, start, size, used = shown["paged"][0]
    shown["paged"][0] = ("nobody", start, size, used)


@pytest.mark.parametrize(("spoil", "field"), [(spoil_piece, "contiguous"), (spoil_page, "paged")])
def test_a_wrong_value_is_found(path, trace, spoil, field):
    stage, until = stage_after(path, "waiting")
    witness = Witness.of(trace)
    assert not list(differences(stage.read(), witness, until))
    shown = stage.read()
    spoil(shown)
    assert {d.field for d in differences(shown, witness, until)} == {field}


def test_the_computed_side_goes_on_alone_only_when_the_recording_is_over(path, trace):
    stage, until = stage_after(path, "run-on")
    assert until == len(trace) - 1 and stage.beyond > 0
    step, writer = stage.part("memory").whole.step_label, Writer(Witness.of(trace))
    assert writer.text(step, until + stage.beyond) == step.text != writer.text(step, until)


def test_figures_come_from_the_trace_and_the_model(trace):
    sections = FILM.tell(trace).sections
    memory, steps, used = next(beat for beat in sections[-1].beats if isinstance(beat, ShowVersus)).rows
    layouts = simulate(loads(trace), 20, 8)
    series = Series.of(trace)
    ends = [event.seq for event in trace.find(event="step_end")]
    assert memory.values == (max(len(x.pieces) for x in layouts), max(len(trace.state_at(seq).tables) for seq in ends))
    finished = [event.step for event in trace.find(event="task_finished")]
    assert steps.values == (len(layouts) - 1, finished[-1] + 1)
    assert used.values[1] == pytest.approx(series.kv_slots.sum() / series.reserved_slots.sum())
    last = [b for s in sections for b in s.beats if isinstance(b, RunOn)][-1]
    assert last.step == steps.values[0]


def test_what_cannot_be_computed_is_refused(record_scenario):
    for scenario, reason in (("one_page", "two requests"), ("chunks", "decode policy|whole")):
        with pytest.raises(DoesNotApply, match=reason):
            FILM.tell(Trace.open(record_scenario(scenario)))


def test_status_names_who_waits():
    assert status_text("paged", 3, []) == "3 in memory, 0 waiting"
    assert status_text("paged", 2, ["D", "E"]) == "2 in memory, 2 waiting: D E"
    assert status_text("paged", 0, list("ABC"), room=3) == "0 in memory, 3 waiting: A B …"
    assert status_text("paged", 0, ["a-long-name", "B"], room=3) == "0 in memory, 2 waiting"


def test_both_sides_stop_at_every_step():
    assert list(stops(3, 8)) == [4, 5, 6, 7, 8]
    long = list(stops(0, 10 * MOST_STOPS + 7))
    assert len(long) <= MOST_STOPS and long[-1] == 10 * MOST_STOPS + 7 and long[0] > 0


def test_colour_alone_never_tells_two_owners_apart():
    trace = Trace.open(FILM.trace_for())
    looks = Looks.of(trace)
    marks = [(looks.colors[task], looks.rounds[task]) for task in looks.tasks]
    assert len(looks.tasks) > len(theme.TASK_COLORS) and len(set(marks)) == len(marks)
    scene = rehearse(FILM, trace, only={"waiting"}).scene
    for view in scene.stage.part("memory").paged.views:
        assert len(view.bands) == looks.rounds[view.stretch.name]
