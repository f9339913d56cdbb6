"""What happened in a run, for storyboards: read once, kept in arrays, every event by its number."""

from scenes.story.history.firsts import First, firsts
from scenes.story.history.history import History, history_of
from scenes.story.history.pages import Keyed, LetGo, Pages
from scenes.story.history.prompts import FirstToken, Missed, Prompt, comparable, first_missed, first_tokens, prompts
from scenes.story.history.requests import Request, Requests, TokenTable
from scenes.story.history.slots import Slots
from scenes.story.history.steps import PHASES, Steps

__all__ = [
    "PHASES",
    "First",
    "FirstToken",
    "History",
    "Keyed",
    "LetGo",
    "Missed",
    "Pages",
    "Prompt",
    "Request",
    "Requests",
    "Slots",
    "Steps",
    "TokenTable",
    "comparable",
    "first_missed",
    "first_tokens",
    "firsts",
    "history_of",
    "prompts",
]
