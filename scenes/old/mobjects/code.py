"""A function's source with a line cursor and the values it produces."""

from __future__ import annotations

from typing import Any

from manim import Animation, Group, Mobject
from pygments.lexers import PythonLexer
from pygments.token import Keyword, Name, Number, Operator, Token

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, clipped, joined
from scenes.old.animations import Appear, Glide, Vanish
from scenes.old.mobjects.shapes import Panel

PITCH = 38
INSET = 18
TITLE_H = 50
VALUES_H = 50
VALUE_GAP = 34
BUILTINS = {"self", "None", "True", "False"}


def token_colors(line: str) -> list[tuple[str, str]]:
    """(text, hex colour) runs of one line of Python, blanks kept."""
    runs: list[tuple[str, str]] = []
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(line):
        if kind in Keyword or kind in Operator.Word or text in BUILTINS:
            color = theme.CODE_KEYWORD
        elif kind in Number or kind in Token.Literal:
            color = theme.CODE_NUMBER
        elif kind in Name.Builtin or kind in Name.Function:
            color = theme.CODE_CALL
        else:
            color = theme.CODE_NAME
        runs.append((text, color))
    return runs


class CodeRow(Group):
    """One display row of source."""

    def __init__(self, text: str, x: float, y: float) -> None:
        self.text = text
        advance = fonts.width("0", "mono", theme.SMALL)
        labels = []
        column = 0
        for run, color in token_colors(text):
            word = run.strip()
            if word:
                at = column + len(run) - len(run.lstrip())
                word = clipped(text, at, at + len(word))
                labels.append(Label(word, theme.SMALL, "mono", color, (x + at * advance, y), background=theme.PANEL))
            column += len(run)
        super().__init__(*labels)


class CodePanel(Group):
    """Shows `lines` (each a tuple of display rows) in `box`.

    At most as many rows as fit are shown; the view follows the cursor. The
    values that a line produced stand in a strip below.
    """

    def __init__(self, title: str, lines: tuple[tuple[str, ...], ...], box: Box) -> None:
        self.lines = lines
        self.rows_of: list[range] = []
        count = 0
        for line in lines:
            self.rows_of.append(range(count, count + len(line)))
            count += len(line)
        self.texts = [row for line in lines for row in line]
        self.visible = min(count, int((box.h - TITLE_H - VALUES_H - 10) // PITCH))
        self.box = Box(box.x, box.y, box.w, TITLE_H + VALUES_H + 10 + self.visible * PITCH)
        self.top = 0
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            title, theme.SMALL, "mono-bold", theme.MUTED, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        self.cursor = Panel(
            Box(box.x + 6, self._row_y(0) - PITCH / 2 + 1, box.w - 12, PITCH - 2),
            fill=theme.mix(theme.PANEL, theme.ACCENT, 0.14),
            radius=5,
        )
        self.cursor_line: int | None = None
        self.rows = {i: self._row(i) for i in range(self.visible)}
        self.values: list[Label] = []
        self.known: list[tuple[str, str]] = []
        super().__init__(self.back, self.title, *self.rows.values())

    def _row_y(self, place: int) -> float:
        return self.box.y + TITLE_H + place * PITCH + PITCH / 2

    def _row(self, index: int) -> CodeRow:
        return CodeRow(self.texts[index], self.box.x + INSET, self._row_y(index - self.top))

    def step(self, line: int, values: tuple[tuple[str, str], ...]) -> list[Animation]:
        """Move the cursor to `line` and show the values that it produced."""
        animations: list[Animation] = []
        rows = self.rows_of[line]
        animations += self._scroll_to(rows)
        y = self._row_y(rows.start - self.top)
        if self.cursor_line is None:
            self.cursor = Panel(
                Box(self.box.x + 6, y - PITCH / 2 + 1, self.box.w - 12, PITCH - 2),
                fill=theme.mix(theme.PANEL, theme.ACCENT, 0.14),
                radius=5,
            )
            self.cursor_box = self.cursor.box
            self.submobjects.insert(1, self.cursor)
            animations.append(_AppearInPlace(self.cursor, 0.25))
        else:
            dy = (y - PITCH / 2 + 1) - self.cursor_box.y
            if abs(dy) > 0.01:
                animations.append(Glide(self.cursor, 0, dy, seconds=0.3))
                b = self.cursor_box
                self.cursor_box = Box(b.x, b.y + dy, b.w, b.h)
        self.cursor_line = line
        animations += self._show_values(values)
        return animations

    def _scroll_to(self, rows: range) -> list[Animation]:
        top = self.top
        if rows.stop > top + self.visible:
            top = rows.stop - self.visible
        if rows.start < top:
            top = rows.start
        if top == self.top:
            return []
        dy = (self.top - top) * PITCH
        self.top = top
        animations: list[Animation] = []
        keep = range(top, top + self.visible)
        for index in [i for i in self.rows if i not in keep]:
            row = self.rows.pop(index)
            self.remove(row)
            animations.append(Vanish(row, seconds=0.2))
        for row in self.rows.values():
            animations.append(Glide(row, 0, dy, seconds=0.3))
        for index in keep:
            if index not in self.rows:
                row = self._row(index)
                self.rows[index] = row
                self.add(row)
                animations.append(_AppearInPlace(row, 0.3, delay=0.1))
        self.rows = dict(sorted(self.rows.items()))
        return animations

    def _show_values(self, values: tuple[tuple[str, str], ...]) -> list[Animation]:
        """Add values to the strip, newest last; the oldest make room."""
        if not values:
            return []
        animations: list[Animation] = []
        names = {name for name, _ in values}
        self.known = [pair for pair in self.known if pair[0] not in names] + list(values)
        advance = fonts.width("0", "mono-bold", theme.SMALL)

        def length() -> float:
            return sum((len(n) + len(v) + 3) * advance + VALUE_GAP for n, v in self.known)

        while len(self.known) > 1 and length() - VALUE_GAP > self.box.w - 2 * INSET:
            self.known.pop(0)
        for old in self.values:
            self.remove(old)
            animations.append(Vanish(old, seconds=0.2))
        self.values = []
        x = self.box.x + INSET
        y = self.box.bottom - VALUES_H / 2
        for name, value in self.known:
            color = theme.CODE_NUMBER if name in names else theme.MUTED
            text: str = joined(" = ", (name, value)) if isinstance(name, Said) else f"{name} = {value}"
            while fonts.width(text, "mono-bold", theme.SMALL) > self.box.w - 2 * INSET:
                text = clipped(text, 0, len(text) - 2) + "…"
            label = Label(text, theme.SMALL, "mono-bold", color, (x, y), background=theme.PANEL)
            x += label.width_px + VALUE_GAP
            self.values.append(label)
            self.add(label)
            animations.append(_AppearInPlace(label, 0.25, delay=0.25))
        return animations


class _AppearInPlace(Appear):
    """Fade in a mobject that already belongs to a group on stage."""

    def __init__(self, mobject: Mobject, seconds: float, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, **kwargs)
        self.introducer = False


__all__ = ["CodePanel", "CodeRow", "token_colors"]
