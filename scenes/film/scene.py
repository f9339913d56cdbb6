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
from scenes.draw.animation import Extent, FilmAnimation, bounds
from scenes.draw.camera import FilmCamera
from scenes.film.moments import Moments, nowhere
from scenes.film.opening import for_the_screen, other_trace
from scenes.film.pacing import CannotPace, pace
from scenes.film.quality import FINAL, PREVIEW, Quality, rehearsing
from scenes.parts.view import View
from scenes.stage.shot import Section, Shot, Storyboard, linked
from scenes.stage.stage import Stage
from scenes.stage.telling import Telling
from scenes.story.errors import DoesNotApply

TRACE_VARIABLE = "ASTRAI_TRACE"
SECONDS_VARIABLE = "ASTRAI_SECONDS"
ALWAYS_PASSED = (0.6, 1.0)
"""Shares of an animation that every rehearsal passes through, as a rendering does: animations
that share a mobject show what they make of each other."""


class Observer(Protocol):
    """Watches a film being played, rendered or rehearsed; all times are film seconds.

    A subclass overrides what it wants to be told.
    """

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
    """A section that was played, and the seconds of each of its beats and of what comes after the last."""

    section: Section
    beats: tuple[float, ...]
    settling: float

    @property
    def seconds(self) -> float:
        """Length of the section."""
        return sum(self.beats) + self.settling


class FilmScene(Scene):
    """Base of all films. A subclass says which storyboard turns a trace into beats.

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
        Play without drawing a frame: every animation jumps to its end by way of the
        shares `ALWAYS_PASSED`. This is how lint and the shown-equals-recorded check see
        a whole film in seconds.
    moments
        At which moments in the middle of animations a rehearsal stops on its way and
        tells the observers; default: none.
    storyboard
        What to play; default: what `tell` makes of the trace.
    seconds
        How long that is to be, to within a tenth; default: what the environment variable
        ``ASTRAI_SECONDS`` says, or as long as it is.
    quality
        Says in which frame and theme; Manim's settings must be those of `scenes.film.quality`.
    """

    default_trace: ClassVar[str]
    summary: ClassVar[str] = ""
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
        super().__init__(camera_class=FilmCamera, **kwargs)
        self.opened = for_the_screen(trace) if isinstance(trace, Trace) else None
        self.trace_path = Path(trace.path) if isinstance(trace, Trace) else self.trace_for(trace)
        self.frame, self.theme = quality.frame, quality.theme
        self.given = storyboard
        self.wanted = seconds
        self.only = set(only) if only is not None else None
        self.observers = tuple(observers)
        self.rehearsing = rehearse
        self.moments = moments
        self.clock = 0.0
        self.played: list[Played] = []
        self.preview_frames = 0

    @classmethod
    def trace_for(cls, path: str | os.PathLike | None = None) -> Path:
        """The trace file to tell: `path`, the environment's, or the film's own."""
        return Path(path or os.environ.get(TRACE_VARIABLE) or ASSETS / "traces" / cls.default_trace)

    @classmethod
    def tell(cls, trace: Trace) -> Storyboard:
        """The storyboard of this film for `trace`: its `chapters`.

        Raises `scenes.story.errors.DoesNotApply` with a one-line reason
        where the trace has nothing that this film is about.
        """
        return cls.chapters(cls.__name__, trace).storyboard()

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
                self.play_section(section)

    def _told(self) -> Storyboard:
        wanted = self.wanted if self.wanted is not None else seconds_of(os.environ.get(SECONDS_VARIABLE))
        whole = self.tell(self.trace)
        return whole if wanted is None else pace(whole, wanted, self._measure)

    def _measure(self, storyboard: Storyboard) -> tuple[float, list[float]]:
        """The length is between that at the finest rate of frames and a preview's, whose frames are the longest."""
        quality = PREVIEW.shaped(self.frame, self.theme)
        scene = self.rehearsed(self.trace, quality, storyboard=storyboard)
        return (scene.clock + scene.preview_frames / PREVIEW.fps) / 2, [
            seconds for played in scene.played for seconds in played.beats
        ]

    @classmethod
    def rehearsed(cls, trace: Trace, quality: Quality = PREVIEW, **options: Any) -> Self:
        """The film played for `trace` to its end without drawing; `options` are those of the class."""
        with rehearsing(quality):
            scene = cls(trace, rehearse=True, quality=quality, **options)
            scene.setup()
            scene.construct()
        return scene

    def play_section(self, section: Section) -> None:
        """Build the stage from the replayed state at the section's start, then play its beats."""
        self.section = section
        if not self.rehearsing:
            self.next_section(section.title)
        self.clear()
        self.stage = self._stage(section)
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
        self.played.append(Played(section, spent, self.clock - times[-1]))
        for observer in self.observers:
            observer.section_ended(self, section)

    def _stage(self, section: Section) -> Stage:
        """The stage that a section is played on, of the trace that it is told from."""
        trace = self.trace if section.source is None else self.other(section.source)
        return Stage(self, View(trace, trace.state_at(-1), self.frame, self.theme), section)

    def other(self, name: str) -> Trace:
        """The shipped trace called `name`, for sections that are told from another."""
        return other_trace(name)

    def play(self, *animations: Any, **kwargs: Any) -> None:
        began = self.clock
        ended = began + max(animation.run_time for animation in animations)
        moved = not all(isinstance(animation, Wait) for animation in animations)
        if self.rehearsing:
            self._rehearse(animations, ended)
        else:
            super().play(*animations, **kwargs)
        self.clock = ended
        frames = (ended - began) * PREVIEW.fps
        self.preview_frames += math.ceil(frames - 1e-6) if moved else math.floor(frames + 1e-6)
        for observer in self.observers:
            observer.animation_ended(self, began, moved)

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
        for time in sorted({*asked, *(began + share * (ended - began) for share in ALWAYS_PASSED)}):
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
        """All of the scene, found anew for each frame, while an animation changes what there is."""
        if any(getattr(animation, "whole", False) for animation in animations):
            return list(self.mobjects), []
        return super().get_moving_and_static_mobjects(animations)

    def get_moving_mobjects(self, *animations: Animation) -> list[Mobject]:
        """The animated mobjects and those drawn over any place they cover.

        Manim takes everything after the first animated mobject as moving; film
        animations know where they happen, so the rest stays in the still image.
        """
        film = [animation for animation in animations if isinstance(animation, FilmAnimation)]
        if len(film) < len(animations):
            return super().get_moving_mobjects(*animations)
        animated: set[Mobject] = set()
        extents: dict[Mobject, list[Extent]] = {}
        for animation in film:
            animated.update(animation.mobject.get_family())
            extents[animation.mobject] = animation.extents()
        reached: list[Extent] = []
        for boxes in extents.values():
            reached += boxes
        moving = []
        for mobject in self.renderer.camera.get_mobjects_to_display(self.mobjects):
            if mobject in animated:
                moving.append(mobject)
                continue
            if not moving:
                continue
            box = bounds_of_one(mobject)
            if box and any(_overlap(box, other) for other in reached):
                moving.append(mobject)
                reached.append(box)
        return moving


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


def bounds_of_one(mobject: Mobject) -> Extent | None:
    """Bounds of the mobject's own points, without its submobjects."""
    if not len(mobject.points):
        return None
    points = np.asarray(mobject.points)[:, :2]
    low, high = points.min(axis=0), points.max(axis=0)
    return low[0], low[1], high[0], high[1]


def _overlap(a: Extent, b: Extent) -> bool:
    margin = 0.03
    return a[0] < b[2] + margin and b[0] < a[2] + margin and a[1] < b[3] + margin and b[1] < a[3] + margin


__all__ = ["ASSETS", "SECONDS_VARIABLE", "TRACE_VARIABLE", "FilmScene", "Observer", "bounds", "bounds_of_one"]
