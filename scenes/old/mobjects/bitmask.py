"""The free bitmask, written high bit first."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.old.animations import Flash, Paint, SwapText
from scenes.old.mobjects.shapes import Panel

LARGEST = 36
TITLE_WIDTH = 170
COUNT_WIDTH = 300


def mask_pitch(n_bits: int, box: Box) -> float:
    """Pixels from one digit to the next in a row as wide as `box`."""
    return min(46.0, (box.w * 0.72 - TITLE_WIDTH) / n_bits)


def mask_width(n_bits: int, box: Box) -> float:
    """Width of title and digits; the count of free pages stands at the row's far end."""
    return TITLE_WIDTH + n_bits * mask_pitch(n_bits, box) - 5


class Bitmask(Group):
    """One digit per page, bit number above it; 1 means free.

    `box` is the row's box; `n_bits` the number of pages.
    """

    def __init__(self, n_bits: int, box: Box) -> None:
        self.n_bits = n_bits
        self.title = Label("free mask", theme.SMALL, "mono", theme.MUTED, (box.x, box.bottom - 19))
        pitch = mask_pitch(n_bits, box)
        self.cells: list[Panel] = []
        self.digits: list[Label] = []
        self.indices: list[Label] = []
        numbered = pitch >= 40
        for place in range(n_bits):
            bit = n_bits - 1 - place
            x = box.x + TITLE_WIDTH + place * pitch
            cell = Panel(
                Box(x, box.bottom - 38, pitch - 5, 38), fill=theme.PANEL, stroke=theme.OUTLINE, radius=5, stroke_px=1.5
            )
            center = x + (pitch - 5) / 2
            self.cells.append(cell)
            self.digits.append(
                Label(
                    written("mask.bit", 1, page=bit),
                    theme.BODY,
                    "mono-bold",
                    theme.TEXT,
                    (center, box.bottom - 19),
                    "center",
                    background=theme.PANEL,
                )
            )
            if numbered:
                number = written("page.number", bit, page=bit)
                self.indices.append(Label(number, theme.SMALL, "mono", theme.MUTED, (center, box.y + 10), "center"))
        self.count = Label("", theme.SMALL, "sans", theme.MUTED, (box.right, box.bottom - 19), "right")
        super().__init__(self.title, *self.cells, *self.digits, *self.indices, self.count)

    @property
    def text(self) -> str:
        """The digits as shown, high bit first."""
        return "".join(digit.text for digit in self.digits)

    @property
    def free_shown(self) -> int:
        """The number of free pages as written."""
        return int(self.count.text.split()[0])

    def count_text(self, bits: str) -> Said:
        """How many of the pages have their bit set."""
        free, pages = measure("mask.bits", bits.count("1"), "plain"), measure("pool.pages", self.n_bits, "plain")
        return say("{} of {} pages free", free, pages)

    def _said(self, bits: str) -> list[Said]:
        return [
            written("mask.bit", int(bit), page=page)
            for page, bit in zip(range(self.n_bits - 1, -1, -1), bits, strict=True)
        ]

    def show(self, bits: str) -> None:  # type: ignore[override]
        """Show `bits` (a string of 0 and 1, high bit first) at once."""
        for digit, cell, value in zip(self.digits, self.cells, self._said(bits), strict=True):
            digit.set_text(value)
            digit.set_text_color(theme.TEXT if value == "1" else theme.MUTED)
            cell.set_fill(self._cell_color(value), family=False)
        self.count.set_text(self.count_text(bits))

    def changed(self, bits: str) -> list[int]:
        """Pages whose bit differs in `bits`."""
        return [
            self.n_bits - 1 - place
            for place, (digit, value) in enumerate(zip(self.digits, bits, strict=True))
            if digit.text != value
        ]

    def change(self, bits: str, delay: float = 0.0) -> list[Animation]:
        """Animate the digits that differ from `bits`."""
        animations: list[Animation] = []
        for digit, cell, value in zip(self.digits, self.cells, self._said(bits), strict=True):
            if digit.text != value:
                color = theme.TEXT if value == "1" else theme.MUTED
                animations += [
                    Flash(cell, delay=delay),
                    Paint(cell, fill=self._cell_color(value), delay=delay),
                    SwapText(digit, value, color=color, delay=delay),
                ]
        if self.count.text != self.count_text(bits):
            animations.append(SwapText(self.count, self.count_text(bits), delay=delay))
        return animations

    @staticmethod
    def _cell_color(value: str) -> str:
        return theme.mix(theme.PANEL, theme.OUTLINE, 0.55) if value == "1" else theme.PANEL
