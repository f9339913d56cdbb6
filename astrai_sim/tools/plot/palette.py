"""Colours and type of the picture: those of the films."""

from typing import Any

from astrai_sim.extras import require
from astrai_sim.shipped import ASSETS

FONTS = ASSETS / "fonts"
FACES = ("Inter-Regular.otf", "Inter-Medium.otf", "Inter-SemiBold.otf")

BACKGROUND = "#0D1117"
PANEL = "#161C26"
OUTLINE = "#46536A"
FREE = "#202937"
CACHED = "#8D99AB"
SHARED = "#FFFFFF"
TEXT = "#EEF2F7"
MUTED = "#A3B0C2"
WARNING = "#FF8A80"

TASK_COLORS = ("#5AB4F0", "#F5A623", "#EC6094", "#66F1EC", "#9FFDC3", "#90803C")
PROMPT, ANSWER = TASK_COLORS[0], TASK_COLORS[1]
BATCH, QUEUE = TASK_COLORS[3], TASK_COLORS[2]


def style() -> dict[Any, Any]:
    """matplotlib settings; the fonts of `assets/fonts` are made known to it."""
    manager = require("matplotlib.font_manager", "plot")
    for face in FACES:
        manager.fontManager.addfont(FONTS / face)
    return {
        "font.family": "Inter",
        "font.size": 12,
        **dict.fromkeys(("text.color", "axes.titlecolor", "legend.labelcolor"), TEXT),
        **dict.fromkeys(("axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), MUTED),
        **dict.fromkeys(("figure.facecolor", "savefig.facecolor"), BACKGROUND),
        **dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color"), OUTLINE),
        **dict.fromkeys(("axes.spines.top", "axes.spines.right", "axes.unicode_minus", "legend.frameon"), False),
        **dict.fromkeys(("xtick.major.pad", "ytick.major.pad"), 7),
        "axes.facecolor": PANEL,
        "axes.titlelocation": "left",
        "axes.titlesize": 13,
        "axes.titleweight": "medium",
        "axes.titlepad": 8,
        "axes.axisbelow": True,
        "grid.color": FREE,
        "legend.handlelength": 1.2,
        "legend.columnspacing": 1.4,
    }
