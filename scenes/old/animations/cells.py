"""Filling and emptying the cells of a field."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenes.draw.animation import FilmAnimation
from scenes.draw.cells import CellField


class FillCells(FilmAnimation):
    """Bring cells to new colours one after another.

    Parameters
    ----------
    field
        The cells' field.
    indices
        Cells in the order in which they change, shape [k].
    rgba
        Their colours afterwards, shape [k, 4].
    overlap
        How many cells change at the same time; more is softer.
    """

    def __init__(
        self,
        field: CellField,
        indices: np.ndarray,
        rgba: np.ndarray,
        seconds: float = 1.0,
        overlap: int = 6,
        **kwargs: Any,
    ) -> None:
        super().__init__(field, seconds=seconds, **kwargs)
        self.indices = np.asarray(indices, dtype=int)
        self.target = np.asarray(rgba, dtype=float)
        self.overlap = overlap

    def prepare(self) -> None:
        self._start = self.mobject.rgba[self.indices].copy()

    def apply(self, progress: float) -> None:
        k = len(self.indices)
        if not k:
            return
        reach = progress * (k + self.overlap)
        share = np.clip((reach - np.arange(k)) / self.overlap, 0.0, 1.0)[:, None]
        between = self._start + (self.target - self._start) * share
        self.mobject.rgba[self.indices] = np.where(share >= 1.0, self.target, between)
