"""What happened in a run, for storyboards: read once, kept in arrays, every event by its number."""

from scenes.story.history.history import History, history_of
from scenes.story.history.prompts import Missed, first_missed

__all__ = ["History", "Missed", "first_missed", "history_of"]
