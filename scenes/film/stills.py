"""Chosen moments of a film, drawn straight from the scene: nothing is encoded."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.film.moments import Moments, every, nowhere
from scenes.film.quality import PREVIEW, Quality
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.film.sheet import Snapshot
from scenes.stage.shot import Section, Shot

CLOSE = 1e-6


class NoStill(ValueError):
    """The stills asked for cannot be drawn; the message says why."""


@dataclass(frozen=True)
class Chosen:
    """Film seconds `at` in rising order, `within` the film or all, every `step` seconds, or the ends of all beats."""

    at: tuple[float, ...] = ()
    step: float | None = None
    beats: bool = False
    within: bool = False

    @property
    def moments(self) -> Moments:
        """Where a rehearsal stops; a time between two animations is the start of the second."""
        if self.step is not None:
            return every(self.step)
        return (lambda began, ended: [t for t in self.at if began <= t < ended]) if self.at else nowhere


@dataclass(frozen=True)
class Still(Snapshot):
    """A picture at a time of a film and the key of its section; `place` counts the stills of the section from 0."""

    section: str
    place: int

    @property
    def digest(self) -> str:
        """BLAKE2b, 6 bytes, of the pixels (RGBA, row by row)."""
        pixels = np.asarray(self.image)
        return hashlib.blake2b(pixels.tobytes(), digest_size=6).hexdigest()


def draw_stills(
    film: type[FilmScene],
    chosen: Chosen,
    take: Callable[[Still], None],
    trace: Path | None = None,
    seconds: float | None = None,
    quality: Quality = PREVIEW,
) -> None:
    """Play `film` for `trace` (default: its own) without encoding and hand every chosen still to `take`.

    `seconds` is the film's length; default: what it takes. Raises `NoStill` for a time past
    the film's end, before anything is drawn.
    """
    first = rehearse(film, trace, seconds=seconds, quality=quality)
    length, storyboard = first.seconds, first.scene.storyboard
    late = [time for time in chosen.at if time > length + CLOSE]
    if late and not chosen.within:
        raise NoStill(f"{film.__name__} ends after {length:.2f} s: there is no still at {late[0]:g} s")
    sampler = _Sampler(chosen.beats, take)
    rehearsal = rehearse(
        film, first.scene.trace, observers=(sampler,), storyboard=storyboard, moments=chosen.moments, quality=quality
    )
    if any(abs(time - length) <= CLOSE for time in chosen.at):
        sampler.shoot(rehearsal.scene, length)


class _Sampler(Observer):
    def __init__(self, beats: bool, take: Callable[[Still], None]) -> None:
        self.beats = beats
        self.take = take
        self._last = -1.0
        self._places: dict[str, int] = {}

    def moment(self, scene: FilmScene, time: float) -> None:
        self.shoot(scene, time)

    def beat_ended(self, scene: FilmScene, section: Section, beat: Shot) -> None:
        if self.beats:
            self.shoot(scene, scene.clock)

    def shoot(self, scene: FilmScene, time: float) -> None:
        """Draw what stands on the scene, once for each time."""
        if time <= self._last:
            return
        self._last = time
        section = scene.section
        place = self._places.get(section.key, 0)
        self._places[section.key] = place + 1
        camera = scene.renderer.camera
        camera.reset()
        camera.capture_mobjects(scene.mobjects)
        self.take(Still(time, section.title, Image.fromarray(camera.pixel_array.copy()), section.key, place))


def file_name(time: float) -> str:
    """The name of the still at `time` film seconds."""
    return f"{time:08.3f}.png"
