"""A digit changed in any label of a film is named."""

import random
from dataclasses import dataclass

import pytest

from astrai_sim.trace import Trace
from scenes.check.checker import Checker
from scenes.check.labels import Writer, drawn_otherwise, has_digit, labels_in, on_screen
from scenes.film import catalog
from scenes.film.opening import for_the_screen
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.measures import CutMeasure, Measure, Said
from scenes.truth import Witness
from tests.film.tiny import TinyFilm

EACH = 25
"""Labels of each of the eight films."""


def another_digit(text, draw):
    """The text with one of its digits changed."""
    place = draw.choice([i for i, letter in enumerate(text) if letter.isdigit()])
    return text[:place] + draw.choice([d for d in "0123456789" if d != text[place]]) + text[place + 1 :]


@dataclass(frozen=True)
class Wrong(Measure):
    """A measure that the film computed wrongly: it is written as `text`."""

    text: str = ""

    def __str__(self):
        return self.text


def miscomputed(said, draw):
    """The same, one of its measures having another value: with another digit in what is seen of it."""
    at = draw.choice([i for i, part in enumerate(said.parts) if has_digit(str(part))])
    part = said.parts[at]
    measure, start, end = part, 0, None
    if isinstance(part, CutMeasure):
        measure, start, end = part.measure, part.start, part.end
    whole = str(measure)
    text = whole[:start] + another_digit(str(part), draw) + whole[len(whole) if end is None else end :]
    lie = Wrong(measure.name, measure.args, measure.value, measure.form, text)
    return Said([*said.parts[:at], lie if end is None else CutMeasure(lie, start, end), *said.parts[at + 1 :]])


class Mutator(Observer):
    """Changes a digit of labels drawn at random after beats, one at a time, and looks whether the
    check of that label finds it; then puts it back."""

    def __init__(self, seed, beats):
        self.draw = random.Random(seed)
        self.turns = sorted(self.draw.choices(range(beats), k=3 * EACH))
        self.beat = 0
        self.tried, self.missed = 0, []

    def beat_ended(self, scene, section, beat):
        while self.turns and self.turns[0] == self.beat:
            self.turns.pop(0)
            if self.tried < EACH:
                self.change_one(scene, beat.until)
        self.beat += 1

    def change_one(self, scene, at):
        camera = scene.camera
        labels = on_screen(scene.mobjects, camera.frame_width, camera.frame_height)
        labels = [label for label in labels if has_digit(label.text) and label.said is not None]
        if not labels:
            return
        label, writer = self.draw.choice(labels), Writer(Witness.of(scene.stage.trace))
        text, said, points = label.text, label.said, label.points
        assert writer.text(label, at) == text and not drawn_otherwise(label)
        self.tried += 1
        if self.draw.random() < 0.5:
            label.set_text(miscomputed(said, self.draw))
            named = writer.text(label, at) != label.text
        else:
            label.points = label.outline(another_digit(text, self.draw))
            named = drawn_otherwise(label)
        if not named:
            self.missed.append((scene.clock, text, str(label.text)))
        label.text, label.said, label.points = text, said, points


FILMS = sorted(catalog.films().values(), key=lambda film: film.__name__)


LONG = ("PoolAtScale", "Opening")


@pytest.mark.parametrize(
    "film",
    [pytest.param(film, marks=pytest.mark.slow if film.__name__ in LONG else ()) for film in FILMS],
    ids=lambda film: film.__name__,
)
def test_a_changed_digit_is_named_every_time(film):
    """Of labels that somebody vouches for, as they stand after beats."""
    storyboard = film.tell(for_the_screen(Trace.open(film.trace_for())))
    mutator = Mutator(film.__name__, sum(len(section.beats) for section in storyboard.sections))
    rehearse(film, storyboard=storyboard, observers=(mutator,))
    assert mutator.missed == [] and mutator.tried == EACH


class Digit(Observer):
    """Changes a digit in a section's first picture, before others look at it."""

    def __init__(self, section):
        self.section = section

    def section_started(self, scene, section):
        if section.key == self.section:
            labels = [label for label in labels_in(scene.mobjects) if label.said is not None and has_digit(label.text)]
            label = max(labels, key=lambda label: label.text)
            label.set_text(miscomputed(label.said, random.Random(1)))
            self.changed = str(label.text)


@pytest.mark.parametrize("section", ["one", "two", "three"])
def test_the_check_of_a_film_names_it(two_requests, section):
    liar, checker = Digit(section), Checker()
    rehearse(TinyFilm, two_requests, observers=(liar, checker))
    found = [mismatch for mismatch in checker.mismatches if mismatch.difference.shown == liar.changed]
    assert found and {mismatch.section for mismatch in found} == {section}
