"""Texts that would cross others on their way, while one picture becomes the next."""

from __future__ import annotations

import numpy as np

from scenes.draw import motion
from scenes.draw.atoms import FLYING, Key, Picture, Text, bounds

NEAR = 1.0
"""Pixels by which something is off its place from which on it counts as moved."""
LOOKS = 33
"""Moments at which a movement is searched."""


def crossing(before: Picture, after: Picture, same: bool) -> tuple[set[Key], set[Key]]:
    """Moved texts that would cross another, and texts that leave and would be crossed.

    What flies has a ground of its own and may cover others. Those that come count where they are early or both
    pictures of the `same` moment; else they come when all have arrived.
    """
    moving, standing, leaving = [], [], []
    for key, atom in {**before, **after}.items():
        old, new = before.get(key), after.get(key)
        if not isinstance(atom, Text) or atom.z >= FLYING or not (new is None or isinstance(new, Text)):
            continue
        if not isinstance(old, Text):
            if same or atom.early:
                standing.append((key, atom, atom))
        elif new is None:
            leaving.append((key, old, old))
        else:
            far = float(np.hypot(*np.subtract(new.at, old.at))) > NEAR
            (moving if far else standing).append((key, old, new))
    if not moving:
        return set(), set()
    texts = [*moving, *standing, *leaving]
    n, gone = len(moving), len(moving) + len(standing)
    ends = [np.array([bounds(text[i]) for text in texts]) for i in (1, 2)]
    hidden = np.zeros(n, dtype=bool)
    while True:
        hit = _hits(ends, hidden)
        more = hit[:n, :gone].any(axis=1) & ~hidden
        if not more.any():
            break
        hidden |= more
    crossed = _hits(ends, np.zeros(n, dtype=bool))[gone:, :gone].any(axis=1)
    return {texts[i][0] for i in np.flatnonzero(hidden)}, {texts[i + gone][0] for i in np.flatnonzero(crossed)}


def _hits(ends: list[np.ndarray], hidden: np.ndarray) -> np.ndarray:
    """Which texts [n, n] overlap at any time; those that are `hidden` stand where they go out, then
    where they come in again."""
    n, still = len(ends[0]), np.flatnonzero(hidden)
    hit = np.zeros((n, n), dtype=bool)
    for share in np.linspace(0, 1, LOOKS)[1:]:
        boxes = ends[0] + (ends[1] - ends[0]) * motion.in_out(float(share))
        boxes[still] = ends[int(share >= 0.5)][still]
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        hit |= np.all(high - low > 0, axis=2)
    np.fill_diagonal(hit, False)
    return hit
