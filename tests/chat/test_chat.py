"""Chat tells any trace with texts, and leaves time to read what was said."""

import pytest

from astrai_sim.trace import Trace
from scenes.chat import Chat
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.story.errors import DoesNotApply
from scenes.story.limits import READING_SPEED
from tests.film.test_films import assert_clean

OWN = ASSETS / "traces" / Chat.default_trace


@pytest.mark.parametrize("scenario", ["two_requests", "shared_prefix", "one_page", "crowded"])
def test_any_trace_with_texts(word_scenario, scenario):
    """One request, many, preempted ones, with pieces that no font holds."""
    assert_clean(Chat, word_scenario(scenario))


def test_trace_without_texts():
    with pytest.raises(DoesNotApply) as reason:
        Chat.tell(Trace.open(ASSETS / "traces" / "promo.jsonl.gz"))
    assert "\n" not in str(reason.value)


class Clock(Observer):
    """When each answer first stood whole, and how long each card did."""

    def __init__(self):
        self.read_from = None
        self.read_until = 0.0

    def beat_ended(self, scene, section, beat):
        cards = scene.stage.read().get("cards", {})
        if any(answer for _, answer, *_ in cards.values()):
            if self.read_from is None:
                self.read_from = scene.clock
                self.texts = {task: len(question) + len(answer) for task, (question, answer, *_) in cards.items()}
            self.read_until = scene.clock


def test_each_question_and_answer_stands_until_it_can_have_been_read():
    clock = Clock()
    rehearse(Chat, OWN, observers=(clock,))
    stood = clock.read_until - clock.read_from
    assert len(clock.texts) == len(set(clock.texts)) == 3
    assert stood >= max(clock.texts.values()) / READING_SPEED


def test_every_speaker_is_heard():
    trace = Trace.open(OWN)
    tasks = {event.task for event in trace.find(event="task_submitted")}
    sections = Chat.tell(trace).sections
    assert {task for s in sections for p in s.props for task in p.tasks} == tasks
    assert [s.key for s in sections][:2] == ["ask", "arrival-1"]
    assert [s.key for s in sections][-2:] == ["read", "summary"]
