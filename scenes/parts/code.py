"""A function's source as it runs: the line that is executed, and the values that it produced."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pygments.lexers import PythonLexer
from pygments.token import Keyword, Operator

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import Said, clipped, joined
from scenes.parts.part import Atoms, Part, Room, View

PITCH, INSET, TITLE, MOST_LINES = 44.0, 20.0, 52.0, 10
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
        first = self._first(rows, most)
        shown = rows[first : first + most]
        height = TITLE + (len(shown) + 2) * PITCH + INSET
        box = Box(box.x, box.y + max(0.0, box.h - height) / 2, box.w, min(box.h, height))
        panel = box
        yield ("ground",), Block(panel, fill=t.panel, radius=10)
        at = (box.x + INSET, box.y + TITLE / 2 + 2)
        yield ("title",), Text(self.title, at, px=px, face="mono-bold", color=t.muted, ground=t.panel)
        for place, (i, j, row) in enumerate(shown):
            y = box.y + TITLE + (place + 0.5) * PITCH
            if i == self.line and j == 0:
                bar = Box(box.x + 6, y - PITCH / 2 + 1, box.w - 12, sum(1 for one in shown if one[0] == i) * PITCH - 2)
                yield ("cursor",), Block(bar, fill=theme.mix(t.panel, t.accent, 0.16), radius=5, acting=True)
            ground = theme.mix(t.panel, t.accent, 0.16) if i == self.line else t.panel
            for column, word, bold in words_of(row):
                face = "mono-bold" if bold else "mono"
                at = (box.x + INSET + column * advance * px, y)
                yield (self.title, i, j, column), Text(word, at, px=px, face=face, color=t.text, ground=ground)
        yield from self._values(view, panel, px, panel.bottom - INSET / 2 - 2 * PITCH)

    def _values(self, view: View, panel: Box, px: float, top: float) -> Atoms:
        """What is known, the newest in full colour, on two lines at most; the oldest make room."""
        t, room = view.theme, panel.w - 2 * INSET
        said = [(name, joined(" = ", (name, value))) for name, value in self.values]
        lines: list[list[tuple[int, str, float]]] = [[]]
        x = 0.0
        for place in range(len(said) - 1, -1, -1):
            text: str = said[place][1]
            while fonts.width(text, "mono", px) > room:
                text = clipped(text, 0, len(text) - 2) + "…"
            width = fonts.width(text, "mono", px)
            if lines[-1] and x + width > room:
                if len(lines) == 2:
                    break
                lines.append([])
                x = 0.0
            lines[-1].append((place, text, x))
            x += width + 32
        for row, line in enumerate(lines):
            for place, text, x in line:
                fresh = place >= len(said) - self.fresh
                at = (panel.x + INSET + x, top + (row + 0.5) * PITCH)
                color = t.text if fresh else t.muted
                key = ("value", said[place][0])
                yield key, Text(text, at, px=px, face="mono-bold" if fresh else "mono", color=color, ground=t.panel)

    def _first(self, rows: Sequence[tuple[int, int, Said]], most: int) -> int:
        """The first row shown, so that the line that runs can be seen."""
        at = next((k for k, row in enumerate(rows) if row[0] == self.line), 0)
        return max(0, min(at - most // 2, len(rows) - most))


def words_of(row: Said) -> Iterator[tuple[int, str, bool]]:
    """(column, text, whether it is a keyword) of each run of a row of Python."""
    column, start, run, bold = 0, 0, "", False
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(row):
        keyword = kind in Keyword or kind in Operator.Word or text in KEYWORDS
        if not text.strip():
            column += len(text)
            run += text
            continue
        if run.strip() and keyword != bold:
            yield from _cut(row, start, run, bold)
            run = ""
        if not run.strip():
            start, run, bold = column, "", keyword
        run += text
        column += len(text)
    if run.strip():
        yield from _cut(row, start, run, bold)


def _cut(row: Said, start: int, run: str, bold: bool) -> Iterator[tuple[int, str, bool]]:
    yield start, clipped(row, start, start + len(run.rstrip())), bold
