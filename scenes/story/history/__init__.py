"""What happened in a run, for storyboards: read once, kept in arrays, every event by its number."""

from scenes.story.history.history import History, history_of
from scenes.story.history.pages import Keyed, LetGo, Pages
from scenes.story.history.requests import Request, Requests, Tokens
from scenes.story.history.slots import Slots
from scenes.story.history.steps import PHASES, Steps

__all__ = [
    "PHASES",
    "History",
    "Keyed",
    "LetGo",
    "Pages",
    "Request",
    "Requests",
    "Slots",
    "Steps",
    "Tokens",
    "history_of",
]
