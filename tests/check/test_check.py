"""What is shown and not recorded is found and named."""

import pytest

from scenes.check.checker import Checker
from scenes.check.compare import differences
from scenes.check.labels import drawn_otherwise, labels_in
from scenes.film.rehearsal import check, rehearse
from scenes.film.scene import Observer
from scenes.measures import measure, say
from scenes.truth import Witness
from tests.film.clean import Looker
from tests.film.tiny import TinyFilm


@pytest.fixture(scope="module")
def halfway(two_requests):
    """Stage and state after the second third of the trace."""
    return rehearse(TinyFilm, two_requests, observers=[Looker()], only={"two"}).scene


@pytest.fixture
def shown(halfway):
    return halfway.stage.read()


@pytest.fixture(scope="module")
def at(halfway):
    return halfway.section.beats[-1].until


@pytest.fixture(scope="module")
def witness(halfway):
    return Witness.of(halfway.trace)


def found(shown, witness, at):
    return {difference.field for difference in differences(shown, witness, at)}


def misdrawn(mobjects):
    return [label.text for label in labels_in(mobjects) if drawn_otherwise(label)]


def test_truth_passes(shown, witness, at):
    assert {"pool.frames", "pool.bands", "pool.slots", "pool.ghosts"} <= shown.keys()
    assert any(shown["pool.slots"].values())
    assert not found(shown, witness, at)


def test_parts_off_stage_are_not_compared(witness, at):
    assert not found({}, witness, at)


@pytest.mark.parametrize("field, wrong", [("pool.frames", "cached"), ("pool.slots", 3), ("pool.ghosts", 3)])
def test_wrong_value_of_one_page(shown, witness, at, field, wrong):
    shown[field][2] = wrong
    assert found(shown, witness, at) == {f"{field}[2]"}


def test_wrong_holders(shown, witness, at):
    page = next(iter(shown["pool.bands"]))
    shown["pool.bands"][page] = ["nobody"]
    assert found(shown, witness, at) == {f"pool.bands[{page}]"}


def test_nothing_is_shown_unchecked(shown, witness, at):
    shown["weather"] = "fine"
    assert found(shown, witness, at) == {"weather"}


def test_a_label_that_draws_another_text_is_found(halfway):
    assert not misdrawn(halfway.mobjects)
    label = halfway.stage.canvas.shown["pool", 0, "ref"]
    said, drawn = label.text, label.points
    label.set_text("ref 17")
    stale, label.points = label.points, drawn
    try:
        assert misdrawn(halfway.mobjects) == ["ref 17"]
    finally:
        label.text = said
    assert len(stale) != len(drawn)


def test_whole_film_passes(two_requests):
    report = check(TinyFilm, two_requests)
    assert report.mismatches == ()
    assert report.beats == 3
    assert report.fields > 60


class Liar(Observer):
    """Puts a wrong digit on the stage before the checker reads it."""

    def animation_ended(self, scene, began, moved):
        if scene.section.key == "two":
            label = scene.stage.canvas.shown["pool", 5, "digit"]
            label.set_text(say("{}", measure("mask.bit", 0, "plain", page=5)))


def test_a_lie_on_stage_is_named_with_its_place(two_requests):
    checker = Checker()
    rehearse(TinyFilm, two_requests, observers=(Liar(), checker))
    first = checker.mismatches[0]
    assert (first.section, first.difference.field) == ("two", "mask.bit(page=5)")
    assert "(Shot until event" in str(first)
    assert f"shown {first.difference.shown}, recorded {first.difference.recorded}" in str(first)
