"""A time-lapse shows one recorded moment at a time, in every part at once."""

import pytest
from numpy import linspace

from astrai_sim.trace import Trace
from scenes.check.compare import differences
from scenes.draw.lapse import Lapse
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.truth import Witness


class Shown(Observer):
    """Keeps the step and what else the stage shows at every moment of a time-lapse."""

    def __init__(self):
        self.kept = []

    def moment(self, scene, time):
        if any(isinstance(animation, Lapse) for animation in scene.animations):
            step = scene.stage.canvas.shown.get(("header", "step"))
            if step is not None and scene.section.source is None:
                self.kept.append((int(step.text.split()[1]), scene.stage.read()))


@pytest.mark.parametrize("name", ["PrefixCache", "Preemption"])
def test_every_picture_is_the_end_of_one_recorded_step(name):
    film = catalog.film(name)
    trace = Trace.open(ASSETS / "traces" / film.default_trace)
    ends = {event.step: event.seq for event in trace.find(event="step_end")}
    observer = Shown()
    rehearse(film, trace, observers=(observer,), moments=lambda began, ended: linspace(began, ended, 8)[:-1])
    assert len({step for step, _ in observer.kept}) > 5
    for step, moment in observer.kept:
        found = differences(moment, Witness.of(trace), ends[step])
        assert [str(difference) for difference in found] == []
