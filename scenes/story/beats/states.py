"""The beat that explains the states of a page."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat


@dataclass(frozen=True)
class ShowStates(Beat):
    """Show in the panel what "in use", "cached" and "free" mean, with a count of each now."""
