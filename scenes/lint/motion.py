"""When a film told in shots moves, and when it stands still."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from manim import Wait

from scenes.draw import motion
from scenes.draw.atoms import Key, Text
from scenes.draw.canvas import Change
from scenes.draw.lapse import Lapse

Span = tuple[float, float]
SWAP = motion.APPEAR
"""Seconds that count as movement where one picture of a time-lapse replaces another."""
WORDS = ("caption", "badge")


def speaks(key: Key) -> bool:
    """Whether an atom is a sentence about the picture and no event in it."""
    return key[0] in WORDS or (key[0] == "header" and key[1] not in ("step", "phase"))


@dataclass
class Motion:
    """The film's movements so far: `spans`, (start, end) in film seconds, in order, apart."""

    spans: list[Span] = field(default_factory=list)

    def add(self, spans: Iterator[Span], until: float) -> None:
        """Take up movements of an animation that ends at `until`."""
        for start, end in sorted(spans):
            end = min(end, until)
            if self.spans and start <= self.spans[-1][1] + 1e-6:
                self.spans[-1] = self.spans[-1][0], max(self.spans[-1][1], end)
            elif end > start:
                self.spans.append((start, end))

    def seconds(self, start: float, end: float) -> float:
        """Seconds of movement between two times."""
        return sum(max(0.0, min(b, end) - max(a, start)) for a, b in self.spans)

    def stills(self, end: float) -> list[Span]:
        """The stretches without movement, from the film's start to `end`."""
        edges = [0.0, *(time for span in self.spans for time in span), end]
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a + 1e-6]


def spans_of(animation: Any, began: float) -> Iterator[Span]:
    """The movements, in film seconds, of an animation that `began` then.

    A sentence that changes is no movement; nor is what is left of a change when all is in its place.
    """
    if isinstance(animation, Wait):
        return
    if isinstance(animation, Lapse):
        last, times = animation.before, [0.0, *animation.times]
        for share, picture in zip(times, animation.pictures, strict=False):
            if any(not speaks(key) and last.get(key) != picture.get(key) for key in {*last, *picture}):
                at = began + share * animation.seconds
                yield at, at + SWAP
            last = picture
        return
    if not isinstance(animation, Change):
        yield began, began + animation.run_time
        return
    yield from _of_change(animation, began)


def _of_change(change: Change, began: float) -> Iterator[Span]:
    flip = began + change.flip
    leaving, coming, changing = (
        [key for key in keys if not speaks(key)] for keys in (change.leaving, change.coming, change.changing)
    )
    if not (leaving or coming or changing or change.moves):
        return
    yield began, flip
    for key in leaving:
        atom = change.before[key]
        late = isinstance(atom, Text) and not atom.early and not change.same
        yield (flip, flip + 1e-3) if late else (began, began + motion.LEAVE)
    for key in (*coming, *changing):
        atom = change.picture[key]
        if isinstance(atom, Text) and atom.early:
            yield began, began + motion.LEAVE + motion.APPEAR
        elif isinstance(atom, Text) and (key in changing or not change.same):
            yield flip, flip + motion.GLOW
        elif key in coming and not change.plan.objects:
            yield began, began + motion.APPEAR + (motion.LEAVE if isinstance(atom, Text) and leaving else 0.0)
