"""Colours and text sizes of every film, in one place.

Sizes are em sizes in design pixels. The smallest, `LEAST_SIZE`, gives capitals and digits of at least 20 px and an
x-height of at least 11 px in both type families (Inter: cap height 0.727 em, x-height 0.546 em; JetBrains Mono:
0.730 em and 0.550 em).
"""

from dataclasses import dataclass
from functools import cache

BACKGROUND = "#0D1117"
PANEL = "#161C26"
OUTLINE = "#46536A"
EMPTY = "#202937"
TEXT = "#EEF2F7"
MUTED = "#A3B0C2"
ACCENT = "#FFFFFF"
CACHED = "#8D99AB"
WARNING = "#FF8A80"

TASK_COLORS = ("#5AB4F0", "#F5A623", "#EC6094", "#66F1EC", "#9FFDC3", "#90803C")


SERIES = ("#5B9BE6", "#FF8A80", "#E8ECF2")
"""Curves of charts that are not a task's."""


def mix(first: str, second: str, amount: float) -> str:
    """Hex colour `amount` (0 to 1) of the way from `first` to `second`, in sRGB."""
    pairs = zip(bytes.fromhex(first[1:]), bytes.fromhex(second[1:]), strict=True)
    blend = (round(x + (y - x) * amount) for x, y in pairs)
    return "#" + "".join(f"{value:02X}" for value in blend)


@cache
def rgb(color: str) -> tuple[float, float, float]:
    """`#RRGGBB` as three floats in 0..1."""
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


@dataclass(frozen=True)
class Theme:
    """Colours of a film, as hex. `hues` are requests', in order of submission; `crowd` those of
    requests that share a strip, cycled by admission."""

    name: str
    ground: str
    panel: str
    empty: str
    text: str
    muted: str
    accent: str
    hues: tuple[str, ...]
    alarm: str
    crowd: tuple[str, ...]

    def hue(self, index: int) -> str:
        """The colour of the `index`-th submitted request; colours repeat after the last."""
        return self.hues[index % len(self.hues)]


DARK = Theme(
    "dark",
    ground=BACKGROUND,
    panel=PANEL,
    empty=EMPTY,
    text=TEXT,
    muted=MUTED,
    accent=ACCENT,
    hues=("#37A5FB", "#FF9E14", "#DB5DAB", "#61B195", "#D2FBA4", "#E6CDF4"),
    alarm="#F44F5D",
    crowd=("#1B345E", "#1F5560", "#3B7477"),
)
LIGHT = Theme(
    "light",
    ground="#FFFFFF",
    panel="#F1F4F8",
    empty="#DAE0E8",
    text="#141A22",
    muted="#4E5B6E",
    accent="#000000",
    hues=("#0A5DF6", "#906606", "#B5418B", "#1B735B", "#0B4410", "#3D0D9E"),
    alarm="#AC1730",
    crowd=("#CBD4E2", "#B0BED1", "#95A7C1"),
)
THEMES = {theme.name: theme for theme in (DARK, LIGHT)}

NUMBER, QUESTION, TAKEAWAY, CAPTION, LABEL, CODE_SIZE, LEAST_SIZE = 160, 72, 56, 40, 31, 34, 28
"""Em sizes of type in design pixels, by what is set in them."""
