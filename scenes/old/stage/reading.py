"""Keeps a caption on screen until it can have been read."""

from __future__ import annotations

from manim import Scene

from scenes.old.mobjects.caption import Caption
from scenes.story.limits import reading_time

STILL = 3.2


class TimedScene(Scene):
    """A scene with a `clock` in film seconds, which plays to the end at once where it is `rehearsing`."""

    clock: float
    rehearsing: bool

    def hold(self, seconds: float) -> None:
        """Let the picture stand still."""
        raise NotImplementedError


class Reader:
    """Knows since when the caption stands and how long it still must."""

    def __init__(self, scene: TimedScene, caption: Caption) -> None:
        self.scene = scene
        self.caption = caption
        self.since = 0.0

    def started(self) -> None:
        """The caption that was animated in is complete now."""
        self.since = self.scene.clock

    def missing(self) -> float:
        """Seconds that the caption must still stand."""
        if not self.caption.text:
            return 0.0
        return max(0.0, reading_time(self.caption.text) - (self.scene.clock - self.since))
