"""The score of a server: who waits at its door, whom it has served, and how many."""

from collections.abc import Iterator
from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, measure, say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.servers import served, tag, tag_width, waiting

HEIGHT, APART, NUMBER = 60.0, 8.0, 52.0


@dataclass(frozen=True)
class Score(Part):
    """The queue of a server at the left, the first first, and at the right those that it has served,
    the first at the right; of many only the first, and the latest. `memory` is the part that they come from."""

    needs = Room(HEIGHT, HEIGHT)

    rule: str = "reserve"
    memory: str = ""

    def count(self, view: View) -> Measure:
        """How many it has served."""
        name = "requests.finished" if self.rule == "pages" else "contiguous.finished"
        rule = {} if self.rule == "pages" else {"rule": self.rule}
        return measure(name, len(served(self.rule, view)), **rule)

    def draw(self, view: View, box: Box) -> Atoms:
        t, tasks = view.theme, list(view.history.requests)
        unit, label = fonts.width(" served", "sans", theme.LABEL), fonts.width("waiting", "sans", theme.LABEL) + 20
        number = fonts.width("0" * len(str(len(tasks))), "mono-bold", NUMBER)
        at = (box.right, box.cy)
        yield ("unit",), Text("served", at, color=t.muted, align="right")
        text = say("{}", self.count(view))
        at = (box.right - unit - 4, box.cy)
        yield ("count",), Text(text, at, px=NUMBER, face="mono-bold", color=t.text, align="right")
        pitch = max(map(tag_width, tasks), default=44.0) + APART
        most = int((box.w - unit - number - label - 2 * pitch) / pitch)
        line, done = list(waiting(self.rule, view)), served(self.rule, view)
        if len(tasks) > most:
            done = done[-max(1, most // 3) :]
        yield ("label",), Text("waiting", (box.x, box.cy), color=t.muted)
        shown = max(1, most - len(done))
        for i, task in enumerate(line[:shown]):
            yield from tag((task,), task, (box.x + label + i * pitch, box.cy), view)
        if len(line) > shown:
            more = say("+{}", measure("score.more", len(line) - shown, "plain", rule=self.rule, shown=shown))
            at = (box.x + label + shown * pitch, box.cy)
            yield ("more",), Text(more, at, px=theme.LEAST_SIZE, face="mono", color=t.muted)
        right = box.right - unit - number - 24
        for i, task in enumerate(done):
            yield from tag(("served", task), task, (right - (i + 1) * pitch, box.cy), view)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Those that have been served fly out of the memory."""
        old = set(served(self.rule, then))
        for task in served(self.rule, now):
            end, start = after.get((self.key, "served", task, "tag")), before.get((self.memory, task, "tag"))
            if task not in old and isinstance(end, Block) and isinstance(start, Block):
                yield Move(start, end)

    def read(self, shown: Shown) -> Read:
        """Those that are drawn, from left to right."""
        tags = sorted((mobject.box.x, key[-2]) for key, mobject in shown.items() if key[-1] == "tag")
        return {f"score.{self.rule}": tuple(task for _, task in tags)}
