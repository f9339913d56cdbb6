"""Two wires are never on the same way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from scenes.draw.atoms import Line
from scenes.lint.moment import Moment, Problem, Rule

APART, TOUCHING = 5.0, 4.0
"""Pixels between two wires from which on they are told apart, and how far they may run closer."""


class Wires(Rule):
    """No two arrows run along each other closer than 5 px."""

    name = "wires"

    def look(self, moment: Moment) -> Iterator[Problem]:
        if not moment.moved:
            return
        lines = {k: a.points for k, a in moment.atoms.items() if isinstance(a, Line) and a.head and a.alpha > 0.02}
        for (one, first), (other, second) in combinations(lines.items(), 2):
            length = shared(first, second)
            if length > TOUCHING:
                yield Problem((str(one), str(other)), f"share {length:.0f} px of their way")


def shared(first: np.ndarray, second: np.ndarray) -> float:
    """Pixels that two lines through points [n, 2] run along each other."""
    return max(
        (_along(a, b, c, d) for a, b in zip(first[:-1], first[1:], strict=True) for c, d in _pieces(second)),
        default=0.0,
    )


def _pieces(points: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(zip(points[:-1], points[1:], strict=True))


def _along(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """How far the straight pieces a-b and c-d run beside each other."""
    length = float(np.hypot(*(b - a)))
    if length < 1e-6 or np.hypot(*(d - c)) < 1e-6:
        return 0.0
    way = (b - a) / length
    side = np.array([-way[1], way[0]])
    if max(abs(float((c - a) @ side)), abs(float((d - a) @ side))) > APART:
        return 0.0
    low, high = sorted((float((c - a) @ way), float((d - a) @ way)))
    return min(high, length) - max(low, 0.0)
