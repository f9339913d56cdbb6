"""Appearing and vanishing."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import Group, Mobject, Scene, VMobject

from scenes.draw.animation import FilmAnimation
from scenes.draw.cells import CellField

RGBAS = ("fill_rgbas", "stroke_rgbas", "background_stroke_rgbas")


class _Fade(FilmAnimation):
    """Scales the opacity of a whole family, then puts the exact values back."""

    def prepare(self) -> None:
        self._colors: list[tuple[VMobject, str, np.ndarray]] = []
        self._fields: list[tuple[CellField, float]] = []
        for member in self.mobject.get_family():
            if isinstance(member, CellField):
                self._fields.append((member, member.opacity))
            elif isinstance(member, VMobject):
                for name in RGBAS:
                    rgbas = getattr(member, name, None)
                    if rgbas is not None and len(rgbas):
                        self._colors.append((member, name, np.array(rgbas, dtype=float)))

    def scale(self, factor: float) -> None:
        for member, name, rgbas in self._colors:
            scaled = rgbas.copy()
            scaled[:, 3] *= factor
            setattr(member, name, scaled)
        for field, opacity in self._fields:
            field.opacity = opacity * factor


class Appear(_Fade):
    """Fade a mobject in, adding it to the scene."""

    def __init__(self, mobject: Mobject, seconds: float = 0.5, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, introducer=True, **kwargs)

    def apply(self, progress: float) -> None:
        self.scale(progress)


class AppearIn(Appear):
    """Fade a mobject in; when it is there, it becomes a part of the group `owner`."""

    def __init__(self, owner: Group, mobject: Mobject, seconds: float = 0.5, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, **kwargs)
        self.owner = owner

    def clean_up_from_scene(self, scene: Scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)
        self.owner.add(self.mobject)


class Vanish(_Fade):
    """Fade a mobject out and remove it from the scene."""

    def __init__(self, mobject: Mobject, seconds: float = 0.4, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, remover=True, **kwargs)

    def apply(self, progress: float) -> None:
        self.scale(1.0 - progress)

    def clean_up_from_scene(self, scene: Scene) -> None:
        super().clean_up_from_scene(scene)
        self.scale(1.0)


class StrokeTo(FilmAnimation):
    """Bring one shape's stroke to `opacity`, the shape staying where it is."""

    def __init__(self, mobject: VMobject, opacity: float, seconds: float = 0.5, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, **kwargs)
        self.opacity = opacity

    def prepare(self) -> None:
        self._start = float(self.mobject.stroke_rgbas[0, 3])

    def apply(self, progress: float) -> None:
        rgbas = self.mobject.stroke_rgbas.copy()
        rgbas[:, 3] = self._start + (self.opacity - self._start) * progress
        self.mobject.stroke_rgbas = rgbas
