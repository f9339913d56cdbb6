"""Where parts stand, and the moments that they show."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import pytest

from astrai_sim.trace import Trace
from scenes.draw.layout import FRAMES, Box, Frame
from scenes.parts.layout import layout
from scenes.parts.part import Part, Room, View


@dataclass(frozen=True)
class Panel(Part):
    """Nothing, of some height."""

    least: float = 100.0

    def room(self, view: View, width: float) -> Room:
        return Room(self.least, 2 * self.least)

    def draw(self, view: View, box: Box) -> Iterator:
        yield from ()


PARTS = (Panel(name="top"), Panel(name="low", least=50), Panel(name="clock"))


@pytest.fixture
def boxes(two_requests):
    trace = Trace.open(two_requests)
    return lambda frame: layout(PARTS, View(trace, trace.state_at(-1), frame))


@pytest.mark.parametrize("frame", FRAMES.values(), ids=lambda frame: frame.name)
def test_parts_of_the_stage_stand_below_one_another(boxes, frame: Frame):
    at = [boxes(frame)[part.key] for part in PARTS]
    assert all(above.bottom < below.y and above.w == below.w for above, below in pairwise(at))
    assert at[0].h > at[1].h and at[-1].bottom <= frame.stage.bottom


def test_a_moment_beyond_the_last_event_is_that_of_a_computed_step(two_requests):
    trace = Trace.open(two_requests)
    view = View(trace, trace.state_at(-1))
    last = len(trace) - 1
    assert (view.at(last).seq, view.at(last).beyond) == (last, 0)
    later = view.at(last + 3)
    assert (later.seq, later.beyond, later.state.seq) == (last + 3, 3, last)
