"""What is shown and not recorded is found and named."""

import numpy as np
import pytest

from scenes.check.checker import Checker
from scenes.check.compare import differences
from scenes.check.labels import drawn_otherwise, labels_in
from scenes.draw.label import Label
from scenes.film.checking import check
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.measures import measure, say
from scenes.old.animations import Glide, SwapText
from scenes.truth import Witness
from tests.film.tiny import TinyFilm


@pytest.fixture(scope="module")
def halfway(two_requests):
    """Stage and state after the second third of the trace."""
    return rehearse(TinyFilm, two_requests, only={"two"}).scene


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
    assert {"owners", "colors", "filled", "tables", "meters", "phase"} <= shown.keys()
    assert any(shown["tables"].values())
    assert not found(shown, witness, at)


def test_parts_off_stage_are_not_compared(witness, at):
    assert not found({}, witness, at)


@pytest.mark.parametrize("field", ["cached", "owners", "colors"])
def test_wrong_value_of_one_page(shown, witness, at, field):
    shown[field][2] = "something else"
    assert found(shown, witness, at) == {f"{field}[2]"}


def test_wrong_slot(shown, witness, at):
    cells = np.array(shown["filled"][0])
    cells[3] = not cells[3]
    shown["filled"][0] = cells
    assert found(shown, witness, at) == {"filled[0]"}


def test_wrong_table_entry(shown, witness, at):
    task = next(iter(shown["tables"]))
    shown["tables"][task] = [5, *shown["tables"][task][1:]]
    assert f"tables[{task}]" in found(shown, witness, at)


def test_missing_and_surplus_tables(shown, witness, at):
    task, pages = shown["tables"].popitem()
    assert found(shown, witness, at) == {f"tables[{task}]"}
    shown["hidden_tables"] = 1
    assert not found(shown, witness, at)
    shown["tables"][task] = pages
    shown["tables"]["nobody"] = [0]
    shown["hidden_tables"] = 0
    assert "tables[nobody]" in found(shown, witness, at)


def test_wrong_phase(shown, witness, at):
    shown["phase"] = "something else"
    assert found(shown, witness, at) == {"phase"}


def test_wrong_meter(shown, witness, at):
    task = next(iter(shown["meters"]))
    shown["meters"][task] += 1
    assert found(shown, witness, at) == {f"meters[{task}]"}


def test_nothing_is_shown_unchecked(shown, witness, at):
    shown["weather"] = "fine"
    assert found(shown, witness, at) == {"weather"}


def test_a_label_that_draws_another_text_is_found(halfway):
    assert not misdrawn(halfway.mobjects)
    label = halfway.stage.parts["mask"].mask.count
    said, drawn = label.text, label.points
    label.set_text("7 of 6 pages free")
    stale, label.points = label.points, drawn
    try:
        assert misdrawn(halfway.mobjects) == ["7 of 6 pages free"]
    finally:
        label.text = said
    assert len(stale) != len(drawn)


def test_a_label_that_moves_while_its_text_changes_draws_the_new_text():
    label = Label("41 tok", at=(100, 100))
    both = Glide(label, 0, 40), SwapText(label, "50 tok · 49 KV")
    for alpha in (0.0, 0.4, 0.8, 1.0):
        for animation in both:
            animation.begin() if alpha == 0.0 else animation.interpolate(alpha)
    for animation in both:
        animation.finish()
    assert not misdrawn([label])
    assert label.ink()[1] > 120


def test_whole_film_passes(two_requests):
    report = check(TinyFilm, two_requests)
    assert report.mismatches == ()
    assert report.beats == 4
    assert report.fields > 100


class Liar(Observer):
    """Puts a wrong digit on the stage before the checker reads it."""

    def animation_ended(self, scene, began, moved):
        if scene.section.key == "two":
            scene.stage.parts["mask"].mask.digits[0].set_text(say("{}", measure("mask.bit", 0, "plain", page=5)))


def test_a_lie_on_stage_is_named_with_its_place(two_requests):
    checker = Checker()
    rehearse(TinyFilm, two_requests, observers=(Liar(), checker))
    first = checker.mismatches[0]
    assert (first.section, first.difference.field) == ("two", "mask.bit(page=5)")
    assert "beat 1 (Advance until event" in str(first)
    assert f"shown {first.difference.shown}, recorded {first.difference.recorded}" in str(first)
