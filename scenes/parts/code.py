"""A function's source as it runs: the line that is executed, and the values that it produced."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pygments.lexers import PythonLexer
from pygments.token import Keyword, Operator

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import Said, clipped, joined
from scenes.parts.part import Atoms, Part, Room, View

PITCH, INSET, TITLE, LEAST_LINES, MOST_LINES = 44.0, 20.0, 52.0, 6, 8
KEYWORDS = {"None", "True", "False"}


@dataclass(frozen=True)
class Code(Part):
    """The source of one function. `lines` are its lines, each a tuple of display rows, in `order` to
    the one that runs, `line` (None before the first); `values` are (name, value) of what is known,
    the newest last, `fresh` of them from this line."""

    place = "side"
    needs = Room(TITLE + 5 * PITCH + INSET, TITLE + (MOST_LINES + 2) * PITCH + INSET)

    title: str = ""
    lines: tuple[tuple[Said, ...], ...] = ()
    line: int | None = None
    values: tuple[tuple[Said, Said], ...] = ()
    fresh: int = 0

    def draw(self, view: View, box: Box) -> Atoms:
        t = view.theme
        rows = [(i, j, row) for i, line in enumerate(self.lines) for j, row in enumerate(line)]
        advance = fonts.width("0", "mono", 1.0)
        longest = max((len(row) for _, _, row in rows), default=1)
        px = max(theme.LEAST_SIZE / view.frame.zoom, min(theme.CODE_SIZE, (box.w - 2 * INSET) / (longest * advance)))
        most = max(3, min(MOST_LINES, int((box.h - TITLE - INSET) / PITCH) - 2))
        at = next((k for k, row in enumerate(rows) if row[0] == self.line), 0)
        first = max(0, min(at - most // 2, len(rows) - most))
        shown = rows[first : first + most]
        height = TITLE + (max(LEAST_LINES, len(shown)) + 2) * PITCH + INSET
        box = Box(box.x, box.y + max(0.0, box.h - height) / 2, box.w, min(box.h, height))
        yield ("ground",), Block(box, fill=t.panel, radius=10)
        at = (box.x + INSET, box.y + TITLE / 2 + 2)
        yield ("title",), Text(self.title, at, px=px, face="mono-bold", color=t.muted, ground=t.panel)
        lit = theme.mix(t.panel, t.accent, 0.16)
        for place, (i, j, row) in enumerate(shown):
            y = box.y + TITLE + (place + 0.5) * PITCH
            if i == self.line and j == 0:
                bar = Box(box.x + 6, y - PITCH / 2 + 1, box.w - 12, sum(1 for one in shown if one[0] == i) * PITCH - 2)
                yield ("cursor",), Block(bar, fill=lit, radius=5, acting=True)
            ground = lit if i == self.line else t.panel
            for column, word, bold in words_of(row):
                face = "mono-bold" if bold else "mono"
                at = (box.x + INSET + column * advance * px, y)
                yield (self.title, i, j, column), Text(word, at, px=px, face=face, color=t.text, ground=ground)
        yield from self._values(view, box, px)

    def _values(self, view: View, box: Box, px: float) -> Atoms:
        """What is known, the newest in full colour, on two lines at most; the oldest make room."""
        t, room, row, x = view.theme, box.w - 2 * INSET, 0, 0.0
        for place, (name, value) in reversed([*enumerate(self.values)]):
            text: str = joined(" = ", (name, value))
            while fonts.width(text, "mono", px) > room:
                text = clipped(text, 0, len(text) - 2) + "…"
            width = fonts.width(text, "mono", px)
            if x and x + width > room:
                row, x = row + 1, 0.0
            if row == 2:
                return
            at = (box.x + INSET + x, box.bottom - INSET / 2 + (row - 1.5) * PITCH)
            face, color = ("mono-bold", t.text) if place >= len(self.values) - self.fresh else ("mono", t.muted)
            yield ("value", name), Text(text, at, px=px, face=face, color=color, ground=t.panel)
            x += width + 32


def words_of(row: Said) -> Iterator[tuple[int, str, bool]]:
    """(column, text, whether it is a keyword) of each run of a row of Python."""
    for start, end, keyword in _runs(str(row)):
        yield start, clipped(row, start, end), keyword


@lru_cache(4096)
def _runs(row: str) -> tuple[tuple[int, int, bool], ...]:
    """First column, the one behind the last, and whether it is a keyword, of each run of a row of Python."""
    runs: list[tuple[int, int, bool]] = []
    at = 0
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(row):
        keyword = kind in Keyword or kind in Operator.Word or text in KEYWORDS
        if text.strip():
            start = runs.pop()[0] if runs and runs[-1][2] == keyword else at
            runs.append((start, at + len(text.rstrip()), keyword))
        at += len(text)
    return tuple(runs)
