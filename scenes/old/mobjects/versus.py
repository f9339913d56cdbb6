"""Two sides compared, figure by figure."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import Versus

INSET = 28
TITLE_H = 66
LABEL_H = 50
BAR_PITCH = (56, 70)
ROW_GAP = 30
COLORS = (theme.CACHED, theme.SERIES[0])


class VersusRow(Group):
    """What is compared, and below it a bar with its figure for each side."""

    def __init__(self, row: Versus, sides: tuple[str, str], colors: tuple[str, str], box: Box) -> None:
        pitch = (box.h - LABEL_H - ROW_GAP) / 2
        height = pitch - 16
        self.label = Label(
            row.label, theme.BODY, "sans-medium", theme.TEXT, (box.x, box.y + LABEL_H / 2), background=theme.PANEL
        )
        name_w = max(fonts.width(side, "sans", theme.SMALL) for side in sides) + 24
        text_w = max(fonts.width(text, "mono-bold", theme.HEADING) for text in row.texts) + 24
        unit = (box.w - name_w - text_w) / max(*row.values, 1e-9)
        parts = []
        for i, (side, text, value, color) in enumerate(zip(sides, row.texts, row.values, colors, strict=True)):
            y = box.y + LABEL_H + (i + 0.5) * pitch
            length = max(3.0, value * unit)
            bar = CellField(Box(box.x + name_w, y - height / 2, length, height), 1, 1, gap=0)
            bar.set_cell(0, color)
            parts += [
                Label(side, theme.SMALL, "sans", theme.TEXT, (box.x, y), background=theme.PANEL),
                bar,
                Label(
                    text,
                    theme.HEADING,
                    "mono-bold",
                    theme.CODE_NUMBER,
                    (box.x + name_w + length + 20, y),
                    background=theme.PANEL,
                ),
            ]
        super().__init__(self.label, *parts)


class VersusPanel(Group):
    """Panel of compared figures, the sides' bars in `colors`.

    Raises ValueError where they do not fit `box`.
    """

    def __init__(
        self, title: str, sides: tuple[str, str], rows: tuple[Versus, ...], box: Box, colors: tuple[str, str] = COLORS
    ) -> None:
        least, most = (LABEL_H + 2 * pitch + ROW_GAP for pitch in BAR_PITCH)
        height = min(most, (box.h - TITLE_H) / len(rows))
        self.box = Box(box.x, box.y, box.w, TITLE_H + len(rows) * height)
        if height < least:
            raise ValueError(f"{len(rows)} comparisons do not fit {box.h:.0f} px")
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            title, theme.BODY, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        self.rows = [
            VersusRow(row, sides, colors, Box(box.x + INSET, box.y + TITLE_H + i * height, box.w - 2 * INSET, height))
            for i, row in enumerate(rows)
        ]
        super().__init__(self.back, self.title, *self.rows)
