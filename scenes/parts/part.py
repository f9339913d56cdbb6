"""A part of the picture: one module says what it looks like for a moment, and what it reads back.

A part is a value. Its fields say what of the run it shows; two parts with the same `key` are the
same thing at different moments, and whatever differs between them moves. Nothing lists the parts:
a film imports those that it shows, and each has its voucher in `scenes.truth`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from scenes import theme
from scenes.draw.atoms import Atom, Block, Cells, Grid, Key, Line, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.parts.view import View
from scenes.theme import mix

DIMMED = 0.35
"""How much is left of fills and strokes of a part that is not lit."""

Atoms = Iterator[tuple[Key, Atom]]


@dataclass(frozen=True)
class Room:
    """The heights, in design pixels, at which a part in a column of a width is still right and at
    its best. It `grows` beyond the best one or not. Up to `good` it comes before what others have
    beyond their least."""

    least: float
    best: float
    grows: bool = False
    good: float = 0.0


@dataclass(frozen=True)
class Part:
    """Base of all parts.

    `place` is where it likes to stand: "stage" (below one another in the order given), "side"
    (beside those, above them in an upright frame), "top", "words", "header", "corner" or "over"
    (the whole stage). With `lit` False it steps back. `name` tells apart two of one kind. Parts with
    a `lane` stand side by side in the stage, the lowest at the left.
    """

    place: ClassVar[str] = "stage"

    lit: bool = field(default=True, kw_only=True)
    name: str = field(default="", kw_only=True)
    lane: int | None = field(default=None, kw_only=True)

    @property
    def key(self) -> str:
        """What the part is called: its class, or its `name`."""
        return self.name or type(self).__name__.lower()

    def room(self, view: View, width: float) -> Room:
        """What it asks for in a column of `width` design pixels."""
        return Room(120, 320, grows=True)

    def draw(self, view: View, box: Box) -> Atoms:
        """Its atoms in `box`, keyed within the part, in drawing order."""
        raise NotImplementedError

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """Atoms that stand between other parts, whose atoms are in `picture`; keyed as in `draw`."""
        yield from ()

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """What flies when the picture `before`, of the moment `then`, becomes `after`, of `now`;
        keys are as in `pictured`: the part's first."""
        yield from ()

    def read(self, shown: Mapping[Key, Any]) -> dict[str, Any]:
        """What it shows that is no text, read back from its mobjects, by field (see `scenes.truth`)."""
        return {}

    def during(self, share: float) -> Part:
        """The same part while `share`, from 0 to 1, of the stretch of time that it runs through is over."""
        return self

    def unlit(self) -> Part:
        """The same part, stepped back."""
        return replace(self, lit=False)

    def pictured(self, view: View, box: Box) -> Iterator[tuple[Key, Atom]]:
        """Its atoms, keys led by the part's, dimmed where it is not lit."""
        for key, atom in self.draw(view, box):
            yield (self.key, *key), atom if self.lit else dimmed(atom, view)


def dimmed(atom: Atom, view: View) -> Atom:
    """An atom of a part that has stepped back: text in muted, the rest down to `DIMMED`."""
    ground = view.theme.ground
    if atom.keeps:
        return atom
    if isinstance(atom, Text):
        return atom if atom.ground not in (None, ground, view.theme.panel) else replace(atom, color=view.theme.muted)
    if isinstance(atom, Block):
        colors = {name: getattr(atom, name) for name in ("fill", "stroke")}
        faded = {name: color and mix(color, ground, 1 - DIMMED) for name, color in colors.items()}
        return replace(atom, **faded)
    if isinstance(atom, Line):
        return replace(atom, color=mix(atom.color, ground, 1 - DIMMED))
    if isinstance(atom, (Cells, Grid)):
        back = theme.rgb(ground)
        fills = atom.fills.copy()
        fills[:, :3] = back + (fills[:, :3] - back) * DIMMED
        if isinstance(atom, Cells) and atom.lines is not None:
            lines = atom.lines.copy()
            lines[:, :3] = back + (lines[:, :3] - back) * DIMMED
            return replace(atom, fills=fills, lines=lines)
        return replace(atom, fills=fills)
    return atom
