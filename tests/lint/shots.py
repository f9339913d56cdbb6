"""Films in shots whose pictures a test draws itself, to be judged by single rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from scenes.draw.atoms import Block
from scenes.draw.layout import Box
from scenes.film.moments import within
from scenes.film.quality import PREVIEW
from scenes.film.rehearsal import rehearse
from scenes.film.scene import ASSETS, FilmScene
from scenes.lint.linter import Finding, Linter
from scenes.parts.part import Part, Room
from scenes.stage.shot import Act, Section, Shot, Storyboard

STAGE = Box(96, 112, 1728, 768)
"""Where a single `Drawn` stands in a wide frame."""


TRACE = ASSETS / "traces" / "promo.jsonl.gz"


@dataclass(frozen=True)
class Drawn(Part):
    """Draws the `atoms` that it is given, pairs of key and atom, wherever they are."""

    atoms: tuple = field(default=())
    place: ClassVar[str] = "over"

    def room(self, view, width):
        return Room(100, 700, grows=True)

    def draw(self, view, box):
        yield from self.atoms


class ShotFilm(FilmScene):
    """A film whose storyboard a test gives."""

    default_trace = TRACE.name


def block(x, y=400, w=300, h=200, **look):
    """A box as a shot's subject may be."""
    return Block(box=Box(x, y, w, h), fill="#37A5FB", **look)


def act(*atoms, seconds=None, name="", lit=True):
    """An act in which one `Drawn` shows `atoms`."""
    return Act(-1, (Drawn(tuple(atoms), name=name, lit=lit),), seconds)


def shot(caption, *acts, subject=("drawn",), **options):
    return Shot(-1, caption, acts=acts, subject=subject, **options)


def section(*shots, key="one", **options):
    return Section(key, key.title(), -1, shots, **options)


def findings(rule, *sections, quality=PREVIEW) -> list[Finding]:
    """What `rule` finds in a film of `sections`, looking into its animations too."""
    linter = Linter([rule])
    board = Storyboard("ShotFilm", sections)
    rehearse(ShotFilm, TRACE, observers=(linter,), storyboard=board, moments=within, quality=quality)
    return linter.finish()
