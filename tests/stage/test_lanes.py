"""Parts in lanes stand side by side where the frame is wide, below one another where it is not."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from astrai_sim.trace import Trace
from scenes.draw.layout import FRAMES, WIDE, Box, Frame
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


PARTS = (
    Panel(name="top"),
    Panel(name="left", lane=0),
    Panel(name="more", lane=0, least=50),
    Panel(name="right", lane=1),
    Panel(name="clock"),
)


@pytest.fixture
def boxes(two_requests):
    trace = Trace.open(two_requests)
    return lambda frame: layout(PARTS, View(trace, trace.state_at(-1), frame))


def test_lanes_are_side_by_side_between_what_has_the_whole_width(boxes):
    at = boxes(WIDE)
    left, more, right = at["left"], at["more"], at["right"]
    assert left.right < right.x and left.w == right.w == more.w and left.x == more.x == at["top"].x
    assert right.right == at["top"].right == at["clock"].right and at["clock"].w == WIDE.stage.w
    assert at["top"].bottom < min(left.y, right.y) and left.bottom < more.y and more.bottom < at["clock"].y
    assert right.bottom < at["clock"].y


@pytest.mark.parametrize("frame", [frame for frame in FRAMES.values() if frame.upright], ids=lambda f: f.name)
def test_lanes_are_below_one_another_in_an_upright_frame(boxes, frame: Frame):
    at = boxes(frame)
    order = [at[part.key] for part in PARTS]
    assert all(above.bottom < below.y and above.w == below.w for above, below in zip(order, order[1:], strict=False))


def test_a_moment_beyond_the_last_event_is_that_of_a_computed_step(two_requests):
    trace = Trace.open(two_requests)
    view = View(trace, trace.state_at(-1))
    last = len(trace) - 1
    assert (view.at(last).seq, view.at(last).beyond) == (last, 0)
    later = view.at(last + 3)
    assert (later.seq, later.beyond, later.state.seq) == (last + 3, 3, last)
