"""What requests have answered so far, in their own words."""

from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import written
from scenes.parts.part import Atoms, Part, Room, View
from scenes.parts.speech import answer, lines
from scenes.parts.tape import CHIP, CHIP_GAP, chip_width

PITCH, MOST, GAP = 1.3, 2, 20.0


@dataclass(frozen=True)
class Answers(Part):
    """The answers of `tasks`, a row each: the last lines of each, with a bar where the next word will be."""

    tasks: tuple[str, ...] = ()

    def room(self, view: View, width: float) -> Room:
        n, row = max(1, len(self.tasks)), MOST * PITCH * theme.CAPTION
        return Room(n * row + (n - 1) * GAP, n * row + (n - 1) * 2 * GAP)

    def draw(self, view: View, box: Box) -> Atoms:
        px, t = theme.CAPTION, view.theme
        chip = max((chip_width(task, view) for task in self.tasks), default=64.0)
        for task, row in zip(self.tasks, box.rows(max(1, len(self.tasks)), GAP), strict=False):
            if task not in view.state.tasks:
                continue
            hue, x = view.hue(task), row.x + chip + CHIP_GAP
            yield (task, "chip"), Block(Box(row.x, row.cy - CHIP / 2, chip, CHIP), fill=hue, keeps=True)
            name = written("task.name", task, "name", task=task)
            look = {"face": "sans-bold", "color": t.ground, "align": "center", "ground": hue, "keeps": True}
            yield (task, "name"), Text(name, (row.x + chip / 2, row.cy), **look)
            said = lines(answer(view, task), "sans", px, row.right - x - 20)
            shown = said[-MOST:]
            y = row.cy - (len(shown) - 1) / 2 * PITCH * px
            for i, line in enumerate(shown):
                at = (x, y + i * PITCH * px)
                yield (task, "line", len(said) - len(shown) + i), Text(line, at, px=px, color=t.text)
            end = x + (fonts.width(shown[-1], "sans", px) + 8 if shown else 0.0)
            caret = Box(end, y + max(0, len(shown) - 1) * PITCH * px - 0.5 * px, 5, px)
            running = view.state.tasks[task].status == "running"
            yield (task, "caret"), Block(caret, fill=hue if running else None, stroke=hue, width=1, radius=1)
