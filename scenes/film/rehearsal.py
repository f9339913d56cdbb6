"""Playing a film without drawing it: its sections, their lengths, and the code they ran."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType

from astrai_sim.trace import Trace
from scenes.film.moments import Moments, nowhere
from scenes.film.quality import PREVIEW, Quality
from scenes.film.scene import FilmScene, Observer
from scenes.film.settings import rehearsing
from scenes.story.beats import Section, Storyboard

PACKAGES = ("scenes", "astrai_sim")


@dataclass(frozen=True)
class Rehearsed:
    """A section as it was played.

    `seconds` is its length; `sources` are the project's files whose code it ran
    or whose constants that code read (empty unless asked for).
    """

    section: Section
    seconds: float
    sources: frozenset[Path]


@dataclass(frozen=True)
class Rehearsal:
    """A film played without drawing."""

    scene: FilmScene
    sections: tuple[Rehearsed, ...]

    @property
    def seconds(self) -> float:
        """Length of the film."""
        return sum(section.seconds for section in self.sections)


def rehearse(
    film: type[FilmScene],
    trace: str | Path | Trace | None = None,
    observers: Sequence[Observer] = (),
    only: Collection[str] | None = None,
    note_sources: bool = False,
    storyboard: Storyboard | None = None,
    moments: Moments = nowhere,
    quality: Quality = PREVIEW,
) -> Rehearsal:
    """Play `film` for `trace` (default: the film's own) to its end without drawing.

    `storyboard` is what to play; default: what the film makes of the trace. At the
    `moments` of its animations the film stops and calls the observers' `moment`; what they draw there with the
    scene's camera has the size of `quality`.

    Raises whatever opening the trace and telling it raise: `TraceError` for a
    file that is no trace, `DoesNotApply` where the film has nothing to tell.
    """
    with rehearsing(quality):
        scene = film(trace=trace, only=only, observers=observers, rehearse=True, storyboard=storyboard, moments=moments)
        watch = _Watch(scene, note_sources)
        scene.play_section = watch.play_section
        scene.setup()
        scene.construct()
    return Rehearsal(scene, tuple(watch.sections))


class _Watch:
    """Stands in for a scene's `play_section`, timing each and noting the code it runs."""

    def __init__(self, scene: FilmScene, note_sources: bool) -> None:
        self.scene = scene
        self.note_sources = note_sources
        self.sections: list[Rehearsed] = []
        self._play = scene.play_section

    def play_section(self, section: Section) -> None:
        began = self.scene.clock
        codes = _codes_run(self._play, section) if self.note_sources else set()
        if not self.note_sources:
            self._play(section)
        self.sections.append(Rehearsed(section, self.scene.clock - began, _sources(codes)))


def _codes_run(play: Callable[[Section], None], section: Section) -> set[CodeType]:
    """Code objects that Python enters while `section` is played."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            seen.add(frame.f_code)

    previous = sys.getprofile()
    sys.setprofile(note)
    try:
        play(section)
    finally:
        sys.setprofile(previous)
    return seen


def _sources(codes: set[CodeType]) -> frozenset[Path]:
    """Files of the project's modules that `codes` come from or take constants and bases from."""
    modules = {
        module.__file__: module
        for name, module in list(sys.modules.items())
        if name.partition(".")[0] in PACKAGES and getattr(module, "__file__", None)
    }
    found: set[str] = set()
    for code in codes:
        module = modules.get(code.co_filename)
        if module is not None and module.__name__ != __name__:
            found.add(code.co_filename)
            found |= _read_by(code, module, modules)
    for name in tuple(found):
        found |= _bases_of(modules[name])
    return frozenset(Path(name) for name in found)


def _read_by(code: CodeType, module: ModuleType, modules: dict[str, ModuleType]) -> set[str]:
    """Files of modules whose constants `code` reads: as `module.NAME`, or imported by name.

    Classes and functions are left out: what runs of them is noted when it runs.
    """
    files: set[str] = set()
    for name in code.co_names:
        value = vars(module).get(name)
        if isinstance(value, ModuleType):
            files |= {value.__file__} & modules.keys() if hasattr(value, "__file__") else set()
        elif value is not None and not isinstance(value, type | FunctionType):
            files |= {file for file, other in modules.items() if vars(other).get(name) is value}
    return files


def _bases_of(module: ModuleType) -> set[str]:
    """Files of the project's classes that `module`'s classes inherit from."""
    return {
        sys.modules[base.__module__].__file__
        for value in vars(module).values()
        if isinstance(value, type) and value.__module__ == module.__name__
        for base in value.__mro__
        if base.__module__.partition(".")[0] in PACKAGES
    }
