"""The servers of the film Fragmentation are compared with the trace and with the model."""

import pytest

from astrai_sim.trace import Series, Trace
from scenes.check.compare import differences
from scenes.draw.atoms import Text
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.fragmentation import FragmentationTelling
from scenes.parts.question import Takeaway
from scenes.story.contiguous import RULES, loads, simulate
from scenes.story.errors import DoesNotApply
from scenes.truth import Witness
from scenes.truth.contiguous import plan
from tests.film.clean import Looker

FILM = catalog.film("Fragmentation")


@pytest.fixture(scope="module")
def path(record_scenario):
    return record_scenario("crowded")


@pytest.fixture(scope="module")
def trace(path):
    return Trace.open(path)


@pytest.fixture(scope="module")
def told(trace):
    return FILM.tell(trace).sections


def stage_after(path, key):
    scene = rehearse(FILM, path, observers=[Looker()], only={key}).scene
    return scene.stage, scene.section.beats[-1].until


def spoil_piece(shown):
    start, task, size, used = shown["memory.reserve"][0]
    shown["memory.reserve"] = ((start, task, size, used + 0.05), *shown["memory.reserve"][1:])


def spoil_page(shown):
    start, _, size, used = shown["memory.pages"][0]
    shown["memory.pages"] = ((start, "nobody", size, used), *shown["memory.pages"][1:])


def spoil_score(shown):
    shown["score.pages"] = ("nobody", *shown["score.pages"])


def spoil_mark(shown):
    gone, marks = shown["progress"]["reserve"]
    shown["progress"]["reserve"] = (gone - 0.1, marks)


@pytest.mark.parametrize(
    ("spoil", "field"),
    [
        (spoil_piece, "memory.reserve"),
        (spoil_page, "memory.pages"),
        (spoil_score, "score.pages"),
        (spoil_mark, "progress[reserve]"),
    ],
)
def test_a_wrong_value_is_found(path, trace, spoil, field):
    stage, until = stage_after(path, "waiting")
    witness = Witness.of(trace)
    assert not list(differences(stage.read(), witness, until))
    shown = stage.read()
    spoil(shown)
    assert {d.field for d in differences(shown, witness, until)} == {field}


def test_the_computed_side_goes_on_alone_only_when_the_recording_is_over(path, trace):
    stage, until = stage_after(path, "race")
    assert stage.view.beyond > 0 and until == len(trace) - 1 + stage.view.beyond
    words = [str(atom.text) for atom in stage.canvas.atoms.values() if isinstance(atom, Text)]
    assert any("computed" in text and "steps" in text for text in words)


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_is_computed_twice(trace, rule):
    cache = trace.header.scenario.cache
    layouts = simulate(loads(trace), cache.n_pages * cache.page_size, 8, rule)
    stays = plan(trace, rule)
    assert stays.end == len(layouts) - 2
    for step, layout in enumerate(layouts[:-1]):
        held = {stay.life.task: (stay.size, stay.used(step)) for stay in stays.held(step)}
        assert {piece.task: (piece.size, piece.used) for piece in layout.pieces} == held
        assert stays.waiting(step) == list(layout.waiting)


def test_figures_come_from_the_trace_and_the_model(trace, told):
    telling = FragmentationTelling("Fragmentation", trace)
    finished = [event.step for event in trace.find(event="task_finished")]
    layouts = simulate(loads(trace), 20, 8)
    assert (telling.done, telling.whole_done) == (finished[-1] + 1, len(layouts) - 1)
    series = Series.of(trace)
    worst = max(range(telling.done), key=lambda step: series.reserved_slots[step] - series.kv_slots[step])
    assert telling.ask.empty(worst).value == series.reserved_slots[worst] - series.kv_slots[worst]
    takeaway = told[-1].beats[-1].parts[0]
    assert isinstance(takeaway, Takeaway)
    (number,) = takeaway.number.measures
    assert number.value == pytest.approx(telling.whole_done / telling.done)


def test_what_the_batch_keeps_waiting_is_not_called_a_hole_too_small(record_scenario):
    """Only who fits nowhere is refused for memory."""
    telling = FragmentationTelling("Fragmentation", Trace.open(record_scenario("crowded")))
    for step in range(telling.done):
        layout = telling.ask.whole(step)
        largest = max((size for _, size in layout.holes()), default=0)
        refused = bool(layout.waiting) and telling.reserved[layout.waiting[0]] > largest
        assert telling.refused(step) == refused


def test_what_cannot_be_computed_is_refused(record_scenario):
    for scenario, reason in (("one_page", "two requests"), ("chunks", "decode policy|whole")):
        with pytest.raises(DoesNotApply, match=reason):
            FILM.tell(Trace.open(record_scenario(scenario)))


def test_captions_are_brief(told):
    assert all(len(beat.caption or "") <= 60 for section in told for beat in section.beats)
