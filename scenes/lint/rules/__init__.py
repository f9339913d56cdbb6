"""The rules: of single pictures, of shots and of the whole film."""

from scenes.lint.moment import Rule
from scenes.lint.rules.film import CaptionTime, FirstFrame, Still, TaskColors
from scenes.lint.rules.pictures import Contrast, Crossing, GlyphSize, SafeArea, TextOverlap
from scenes.lint.rules.shots import Acting, Blink, Hero, Seams, Wires


def all_rules() -> list[Rule]:
    """A fresh set of every rule."""
    pictures = [SafeArea(), TextOverlap(), Crossing(), GlyphSize(), Contrast(), TaskColors()]
    return [*pictures, CaptionTime(), Still(), Hero(), Acting(), Wires(), Seams(), Blink(), FirstFrame()]
