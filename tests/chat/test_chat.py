"""Chat tells any trace with texts, and ends on what was said."""

import pytest

from astrai_sim.trace import Trace
from scenes.chat import Chat
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, Observer
from scenes.story.conversation import plain
from scenes.story.errors import DoesNotApply
from tests.film.clean import assert_clean

OWN = ASSETS / "traces" / Chat.default_trace


@pytest.mark.parametrize(
    "scenario", ["two_requests", *(pytest.param(name, marks=pytest.mark.slow) for name in ("shared_prefix", "crowded"))]
)
def test_any_trace_with_texts(word_scenario, scenario):
    """One request, many, preempted ones, with pieces that no font holds."""
    assert_clean(Chat, word_scenario(scenario))


def test_trace_without_texts():
    with pytest.raises(DoesNotApply) as reason:
        Chat.tell(Trace.open(ASSETS / "traces" / "promo.jsonl.gz"))
    assert "\n" not in str(reason.value)


def test_too_few_words_to_look_at(word_scenario):
    with pytest.raises(DoesNotApply, match="tokens in the cache at once, and this trace has 9$"):
        Chat.tell(Trace.open(word_scenario("one_page")))


class Last(Observer):
    """What is read from the last picture in which answers stand whole."""

    def section_ended(self, scene, section):
        self.shown = self.shown if section.key == "comes-to" else scene.stage.read()


def test_every_answer_is_seen_whole():
    trace, last = Trace.open(OWN), Last()
    rehearse(Chat, OWN, observers=(last,))
    tasks = trace.state_at(len(trace) - 1).tasks.values()
    answers = {task.name: " ".join(plain(task.texts[task.prompt_len :]).split()) for task in tasks}
    assert len(answers) == 3
    assert last.shown["talk.said"] == answers


def test_sharing_is_paid_off_where_it_is_told():
    sections = [section.key for section in Chat.tell(Trace.open(OWN)).sections]
    assert sections == ["hook", "asks-0", "words-1", "asks-1", "cost", "words-2", "asks-2", "rest", "comes-to"]
    told = " ".join(b.caption or "" for s in Chat.tell(Trace.open(OWN)).sections for b in s.beats)
    assert "The first 48 equal Ada's: they are there, in pages 0–2. Only the other 12 are computed." in told
