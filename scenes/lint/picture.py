"""What a scene shows at one moment, in the order in which it is drawn."""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from manim import Mobject, VMobject
from manim.utils.family import extract_mobject_family_members

from scenes.draw.cells import CellField
from scenes.draw.drawn import DrawnText
from scenes.draw.layout import UNIT
from scenes.lint.geometry import polylines
from scenes.parts.part import View

FAINT = 0.02


def fill_of(mobject: VMobject) -> np.ndarray:
    """Fill as r, g, b, a in 0..1; alpha 0 where there is none."""
    rgbas = mobject.get_fill_rgbas()
    return rgbas[0] if len(rgbas) else np.zeros(4)


def stroke_px(mobject: VMobject) -> float:
    """Width of the visible stroke in design pixels; 0 where there is none."""
    rgbas = mobject.get_stroke_rgbas()
    if not len(rgbas) or rgbas[0][3] <= FAINT:
        return 0.0
    return float(mobject.get_stroke_width()) * UNIT / 100


def is_visible(mobject: Mobject) -> bool:
    """Whether the mobject's own points leave anything on the picture."""
    if not len(mobject.points):
        return False
    if isinstance(mobject, CellField):
        return bool(np.any(mobject.rgba[:, 3] * mobject.opacity > FAINT))
    if isinstance(mobject, DrawnText):
        return len(mobject.points) > 4 and fill_of(mobject)[3] > FAINT
    if isinstance(mobject, VMobject):
        return fill_of(mobject)[3] > FAINT or stroke_px(mobject) > 0
    return True


class Picture:
    """The visible mobjects among `roots` and their families, in the frame and theme of `view`."""

    def __init__(self, roots: Iterable[Mobject], view: View) -> None:
        self.roots = list(roots)
        self.frame, self.theme = view.frame, view.theme
        members = extract_mobject_family_members(self.roots, use_z_index=True, only_those_with_points=True)
        self.members = [mobject for mobject in members if is_visible(mobject)]

    @cached_property
    def family(self) -> list[Mobject]:
        """Everything on the scene, groups included."""
        return extract_mobject_family_members(self.roots)

    @cached_property
    def labels(self) -> list[DrawnText]:
        """Texts with ink."""
        return [m for m in self.members if isinstance(m, DrawnText)]

    @cached_property
    def inks(self) -> np.ndarray:
        """Ink boxes of `labels` in design pixels, shape [n, 4]: left, top, right, bottom."""
        return np.array([label.ink() for label in self.labels]).reshape(-1, 4)

    @cached_property
    def boxes(self) -> np.ndarray:
        """Boxes of `members` with their strokes, shape [n, 4]."""
        return np.array([self._box(m) for m in self.members]).reshape(-1, 4)

    @cached_property
    def paths(self) -> dict[VMobject, list[np.ndarray]]:
        """Flattened outlines of the vector mobjects that are not text."""
        drawn = (m for m in self.members if isinstance(m, VMobject) and not isinstance(m, DrawnText))
        return {m: polylines(m, self.frame) for m in drawn}

    def _box(self, mobject: Mobject) -> np.ndarray:
        if isinstance(mobject, DrawnText):
            return np.array(mobject.ink())
        half = stroke_px(mobject) / 2 if isinstance(mobject, VMobject) else 0.0
        at = self.frame.pixels(np.asarray(mobject.points))
        return np.concatenate([at.min(axis=0) - half, at.max(axis=0) + half])


def name(mobject: Mobject) -> str:
    """How a finding names a mobject: its class, and what it says."""
    text = getattr(mobject, "text", None)
    kind = type(mobject).__name__
    return f"{kind} {text!r}" if isinstance(text, str) and text else kind
