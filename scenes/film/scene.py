"""The scene that every film is: it plays a storyboard's sections on a stage."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from manim import Animation, Mobject, Scene, Wait, logger

from astrai_sim.shipped import ASSETS
from astrai_sim.trace import Trace, TraceError
from scenes.draw.animation import FilmAnimation
from scenes.film.moments import Moments, nowhere
from scenes.film.opening import for_the_screen, other_trace
from scenes.film.pacing import CannotPace, pace
from scenes.film.quality import FINAL, PREVIEW, Quality, rehearsing
from scenes.film.renderer import FilmRenderer
from scenes.film.vouched import as_far_as_it_holds, beside
from scenes.parts.part import View
from scenes.stage.shot import Section, Shot, Storyboard, linked
from scenes.stage.stage import Stage
from scenes.stage.telling import Telling
from scenes.story.errors import DoesNotApply

TRACE_VARIABLE = "ASTRAI_TRACE"
SECONDS_VARIABLE = "ASTRAI_SECONDS"
EXACT = 9
"""Decimals of a second in which frames are drawn."""
ALWAYS_PASSED = 0.6
"""The share of an animation that every rehearsal that is watched passes through, as a rendering does, before its end:
animations that share a mobject show what they make of each other."""


class Observer(Protocol):
    """Watches a film being played or rehearsed, in film seconds; a subclass overrides what it wants to be told."""

    def section_started(self, scene: FilmScene, section: Section) -> None:
        """The stage shows the section's first picture."""

    def moment(self, scene: FilmScene, time: float) -> None:
        """`scene` stands at `time`, its `clock`, within an animation or a wait.

        Its mobjects are what a rendering would draw at that time, `scene.animations` is being played, and the state of
        the stage is already the one that this leads to. Rehearsals only, at the moments that were asked of `rehearse`.
        Whoever draws or reads the mobjects must leave them as they are.
        """

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        """A play or wait that `began` then is over; `moved` is False for a still wait."""

    def beat_ended(self, scene: FilmScene, section: Section, beat: Shot) -> None:
        """The stage shows what the beat leads to."""

    def section_ended(self, scene: FilmScene, section: Section) -> None:
        """The section's last picture has been shown."""


@dataclass(frozen=True)
class Played:
    """A section that was played, and the seconds of each of its beats and of all of it."""

    section: Section
    beats: tuple[float, ...]
    seconds: float


class FilmScene(Scene):
    """Base of all films. A subclass says which storyboard turns a trace into beats, and in its docstring what it shows.

    Parameters
    ----------
    trace
        The trace or its path; default: the file named by the environment variable
        ``ASTRAI_TRACE``, else the film's own under ``assets/traces``.
    only
        Keys of the sections to play; default all of them.
    observers
        Told of every section, animation and beat.
    rehearse
        Play without drawing a frame, as lint and check do: every animation jumps to its end by way of `ALWAYS_PASSED`;
        without observers there is nothing that could be drawn, only how long all of it takes.
    moments
        At which moments within animations a rehearsal stops and tells the observers; default: none.
    storyboard
        What to play; default: what `tell` makes of the trace.
    seconds
        How long that is to be, to within a tenth; default: what the environment variable
        ``ASTRAI_SECONDS`` says, or as long as it is.
    quality
        Says in which frame and theme; Manim's settings must be those of `scenes.film.quality`.
    """

    default_trace: ClassVar[str]
    chapters: ClassVar[type[Telling]]
    section: Section
    renderer: Any

    def __init__(
        self,
        trace: str | os.PathLike | Trace | None = None,
        only: Collection[str] | None = None,
        observers: Sequence[Observer] = (),
        rehearse: bool = False,
        storyboard: Storyboard | None = None,
        moments: Moments = nowhere,
        seconds: float | None = None,
        quality: Quality = FINAL,
        **kwargs: Any,
    ) -> None:
        super().__init__(renderer=FilmRenderer(kwargs.get("skip_animations", False)), **kwargs)
        self.opened = for_the_screen(trace) if isinstance(trace, Trace) else None
        self.trace_path = Path(trace.path) if isinstance(trace, Trace) else self.trace_for(trace)
        self.frame, self.theme = quality.frame, quality.theme
        self.given = storyboard
        self.wanted = seconds
        self.only = set(only) if only is not None else None
        self.observers = tuple(observers)
        self.rehearsing = rehearse
        self.moments = moments
        self.seen = not rehearse or bool(self.observers)
        self.clock = self.section_began = 0.0
        self.played: list[Played] = []

    @classmethod
    def trace_for(cls, path: str | os.PathLike | None = None) -> Path:
        """The trace file to tell: `path`, the environment's, or the film's own."""
        return Path(path or os.environ.get(TRACE_VARIABLE) or ASSETS / "traces" / cls.default_trace)

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        """The storyboard of this film. Raises DoesNotApply, with the reason, where `trace` has nothing of it."""
        with as_far_as_it_holds(cls.__name__, trace):
            return cls.telling(trace)(cls.__name__, trace).storyboard()

    @classmethod
    def telling(cls, trace: Trace) -> type[Telling]:
        """What tells it of this trace: its `chapters`."""
        return cls.chapters

    @classmethod
    def why_not(cls, trace: Trace) -> str | None:
        """Why this film has nothing to tell of `trace`, or None."""
        try:
            cls.tell(trace)
        except DoesNotApply as reason:
            return str(reason)
        return None

    def render(self, preview: bool = False) -> bool:
        """Render the film as plain `manim` does, and print where the file went.

        Manim's own word about it is below the verbosity that `manim.cfg` asks for.
        """
        again = super().render(preview)
        writer = self.renderer.file_writer
        if logger.getEffectiveLevel() == logging.WARNING and getattr(writer, "final_file_path", None):
            print(writer.final_file_path)
        return again

    def construct(self) -> None:
        try:
            self.trace: Trace = for_the_screen(Trace.open(self.trace_path)) if self.opened is None else self.opened
            told = self.given or self._told()
        except (TraceError, DoesNotApply, CannotPace) as error:
            if self.rehearsing:
                raise
            raise SystemExit(f"{type(self).__name__}: {error}") from None
        self.storyboard = Storyboard(told.film, linked(told.sections))
        for section in self.storyboard.sections:
            if self.only is None or section.key in self.only:
                with as_far_as_it_holds(type(self).__name__, self.trace):
                    self.play_section(section)

    def _told(self) -> Storyboard:
        wanted = self.wanted if self.wanted is not None else seconds_of(os.environ.get(SECONDS_VARIABLE))
        whole = self.tell(self.trace)
        return whole if wanted is None else pace(whole, wanted, self._measure)

    def _measure(self, storyboard: Storyboard) -> tuple[float, list[float]]:
        """Each section ends with a whole frame, which makes it longer by half of a preview's, give or take as much."""
        scene = self.rehearsed(self.trace, PREVIEW.shaped(self.frame, self.theme), storyboard=storyboard)
        spent = [seconds for played in scene.played for seconds in played.beats]
        return scene.clock + len(scene.played) / PREVIEW.fps / 2, spent

    @classmethod
    def rehearsed(cls, trace: Trace, quality: Quality = PREVIEW, **options: Any) -> Self:
        """The film played for `trace` to its end without drawing; `options` are those of the class."""
        with rehearsing(quality), beside():
            scene = cls(trace, rehearse=True, quality=quality, **options)
            scene.setup()
            scene.construct()
        return scene

    def play_section(self, section: Section) -> None:
        """Build the stage from the replayed state at the section's start, then play its beats."""
        self.section, self.section_began = section, self.clock
        if not self.rehearsing:
            self.next_section(section.title)
        self.clear()
        trace = self.trace if section.source is None else other_trace(section.source)
        self.stage = Stage(self, View(trace, trace.state_at(-1), self.frame, self.theme), section, self.seen)
        self.stage.mount()
        for observer in self.observers:
            observer.section_started(self, section)
        times = [self.clock]
        for beat in section.beats:
            self.stage.play(beat)
            times.append(self.clock)
            for observer in self.observers:
                observer.beat_ended(self, section, beat)
        self.stage.settle()
        spent = tuple(ended - began for began, ended in pairwise(times))
        self.played.append(Played(section, spent, self.clock - self.section_began))
        for observer in self.observers:
            observer.section_ended(self, section)

    def play(self, *animations: Any, **kwargs: Any) -> None:
        began = self.clock
        ended = began + max(animation.run_time for animation in animations)
        moved = not all(isinstance(animation, Wait) for animation in animations)
        self._frames = () if self.rehearsing else self._frames_between(began, ended)
        if not self.seen:
            for animation in animations:
                if isinstance(animation, FilmAnimation):
                    animation.skip()
        elif not len(self._frames):
            self._rehearse(animations, ended)
        elif moved:
            super().play(*animations, **kwargs)
        else:
            super().play(Wait(run_time=(len(self._frames) + 0.5) / self.renderer.camera.frame_rate, frozen_frame=True))
        self.clock = ended
        for observer in self.observers:
            observer.animation_ended(self, began, moved)

    def _frames_between(self, began: float, ended: float) -> np.ndarray:
        """When frames are drawn in an animation, in seconds from its beginning.

        Frames lie on one grid for the whole section, so that it is at no rate of frames longer by one than it should
        be: Manim gives each animation a frame at its very beginning. They are rounded, so that a section alone has the
        pictures that it has in its film, whose clock does not begin at 0.
        """
        fps = self.renderer.camera.frame_rate
        first, end = (math.ceil((time - self.section_began) * fps - 1e-6) for time in (began, ended))
        times = np.arange(first, end) / fps - (began - self.section_began)
        return np.maximum(np.round(times, EXACT), 0.0)

    def get_time_progression(self, *args: Any, **kwargs: Any) -> Any:
        """Manim's bar over the times at which an animation is drawn: those of the section's grid."""
        bar = super().get_time_progression(*args, **kwargs)
        if not self.renderer.skip_animations:
            bar.iterable = self._frames
        return bar

    def hold(self, seconds: float) -> None:
        """Let the picture stand still."""
        if seconds > 1e-6:
            self.play(Wait(run_time=seconds, frozen_frame=True))

    def _rehearse(self, animations: Sequence[Animation], ended: float) -> None:
        """Take `animations` from the clock's time to `ended`, stopping on the way."""
        began = self.clock
        asked = {time for time in self.moments(began, ended) if began <= time <= ended}
        self.animations = list(animations)
        self.add_mobjects_from_animations(self.animations)
        for animation in animations:
            animation._setup_scene(self)
            animation.begin()
        for time in sorted({*asked, began + ALWAYS_PASSED * (ended - began)}):
            for animation in animations:
                animation.interpolate(min(1.0, (time - began) / animation.run_time))
            if time in asked:
                self.clock = time
                for observer in self.observers:
                    observer.moment(self, time)
        for animation in animations:
            animation.finish()
            animation.clean_up_from_scene(self)

    def get_moving_and_static_mobjects(self, animations: Iterable[Animation]) -> tuple[list[Mobject], list[Mobject]]:
        """All of it may move: what does is found when it is drawn (see `scenes.draw.screen`)."""
        return list(self.mobjects), []


def seconds_of(text: str | None) -> float | None:
    """The length that ``ASTRAI_SECONDS`` asks for; None where it is empty or not set.

    Ends the program with one line where that is no number of seconds, at least 1.
    """
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds < math.inf:
        raise SystemExit(f"{SECONDS_VARIABLE} is {text!r}: give a number of seconds, at least 1, or unset it")
    return seconds
