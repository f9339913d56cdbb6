"""The film `Chat`: questions and answers in words, and the slots that hold their K and V."""

from __future__ import annotations

from astrai_sim.trace import Trace
from scenes.film.scene import FilmScene
from scenes.story import chat
from scenes.story.beats import Storyboard


class Chat(FilmScene):
    """People ask a language model under one system prompt; each word is seen in its slot."""

    default_trace = "chat.jsonl.gz"
    summary = "Questions, answers, and where the K and V of every word live."

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        return chat.tell(trace)
