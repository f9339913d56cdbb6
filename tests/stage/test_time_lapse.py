"""A time-lapse shows one recorded moment at a time, in every part at once."""

import pytest
from numpy import linspace

from astrai_sim.trace import Trace
from scenes.check.compare import differences
from scenes.film import catalog
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.old.animations import Replay
from scenes.old.stage.passages import passages
from scenes.story.beats import Advance, ClosePanel, OpenCode, RunCode, Section, Storyboard
from scenes.truth import Witness


def own_trace(film):
    return Trace.open(ASSETS / "traces" / film.default_trace)


class Shown(Observer):
    """Keeps what the stage shows at every moment of a time-lapse."""

    def __init__(self):
        self.kept = []

    def moment(self, scene, time):
        if any(isinstance(animation, Replay) for animation in scene.animations):
            self.kept.append((scene.stage.parts["phases"].phases.step, scene.stage.read()))


@pytest.mark.parametrize("name", ["PrefixCache", "PrefixSharing"])
def test_every_frame_is_the_end_of_one_recorded_step(name):
    film = catalog.film(name)
    trace = own_trace(film)
    ends = {event.step: event.seq for event in trace.find(event="step_end")}
    observer = Shown()
    rehearse(film, trace, observers=(observer,), moments=lambda began, ended: linspace(began, ended, 8))
    shown = observer.kept
    assert len({step for step, _ in shown}) > 5
    for step, moment in shown:
        found = differences(moment, Witness.of(trace), ends[step])
        assert [str(difference) for difference in found] == []


def test_a_long_advance_stops_only_at_recorded_states():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    last = len(trace) - 1
    found = passages(trace, trace.state_at(-1), last, 20.0)
    seqs = [stop.seq for passage in found for stop in passage.stops]
    assert seqs == sorted(set(seqs)) and seqs[-1] == last
    assert {e.seq for e in trace.find(event="step_end")} <= set(seqs)
    assert sum(passage.seconds for passage in found if passage.even) < 20.0
    at = -1
    for passage in found:
        tables = [trace.state_at(seq).tables for seq in (at, *(s.seq for s in passage.stops))]
        assert not passage.even or all(table == tables[0] for table in tables)
        at = passage.stops[-1].seq


def test_pages_come_before_the_prefill_that_fills_them():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    written = next(trace.find(event="kv_write")).seq
    found = passages(trace, trace.state_at(-1), written, 2.0)
    before, after = (passage.stops[-1] for passage in found)
    assert before.tables == after.tables != {}
    assert before.kv_slots == 0 < after.kv_slots


def test_a_time_lapse_without_a_caption_gets_one():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    steps = [event.seq for event in trace.find(event="step_end")]
    for section in film.tell(trace).sections:
        at = section.start
        for beat in section.beats:
            passed = sum(at < seq <= beat.until for seq in steps)
            if isinstance(beat, Advance) and passed >= 3:
                assert beat.caption == f"{passed} steps in time-lapse."
            at = max(at, beat.until)


def test_a_section_can_start_in_the_middle_of_a_time_lapse():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    end = [event.seq for event in trace.find(event="step_end")][20]
    section = Section("late", "Late", end, (Advance(len(trace) - 1, "All of it.", 3.0),))
    assert rehearse(film, trace, storyboard=Storyboard("Late", (section,))).seconds > 3.0


def test_lines_that_take_a_page_end_with_the_page_taken():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    beats = [beat for section in film.tell(trace).sections for beat in section.beats]
    shown = [
        (beat, masks[-1])
        for beat in beats
        if isinstance(beat, RunCode) and (masks := [step.mask for step in beat.steps if step.mask is not None])
    ]
    assert len(shown) >= 3
    for beat, mask in shown:
        assert trace.state_at(beat.until).mask == mask


def test_the_code_panel_is_closed_before_other_calls_move_the_state_on():
    film = catalog.film("PrefixCache")
    trace = own_trace(film)
    changes = {"pages_alloc", "pages_ref", "pages_free"}
    for section in film.tell(trace).sections:
        at, shown = section.start, False
        for beat in section.beats:
            if isinstance(beat, OpenCode):
                shown = True
            elif isinstance(beat, ClosePanel):
                shown = False
            elif isinstance(beat, Advance) and shown:
                passed = {trace[seq].event for seq in range(at + 1, beat.until + 1)}
                assert not passed & changes
            at = max(at, beat.until)
