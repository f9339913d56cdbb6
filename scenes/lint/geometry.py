"""Outlines and boxes of mobjects in design pixels."""

import numpy as np
from manim import VMobject

from scenes.draw.layout import Frame

STEPS = 6


def polylines(mobject: VMobject, frame: Frame) -> list[np.ndarray]:
    """The mobject's own subpaths, flattened: arrays of design pixels, shape [n, 2]."""
    points = mobject.points
    curves = frame.pixels(points[: len(points) // 4 * 4]).reshape(-1, 4, 2)
    if not len(curves):
        return []
    breaks = np.any(np.abs(curves[1:, 0] - curves[:-1, 3]) > 1e-3, axis=1)
    return [_flatten(run) for run in np.split(curves, np.flatnonzero(breaks) + 1)]


def _flatten(curves: np.ndarray) -> np.ndarray:
    t = np.linspace(0.0, 1.0, STEPS + 1)[1:, None]
    p0, p1, p2, p3 = (curves[:, None, i, :] for i in range(4))
    u = 1 - t
    along = u**3 * p0 + 3 * u**2 * t * p1 + 3 * u * t**2 * p2 + t**3 * p3
    return np.concatenate([curves[:1, 0], along.reshape(-1, 2)])


def inside(paths: list[np.ndarray], at: np.ndarray) -> np.ndarray:
    """Which of the points `at`, shape [n, 2], lie within the closed `paths`, as Cairo fills them.

    Cairo's default is the non-zero winding rule; subpaths are closed for filling.
    """
    winding = np.zeros(len(at), dtype=int)
    x, y = at[:, 0, None], at[:, 1, None]
    for path in paths:
        start, end = path, np.roll(path, -1, axis=0)
        left = (end[:, 0] - start[:, 0]) * (y - start[:, 1]) - ((x - start[:, 0]) * (end[:, 1] - start[:, 1]))
        up = (start[:, 1] <= y) & (end[:, 1] > y) & (left > 0)
        down = (start[:, 1] > y) & (end[:, 1] <= y) & (left < 0)
        winding += up.sum(axis=1) - down.sum(axis=1)
    return winding != 0


def segments(paths: list[np.ndarray]) -> np.ndarray:
    """Straight pieces of `paths`, shape [n, 4]: x0, y0, x1, y1."""
    if not paths:
        return np.zeros((0, 4))
    return np.concatenate([np.concatenate([p[:-1], p[1:]], axis=1) for p in paths])


def crosses(pieces: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Which boxes, shape [m, 4] (left, top, right, bottom), any of `pieces`, [n, 4], enters.

    Liang and Barsky's parametric clipping of each piece against each box.
    """
    if not len(pieces) or not len(boxes):
        return np.zeros(len(boxes), dtype=bool)
    low = np.zeros((len(boxes), len(pieces)))
    high = np.ones_like(low)
    possible = np.ones_like(low, dtype=bool)
    for axis in (0, 1):
        start = pieces[None, :, axis]
        change = pieces[None, :, axis + 2] - start
        near = boxes[:, None, axis] - start
        far = boxes[:, None, axis + 2] - start
        level = np.abs(change) < 1e-9
        possible &= ~level | ((near < 0) & (far > 0))
        step = np.where(level, 1.0, change)
        first, second = near / step, far / step
        low = np.where(level, low, np.maximum(low, np.minimum(first, second)))
        high = np.where(level, high, np.minimum(high, np.maximum(first, second)))
    return np.any(possible & (low < high), axis=1)
