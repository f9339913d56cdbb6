"""Lanes: each stretch of a prompt has the number of its tokens, and times that are said to be a sum add up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from astrai_sim.trace import Trace
from scenes.chunked_prefill import ChunkedPrefill
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.measures import measure
from scenes.parts.clock import Timeline
from scenes.parts.lanes import Lanes, Wait
from scenes.parts.part import View
from scenes.story.words import adding_up

BOX = Box(96, 112, 1728, 768)


class Ends(Observer):
    """Keeps the last picture of each section."""

    def __init__(self):
        self.pictures = {}

    def section_ended(self, scene, section):
        self.pictures[section.key] = dict(scene.stage.canvas.atoms)


@pytest.fixture(scope="module")
def pictures():
    observer = Ends()
    rehearse(ChunkedPrefill, observers=(observer,))
    return observer.pictures


@pytest.mark.parametrize("section", ["chunks", "race", "price", "takeaway"])
def test_every_chunk_has_the_number_of_its_tokens(pictures, section):
    (task,) = {key[1] for key in pictures[section] if key[0] == "chunks" and key[2:3] == ("span",)}
    drawn = {key[3] for key in pictures[section] if key[:3] == ("chunks", task, "span")}
    shown = {
        key[3]: atom for key, atom in pictures[section].items() if key[:3] == ("chunks", task, "tokens") and key[3:]
    }
    trace = Trace.open(ChunkedPrefill.trace_for())
    computed = [*trace.find(event="chunk", task=task), *trace.find(event="task_prefilled", task=task)]
    assert {step: str(atom.text) for step, atom in shown.items()} == {
        event.step: str(event.end - event.start) for event in computed if event.step in drawn
    }
    assert len(shown) == len(computed) > 2
    assert all(isinstance(atom, Text) for atom in shown.values())


def test_no_hand_stands_where_nothing_moves(pictures):
    heads = {key[0] for key in pictures["chunks"] if key[1:] == ("head",)}
    assert heads == {"chunks", "clock"}


@given(st.lists(st.integers(0, 10**12), min_size=2, max_size=3))
def test_times_that_make_a_sum_add_up_as_written(parts):
    times = [measure("part", ns, "time") for ns in (*parts, sum(parts))]
    *written, whole = (Decimal(str(time).removesuffix(" ms")) for time in adding_up(*times))
    assert sum(written) == whole
    finest = 10 ** (6 + min(0, whole.as_tuple().exponent))
    assert all(abs(Decimal(ns) / 10**6 - shown) * 10**6 <= finest / 2 for ns, shown in zip(parts, written, strict=True))


def test_brackets_of_the_price_end_where_their_times_are_on_the_axis(pictures):
    told = ChunkedPrefill.chapters("ChunkedPrefill", Trace.open(ChunkedPrefill.trace_for()))
    picture = pictures["price"]
    ticks = {key[2]: atom.points[0, 0] for key, atom in picture.items() if key[:2] == ("chunks", "tick")}
    (zero, x), (later, right) = min(ticks.items()), max(ticks.items())
    for name, work in zip(("whole", "chunks"), told.works, strict=True):
        end = float(picture[name, "first"].points[-1, 0])
        assert (end - x) / (right - x) == pytest.approx((work.value - zero) / (later - zero), abs=1e-3)
        (said,) = (str(atom.text) for key, atom in picture.items() if key[:2] == (name, "first") and key[-1] == "took")
        assert said.endswith(f"9 tokens each, after {work}")


@pytest.mark.parametrize(("begins", "start", "at"), [(-300, 0, 0), (-300, -500, -300), (200, 0, 200)])
def test_a_wait_begins_on_the_axis_and_its_words_beside_its_zero(begins, start, at):
    trace = Trace.open(ChunkedPrefill.trace_for())
    told = ChunkedPrefill.chapters("ChunkedPrefill", trace)
    time = Timeline(start, 2000, 1500)
    wait = Wait(begins, 1800, told.waits[0], words="no token")
    lanes = Lanes(time, "title", 0, -500, 2000, told.readers[0], wait=wait)
    drawn, plot = dict(lanes.draw(View(trace, trace.state_at(-1)), BOX)), time.plot(BOX)
    assert drawn["wait",].box.x == pytest.approx(time.x(plot, at))
    assert drawn["wait", "words"].at[0] == pytest.approx(time.x(plot, max(at, 0)) + 20)
