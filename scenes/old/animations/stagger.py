"""Many small changes, each at a moment of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from manim import Mobject, linear

from scenes.draw.animation import FilmAnimation
from scenes.draw.cells import CellField
from scenes.draw.label import Label

FADE = 0.2


def _shares(elapsed: float, starts: np.ndarray, fade: float) -> np.ndarray:
    return np.clip((elapsed - starts) / fade, 0.0, 1.0)


class StaggerCells(FilmAnimation):
    """Bring cells `indices` [k] to colours `rgba` [k, 4], each from its second of `starts` [k]."""

    def __init__(
        self,
        field: CellField,
        indices: np.ndarray,
        rgba: np.ndarray,
        starts: np.ndarray,
        fade: float = FADE,
        **kwargs: Any,
    ) -> None:
        self.starts = np.asarray(starts, dtype=float)
        self.fade = fade
        self.indices = np.asarray(indices, dtype=int)
        self.target = np.asarray(rgba, dtype=float)
        self.length = float(self.starts.max()) + fade
        super().__init__(field, seconds=self.length, rate=linear, **kwargs)

    def prepare(self) -> None:
        self._start = self.mobject.rgba[self.indices].copy()

    def apply(self, progress: float) -> None:
        share = _shares(progress * self.length, self.starts, self.fade)[:, None]
        share = np.ones_like(share) if progress >= 1 else share
        between = self._start + (self.target - self._start) * share
        self.mobject.rgba[self.indices] = np.where(share >= 1.0, self.target, between)


class StaggerLabels(FilmAnimation):
    """Show `labels`, parts of `owner`, each from its second of `starts` on."""

    def __init__(
        self,
        owner: Mobject,
        labels: Sequence[Label],
        starts: Sequence[float] | np.ndarray,
        fade: float = FADE,
        **kwargs: Any,
    ) -> None:
        self.labels = list(labels)
        self.starts = np.asarray(starts, dtype=float)
        self.fade = fade
        self.length = float(self.starts.max()) + fade
        super().__init__(owner, seconds=self.length, rate=linear, **kwargs)

    def apply(self, progress: float) -> None:
        shares = _shares(progress * self.length, self.starts, self.fade)
        for label, share in zip(self.labels, shares, strict=True):
            label.set_fill(opacity=1.0 if progress >= 1 else float(share), family=False)
