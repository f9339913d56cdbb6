"""The line of requests: those in memory in the order in which they were admitted, then those that wait."""

from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.chip import CHIP, chip, chip_width
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View

HEIGHT, LABELS, PAD, GAP, BORDER, MORE = 140.0, 42.0, 16.0, 14.0, 28.0, 70.0
AHEAD = 0.6
"""Share of the line that those in memory take at most."""
TITLES = "in memory, first admitted first", "waiting"


@dataclass(frozen=True)
class Queue(Part):
    """Requests in one line, the border between those in memory and those that wait among them.

    `acting` are requests that the caption speaks of, `tags` what is written below some, as (request,
    text). Where not all fit, the last of those in memory are shown and the first of those that wait.
    """

    needs = Room(HEIGHT, HEIGHT)

    acting: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LEAST_SIZE
        running, waiting = in_memory(view), view.state.waiting
        width = chip_width(*running, *waiting)
        step, room = width + GAP, box.w - 2 * (PAD + BORDER)
        ahead = min(len(running), max(1, int((AHEAD * room - MORE) / step)))
        taken = max(fonts.width(TITLES[0], "sans", px), ahead * step + (MORE if ahead < len(running) else 0.0))
        behind = min(len(waiting), max(0, int((room - taken - MORE) / step)))
        yield ("ground",), Block(box, fill=t.panel, radius=10)
        x, y, tags = box.x + PAD, box.y + LABELS, dict(self.tags)
        for kind, title, tasks, hidden in (
            ("memory", TITLES[0], running[len(running) - ahead :], len(running) - ahead),
            ("waiting", TITLES[1], waiting[:behind], len(waiting) - behind),
        ):
            yield (kind,), Text(title, (x, box.y + LABELS / 2), px=px, color=t.muted, ground=t.panel)
            end = x + fonts.width(title, "sans", px)
            more = say("+{}", measure(f"{kind}.more", hidden, "plain", shown=len(tasks)))
            at = (x if kind == "memory" else x + len(tasks) * step, y + CHIP / 2)
            if hidden:
                yield (kind, "more"), Text(more, at, px=px, face="mono", color=t.muted, ground=t.panel)
            x += MORE if hidden and kind == "memory" else 0.0
            for task in tasks:
                acting = task in self.acting
                edge: Look = {"stroke": t.accent if acting else view.hue(task), "width": 4.0 if acting else 2.0}
                yield from chip(view, task, Box(x, y, width, CHIP), early=True, acting=acting, **edge)
                if task in tags:
                    look: Look = {"px": px, "face": "mono-bold", "color": t.text, "ground": t.panel}
                    yield (task, "tag"), Text(tags[task], (x, y + CHIP + 24), **look)
                x += step
            if kind == "memory":
                x = max(x - GAP, end) + BORDER
                yield ("border",), Block(Box(x, box.y + 12, 2, LABELS + CHIP - 12), fill=t.muted, radius=1)
                x += BORDER

    def read(self, shown: Shown) -> Read:
        """The requests on both sides of the border, from left to right."""
        chips = sorted((mobject.box.cx, key[1]) for key, mobject in shown.items() if key[-1] == "chip")
        border = shown[self.key, "border"].box.x
        return {"line": ([task for x, task in chips if x < border], [task for x, task in chips if x > border])}


def in_memory(view: View) -> list[str]:
    """Requests that are admitted and not finished, in the order in which they were."""
    at = {}
    for task in view.state.tasks.values():
        if task.status in ("prefilling", "running"):
            events = view.history.requests[task.name].admitted
            at[task.name] = max((event.seq for event in events if event.seq <= view.state.seq), default=-1)
    return sorted(at, key=at.__getitem__)
