"""What happens in a phase is seen to happen under its name."""

import pytest

from scenes.draw.canvas import Change
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.stage.stage import BEGINS, ENDS


class Phases(Observer):
    """For each movement the kind of its first event, that event's step and phase, and those that the header names."""

    def __init__(self):
        self.seq, self.found = -1, []

    def section_started(self, scene, section):
        self.seq = section.start

    def animation_ended(self, scene, began, moved):
        start, self.seq = self.seq, scene.stage.view.seq
        for change in (one for one in scene.animations or () if isinstance(one, Change) and not one.same):
            events = (scene.stage.trace[seq] for seq in range(start + 1, self.seq + 1))
            first = next((event for event in events if event.event not in (*BEGINS, *ENDS)), None)
            if first is not None and scene.section.phases:
                said = {key[1]: atom.text for key, atom in change.before.items() if key[0] == "header"}
                self.found.append((first, str(said.get("step")), str(said.get("phase")).removesuffix(" batch")))


@pytest.mark.parametrize("name", ["Chat", "Eviction", "Preemption"])
def test_what_moves_moves_under_the_name_of_its_phase(name):
    watch = Phases()
    rehearse(catalog.film(name), observers=(watch,))
    moved = [one for one in watch.found if one[0].phase is not None]
    assert {event.phase for event, *_ in moved} >= {"refill", "prefill", "cleanup"}
    wrong = [(event.seq, event.event) for event, *said in moved if said != [f"step {event.step}", event.phase]]
    assert not wrong
