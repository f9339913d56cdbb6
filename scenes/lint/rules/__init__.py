"""The rules, one module each."""

from __future__ import annotations

from scenes.lint.moment import Rule
from scenes.lint.rules.acting import Acting
from scenes.lint.rules.blink import Blink
from scenes.lint.rules.caption_time import CaptionTime
from scenes.lint.rules.colors import TaskColors
from scenes.lint.rules.contrast import Contrast
from scenes.lint.rules.crossing import Crossing
from scenes.lint.rules.first_frame import FirstFrame
from scenes.lint.rules.glyph_size import GlyphSize
from scenes.lint.rules.hero import Hero
from scenes.lint.rules.safe_area import SafeArea
from scenes.lint.rules.seams import Seams
from scenes.lint.rules.still import Still
from scenes.lint.rules.stillness import Stillness
from scenes.lint.rules.text_overlap import TextOverlap
from scenes.lint.rules.wires import Wires


def all_rules() -> list[Rule]:
    """A fresh set of every rule."""
    pictures = [SafeArea(), TextOverlap(), Crossing(), GlyphSize(), Contrast(), TaskColors()]
    return [*pictures, CaptionTime(), Stillness(), Still(), Hero(), Acting(), Wires(), Seams(), Blink(), FirstFrame()]
