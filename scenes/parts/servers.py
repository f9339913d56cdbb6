"""Servers that the same requests are given to: what they are called, and the score of whom they serve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, Said, measure, say
from scenes.parts.chip import FACE, chip
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View

TAG = 40.0
HEIGHT, APART, NUMBER = 60.0, 8.0, 52.0


def title(rule: str, view: View) -> Said:
    """What a server is called that keeps a `rule` of `scenes.story.contiguous.RULES`, or is "pages"."""
    if rule == "pages":
        return say("pages of {}", view.ask.page_size())
    return say({"reserve": "one piece each", "closed": "but holes closed", "known": "but lengths known"}[rule])


def source(rule: str) -> str:
    """Where what is shown of it comes from."""
    return "recorded" if rule == "pages" else "computed"


def step_of(view: View) -> int:
    """The step at whose end the picture stands."""
    return view.state.step + view.beyond


def waiting(rule: str, view: View) -> Sequence[str]:
    """Who waits, the first first."""
    return view.state.waiting if rule == "pages" else view.ask.whole(step_of(view), rule).waiting


def served(rule: str, view: View) -> list[str]:
    """Who has been served, the first first."""
    return [task for task, step in view.ask.served(rule).items() if step <= step_of(view)]


def tag_width(task: str) -> float:
    """Width of a request's tag."""
    return max(44.0, fonts.width(task, FACE, theme.LEAST_SIZE) + 22)


def tag(view: View, task: str, x: float, y: float, *key: Any, z: int = 0) -> Atoms:
    """A smaller chip, the middle of its left edge at the pixel (`x`, `y`)."""
    box = Box(x, y - TAG / 2, tag_width(task), TAG)
    return chip(view, task, box, *key, px=theme.LEAST_SIZE, radius=6, z=z)


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
        return measure(name, len(served(self.rule, view)), **{} if self.rule == "pages" else {"rule": self.rule})

    def draw(self, view: View, box: Box) -> Atoms:
        t, tasks = view.theme, list(view.history.requests)
        unit, label = fonts.width(" served", "sans", theme.LABEL), fonts.width("waiting", "sans", theme.LABEL) + 20
        number = fonts.width("0" * len(str(len(tasks))), "mono-bold", NUMBER)
        yield ("unit",), Text("served", (box.right, box.cy), color=t.muted, align="right")
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
            yield from tag(view, task, box.x + label + i * pitch, box.cy)
        if len(line) > shown:
            more = say("+{}", measure("score.more", len(line) - shown, "plain", rule=self.rule, shown=shown))
            at = (box.x + label + shown * pitch, box.cy)
            yield ("more",), Text(more, at, px=theme.LEAST_SIZE, face="mono", color=t.muted)
        right = box.right - unit - number - 24
        for i, task in enumerate(done):
            yield from tag(view, task, right - (i + 1) * pitch, box.cy, "served", task)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Those that have been served fly out of the memory."""
        old = set(served(self.rule, then))
        for task in served(self.rule, now):
            end, start = after.get((self.key, "served", task, "chip")), before.get((self.memory, task, "chip"))
            if task not in old and isinstance(end, Block) and isinstance(start, Block):
                yield Move(start, end)

    def read(self, shown: Shown) -> Read:
        """Those that are drawn, from left to right."""
        tags = sorted((mobject.box.x, key[-2]) for key, mobject in shown.items() if key[-1] == "chip")
        return {f"score.{self.rule}": tuple(task for _, task in tags)}
