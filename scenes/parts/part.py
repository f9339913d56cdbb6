"""A part of the picture: one module says what it looks like for a moment of a run, and what it reads back.

A part is a value. Its fields say what of the run it shows; two parts with the same `key` are the
same thing at different moments, and whatever differs between them moves. Nothing lists the parts:
a film imports those that it shows, and each has its voucher in `scenes.truth`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Self

import numpy as np

from astrai_sim.trace import State, Trace
from scenes.draw.atoms import Atom, Block, Cells, Grid, Key, Line, Move, Picture, Text, rgba
from scenes.draw.layout import WIDE, Box, Frame
from scenes.story.history import History, history_of
from scenes.story.measures import Ask
from scenes.theme import DARK, Theme, mix

Atoms = Iterator[tuple[Key, Atom]]
Shown = Mapping[Key, Any]
"""The mobjects of a part, by the keys of their atoms in the picture: the part's first."""
Read = dict[str, Any]
"""What a part shows that is no text, read back from its mobjects, by field (see `scenes.truth`)."""

Look = dict[str, Any]
"""How an atom looks, as keywords of its kind."""

DIMMED = 0.35
"""How much is left of fills and strokes of a part that is not lit."""
FAINTEST = 0.25
"""How far the first page of a request is from its full hue towards the panel."""
FLAT = 5
"""Pages from which on all have the full hue."""


@dataclass(frozen=True)
class View:
    """A moment of `trace` as it is shown: the replayed `state`, in a `frame` and a `theme`.

    `known` is what lines of a function that runs have changed ahead of the events that tell of it:
    `mask`, `refs` and `lru`. `beyond` counts steps after the recording's last event: what is computed of
    them is shown, each as if it were an event of its own. `lapse` says, within a time-lapse, from
    after which event to which it runs, and in how many seconds.
    """

    trace: Trace
    state: State
    frame: Frame = WIDE
    theme: Theme = DARK
    known: Mapping[str, Any] = field(default_factory=dict)
    beyond: int = 0
    lapse: tuple[int, int, float] | None = None

    def at(self, seq: int, known: Mapping[str, Any] | None = None) -> Self:
        """The moment after event `seq` of the same film, or so many steps beyond the last one."""
        last = len(self.trace) - 1
        state = self.trace.state_at(min(seq, last))
        return replace(self, state=state, known=known or {}, beyond=max(0, seq - last), lapse=None)

    @property
    def seq(self) -> int:
        """The event that is shown last, as `at` counts them."""
        return self.state.seq + self.beyond

    @cached_property
    def ask(self) -> Ask:
        """Measures of the run."""
        return ask_of(self.trace)

    @cached_property
    def history(self) -> History:
        """What happened in the run."""
        return history_of(self.trace)

    @property
    def n_pages(self) -> int:
        """Pages of the pool."""
        return self.state.n_pages

    @property
    def page_size(self) -> int:
        """Slots of a page."""
        return self.state.page_size

    @property
    def mask(self) -> int:
        """The free mask."""
        return int(self.known.get("mask", self.state.mask))

    @property
    def refs(self) -> list[int]:
        """The refcount of every page."""
        return list(map(int, self.known.get("refs", self.state.refs)))

    @property
    def lru(self) -> list[int]:
        """Cached pages, the least recently used first."""
        return list(self.known.get("lru", self.state.lru))

    def hue(self, task: str) -> str:
        """The colour of a request."""
        return self.theme.hue(self.history.requests[task].index)

    def shade(self, task: int, logical: np.ndarray | int) -> np.ndarray:
        """The colour, as rgba, of slots that the `task`-th request computed for pages `logical`:
        the first page fainter, the last of its run in full hue."""
        hue, panel = rgba(self.theme.hue(task)), rgba(self.theme.panel)
        pages = self.final_pages[task]
        place = np.minimum(np.asarray(logical, dtype=float), pages - 1)
        faint = FAINTEST * (1 - place / max(1, pages - 1)) if 1 < pages <= FLAT else np.zeros_like(place)
        return hue + (panel - hue) * np.asarray(faint)[..., None]

    @property
    def final_pages(self) -> list[int]:
        """Pages that each request needs for all tokens that it ever has, by index."""
        return self.history.final_pages

    def ink(self) -> tuple[np.ndarray, np.ndarray]:
        """Who computed each slot and for which page of its table; see `Ink.at`."""
        return self.history.ink.at(self.state.seq)

    def holders(self, page: int) -> list[str]:
        """Requests whose tables name `page`, in order of submission."""
        found = (task for task, pages in self.state.tables.items() if page in pages)
        return sorted(found, key=lambda task: self.state.tasks[task].index)

    def mixed(self, color: str, share: float) -> str:
        """`color` drawn so far towards the ground."""
        return mix(color, self.theme.ground, share)


@lru_cache(maxsize=4)
def ask_of(trace: Trace) -> Ask:
    """The measures of a trace, made once; those of a film told from several are kept."""
    return Ask(trace)


@dataclass(frozen=True)
class Room:
    """The heights, in design pixels, at which a part in a column of a width is still right and at its best. It `grows`
    beyond the best one or not. Up to `good` it comes before what others have beyond their least."""

    least: float
    best: float
    grows: bool = False
    good: float = 0.0


@dataclass(frozen=True)
class Part:
    """Base of all parts.

    `place` is where it likes to stand: "stage" (below one another in the order given), "side" (beside those, above them
    in an upright frame), "top", "words", "header", "corner" or "over" (the whole stage); `needs` is the room that it
    asks for there, whatever it shows. With `lit` False it steps back. `name` tells apart two of one kind.
    """

    place: ClassVar[str] = "stage"
    needs: ClassVar[Room] = Room(120, 320, grows=True)

    lit: bool = field(default=True, kw_only=True)
    name: str = field(default="", kw_only=True)

    @property
    def key(self) -> str:
        """What the part is called: its class, or its `name`."""
        return self.name or type(self).__name__.lower()

    def room(self, view: View, width: float) -> Room:
        """What it asks for in a column of `width` design pixels."""
        return self.needs

    def draw(self, view: View, box: Box) -> Atoms:
        """Its atoms in `box`, keyed within the part, in drawing order; none of a part that only links others."""
        yield from ()

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """Atoms that stand between other parts, whose atoms are in `picture`; keyed as in `draw`."""
        yield from ()

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """What flies when the picture `before`, of the moment `then`, becomes `after`, of `now`;
        keys are as in `pictured`: the part's first."""
        yield from ()

    def read(self, shown: Shown) -> Read:
        """What it shows that is no text."""
        return {}

    def during(self, share: float) -> Self:
        """The same part while `share`, from 0 to 1, of the stretch of time that it runs through is over."""
        return self

    def unlit(self) -> Self:
        """The same part, stepped back."""
        return replace(self, lit=False)

    def pictured(self, view: View, box: Box) -> Atoms:
        """Its atoms, keys led by the part's, dimmed where it is not lit."""
        for key, atom in self.draw(view, box):
            yield (self.key, *key), atom if self.lit else dimmed(atom, view)


def dimmed(atom: Atom, view: View) -> Atom:
    """An atom of a part that has stepped back: text in muted, the rest down to `DIMMED`."""
    ground, back = view.theme.ground, rgba(view.theme.ground)

    def faded(colors: np.ndarray) -> np.ndarray:
        return back + (colors - back) * (DIMMED, DIMMED, DIMMED, 1)

    match atom:
        case Atom(keeps=True):
            return atom
        case Text():
            on_color = atom.ground not in (None, ground, view.theme.panel)
            return atom if on_color else replace(atom, color=view.theme.muted)
        case Block():
            fill, stroke = (color and mix(color, ground, 1 - DIMMED) for color in (atom.fill, atom.stroke))
            return replace(atom, fill=fill, stroke=stroke)
        case Line():
            return replace(atom, color=mix(atom.color, ground, 1 - DIMMED))
        case Cells():
            return replace(atom, fills=faded(atom.fills), lines=None if atom.lines is None else faded(atom.lines))
        case Grid():
            return replace(atom, fills=faded(atom.fills))
    return atom
