"""The film that loops: it ends on its first picture, and goes from trace to trace through a blank page."""

import pytest

from astrai_sim.shipped import ASSETS
from astrai_sim.trace import Trace
from scenes.chat import Chat
from scenes.draw.atoms import Block
from scenes.film.opening import other_trace
from scenes.film.rehearsal import rehearse
from scenes.film.scene import Observer
from scenes.opening import Opening
from scenes.parts.part import View
from scenes.parts.race import Race
from scenes.parts.sheet import Sheet
from scenes.story.errors import DoesNotApply
from scenes.truth import Witness
from scenes.truth.pool import sheet


class Ends(Observer):
    """Keeps the first and the last picture of each section."""

    def __init__(self):
        self.pictures = {}

    def section_started(self, scene, section):
        self.pictures[section.key] = [dict(scene.stage.canvas.atoms)]

    def section_ended(self, scene, section):
        self.pictures[section.key].append(dict(scene.stage.canvas.atoms))


@pytest.fixture(scope="module")
def pictures():
    observer = Ends()
    rehearse(Opening, observers=(observer,))
    return observer.pictures


def test_the_last_picture_is_the_first(pictures):
    first, last = pictures["words"][0], pictures["loop"][-1]
    assert first == last
    assert any(key[0] == "tape" and "word" in key for key in first)


def test_from_trace_to_trace_stands_one_blank_page(pictures):
    """Nothing else is on the stage: no number, and of sentences only that of what follows."""
    keys = [*pictures]
    for before, after in zip(keys, keys[1:], strict=False):
        stages = [
            [atom for key, atom in picture.items() if key[0] not in ("header", "caption", "badge")]
            for picture in (pictures[before][-1], pictures[after][0])
        ]
        assert stages[0] == stages[1]
        (page,) = stages[0]
        assert isinstance(page, Block)


def test_a_first_token_takes_as_long_as_the_film_of_that_trace_says():
    trace = Trace.open(Opening.trace_for())
    own = [
        measure
        for section in Opening.tell(trace).sections
        for shot in section.beats
        for measure in getattr(shot.caption, "measures", ())
        if measure.name == "request.first_token"
    ]
    shown = (part for section in Chat.tell(trace).sections for shot in section.beats for part in shot.parts)
    others = [lane.time for part in shown if isinstance(part, Race) for lane in part.lanes]
    assert len(own) == 2 and all(said in others for said in own)


def test_the_number_of_times_is_that_of_the_trace():
    (section,) = (s for s in Opening.tell(Trace.open(Opening.trace_for())).sections if s.key == "load")
    gave = [event.seq for event in other_trace("pool_at_scale").find(event="task_preempted")]
    before, said = section.beats[:2]
    assert said.caption == f"{len(gave)} times one gave way."
    assert before.until < gave[-1] <= said.until
    assert sum(seq > before.until for seq in gave) < len(gave) / 4


def test_a_page_that_somebody_holds_is_not_drawn_blank():
    trace = other_trace("chat")
    held = trace.state_at(len(trace) // 4).tables["Ada"][0]
    witness = Witness.of(trace)
    assert sheet(witness, -1, {"sheet": (held,)}) == (held,)
    assert sheet(witness, len(trace) // 4, {"sheet": (held,)}) == ()


def test_every_cut_leaves_a_piece_with_the_number_of_its_tokens():
    trace = other_trace("chat")
    view = View(trace, trace.state_at(1))
    whole = dict(Sheet("Ada", name="tape").draw(view, view.frame.stage))
    counts = [
        [str(atom.text) for key, atom in Sheet("Ada", cuts).draw(view, view.frame.stage) if key[-1] == "cut"]
        for cuts in range(4)
    ]
    assert counts == [[], ["16"], ["16", "16"], ["16", "16", "16", "12"]]
    tiles = [whole["Ada", place, "tile"].box for place in range(4)]
    assert [a.bottom for a in tiles[:3]] == pytest.approx([b.y for b in tiles[1:]])


@pytest.mark.parametrize("name", ["chat", "prefix_sharing", "eviction"])
def test_a_piece_has_as_many_boxes_as_it_says_tokens(name):
    trace = other_trace(name)
    task = next(iter(trace.state_at(len(trace) - 1).tasks))
    view = View(trace, trace.state_at(next(trace.find(event="task_submitted", task=task)).seq))
    n = -(-view.state.tasks[task].n_tokens // view.page_size)
    drawn = dict(Sheet(task, n - 1).draw(view, view.frame.stage))
    boxes = [{tuple(e) for e in drawn[task, place, "slots"].edges.tolist() if e[0] < e[2]} for place in range(n)]
    assert [str(len(found)) for found in boxes] == [str(drawn[task, place, "cut"].text) for place in range(n)]
    assert sum(map(len, boxes)) == view.state.tasks[task].n_tokens


@pytest.mark.parametrize("scenario", ["two_requests", "crowded", "shared_prefix"])
def test_other_traces_are_told_or_refused_in_one_line(scenario, record_scenario):
    try:
        told = Opening.tell(Trace.open(record_scenario(scenario)))
    except DoesNotApply as reason:
        assert scenario != "shared_prefix" and "share a [[prefix]]" in str(reason) and "\n" not in str(reason)
        return
    assert told.sections[0].source is None and len(told.sections[0].beats) > 4


def test_whether_it_applies_is_known_without_the_shipped_traces(monkeypatch):
    def unasked(name):
        raise AssertionError(f"{name} was opened")

    monkeypatch.setattr("scenes.opening.other_trace", unasked)
    assert Opening.why_not(Trace.open(ASSETS / "traces" / "chat.jsonl.gz")) is None
    assert "begins with the same tokens" in Opening.why_not(Trace.open(ASSETS / "traces" / "fragmentation.jsonl.gz"))
