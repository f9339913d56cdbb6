"""Words on their way from the text to the slots that take their K and V."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from manim import Group, VMobject, linear, smooth

from scenes.draw.animation import Extent, FilmAnimation
from scenes.draw.layout import FRAME

FLIGHT = 0.65
LANDED = 0.35


@dataclass(frozen=True)
class Flight:
    """A mobject that leaves at second `start` for the design pixel `target`."""

    traveller: VMobject
    target: tuple[float, float]
    start: float


class Fly(FilmAnimation):
    """Send mobjects to their targets, getting smaller; they are gone when they have arrived.

    A flight takes `FLIGHT` seconds.
    """

    def __init__(self, flights: Sequence[Flight]) -> None:
        self.flights = list(flights)
        length = max(flight.start for flight in self.flights) + FLIGHT
        super().__init__(
            Group(*(flight.traveller for flight in self.flights)),
            seconds=length,
            rate=linear,
            introducer=True,
            remover=True,
        )
        self.length = length

    def prepare(self) -> None:
        self._from = []
        for flight in self.flights:
            middle = flight.traveller.get_center()
            members = flight.traveller.family_members_with_points()
            shapes = [(member, member.points - middle) for member in members]
            self._from.append((shapes, middle, FRAME.point(*flight.target)))

    def extents(self) -> list[Extent]:
        boxes = super().extents()
        for flight in self.flights:
            x, y, _ = FRAME.point(*flight.target)
            boxes.append((x, y, x, y))
        left, bottom, right, top = np.array(boxes).T
        return [(left.min(), bottom.min(), right.max(), top.max())]

    def apply(self, progress: float) -> None:
        for flight, (shapes, middle, target) in zip(self.flights, self._from, strict=True):
            share = (progress * self.length - flight.start) / FLIGHT
            opacity = _opacity(share) if 0.0 < share < 1.0 else 0.0
            way = smooth(min(1.0, max(0.0, share)))
            at = middle + (target - middle) * way
            for member, shape in shapes:
                member.set_fill(opacity=opacity, family=False)
                member.points = shape * (1 + (LANDED - 1) * way) + at


def _opacity(share: float) -> float:
    return float(min(1.0, share / 0.1, (1.0 - share) / 0.15))
