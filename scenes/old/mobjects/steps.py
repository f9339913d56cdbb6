"""What single steps computed: a cell for every token."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.old.animations import AppearIn
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import ShowSteps, StepTokens

INSET = 26
TITLE_H = 66
LINE_H = 40
GAP = 34
LARGEST = 22.0
SMALLEST = 2.5
PROMPT = 0.62


class StepRow(Group):
    """One step: facts at the left, its tokens' cells at the right of `text_w` pixels."""

    def __init__(
        self, step: StepTokens, colors: dict[str, str], x: float, y: float, text_w: float, columns: int, side: float
    ) -> None:
        self.step = step
        faces = ("sans-bold", *["sans"] * (len(step.facts) - 1))
        self.facts = [
            Label(text, theme.SMALL, face, theme.TEXT, (x, y + (i + 0.5) * LINE_H), background=theme.PANEL)
            for i, (text, face) in enumerate(zip(step.facts, faces, strict=True))
        ]
        n = sum(count for _, count, _ in step.runs)
        across = min(columns, n)
        lines = -(-n // across)
        self.cells = CellField(
            Box(x + text_w, y + 4, across * side, lines * side), n, across, gap=2.0 if side > 8 else 1.0
        )
        at = 0
        for task, count, prompt in step.runs:
            color = colors[task]
            self.cells.set_cell(slice(at, at + count), theme.mix(theme.PANEL, color, PROMPT) if prompt else color)
            at += count
        self.bottom = y + max(len(step.facts) * LINE_H, 4 + lines * side)
        super().__init__(self.cells, *self.facts)


class StepsPanel(Group):
    """Panel of a beat's steps below one another, as large as `box` allows.

    Raises ValueError where they do not fit.
    """

    def __init__(self, beat: ShowSteps, colors: dict[str, str], box: Box) -> None:
        text_w = 30 + max(fonts.width(text, "sans-bold", theme.SMALL) for step in beat.steps for text in step.facts)
        counts = [sum(count for _, count, _ in step.runs) for step in beat.steps]
        lines = [-(-count // beat.columns) for count in counts]
        texts = [len(step.facts) * LINE_H for step in beat.steps]
        room = box.h - TITLE_H - INSET - GAP * (len(beat.steps) - 1)
        side = min(LARGEST, (box.w - 2 * INSET - text_w) / beat.columns)
        while sum(map(max, texts, (4 + n * side for n in lines))) > room:
            side *= 0.95
            if side < SMALLEST:
                raise ValueError(f"{sum(counts)} tokens do not fit {box.w:.0f} x {box.h:.0f} px")
        used = sum(map(max, texts, (4 + n * side for n in lines)))
        gap = GAP + (room - used) / (len(beat.steps) + 1)
        self.box = box
        self.back = Panel(box, fill=theme.PANEL)
        self.title = Label(
            beat.title,
            theme.BODY,
            "sans-bold",
            theme.TEXT,
            (box.x + INSET, box.y + TITLE_H / 2),
            background=theme.PANEL,
        )
        self.rows: list[StepRow] = []
        y = box.y + TITLE_H + gap - GAP
        for step in beat.steps:
            row = StepRow(step, colors, box.x + INSET, y, text_w, beat.columns, side)
            self.rows.append(row)
            y = row.bottom + gap
        self.shown = beat.shown
        super().__init__(self.back, self.title, *self.rows[: beat.shown])

    def reveal(self, shown: int) -> list[Animation]:
        """Bring in the steps up to the first `shown`."""
        fresh = self.rows[self.shown : shown]
        self.shown = max(self.shown, shown)
        return [AppearIn(self, row, delay=0.2 * i) for i, row in enumerate(fresh)]
