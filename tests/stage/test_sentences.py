"""When a title and an event come, beside the sentence that speaks of them."""

import pytest

from scenes.draw.canvas import Change
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer

SOON = 1.5
"""Seconds within which an event begins when its sentence has come."""


def title(scene):
    return next(key[1] for key in scene.stage.canvas.atoms if key[0] == "header" and key[1] not in ("step", "phase"))


class Watched(Observer):
    """Titles at the start and the end of sections, and seconds from the first movement of a shot to its first event."""

    def __init__(self):
        self.titles, self.waits, self.began, self.event = {}, [], None, None

    def section_started(self, scene, section):
        self.titles[section.key] = [section.title, title(scene)]

    def section_ended(self, scene, section):
        self.titles[section.key].append(title(scene))

    def animation_ended(self, scene, began, moved):
        for change in (one for one in scene.animations or () if isinstance(one, Change)):
            self.began = began if self.began is None else self.began
            self.event = began if self.event is None and not change.same else self.event

    def beat_ended(self, scene, section, beat):
        if beat.caption and self.event is not None and self.began is not None:
            self.waits.append(self.event - self.began)
        self.began = self.event = None


@pytest.fixture(scope="module")
def watched():
    observer = Watched()
    rehearse(catalog.film("Preemption"), observers=(observer,), only={"out", "waits", "again"})
    return observer


def test_a_title_changes_with_the_picture(watched):
    (out, _, _), (waits, before, after), (_, later, _) = (watched.titles[key] for key in ("out", "waits", "again"))
    assert (before, after, later) == (out, waits, waits) and out != waits


def test_an_event_comes_soon_after_its_sentence(watched):
    assert len(watched.waits) > 4 and max(watched.waits) <= SOON
