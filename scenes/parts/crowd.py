"""The crowd: a bar for each request that runs, in order of admission, and for each that waits."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Cells, Move, Picture, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.story.history.turns import turns_of

LOW, TALL, HEAD, NAMES = 96.0, 340.0, 48.0, 44.0
PITCH, MOST_PITCH, LEAST_BAR = 3.0, 14.0, 4.0
BETWEEN, BIG = 48.0, 1.6 * theme.CAPTION
NEAR = {"running": 24, "waiting": 12}
"""Bars of a tall part at most: it is near to where requests come and go."""
ORDER = {"running": "the newest at the right", "waiting": "the next at the left"}


@dataclass(frozen=True)
class Crowd(Part):
    """Bars as high as the pages that each request holds, or, where it waits, needs; a waiting one is hollow.

    Colours are those of the map; `acting` requests have the accent, with their names where the part is
    `tall`: it then shows, as from near, the newest of those that run and the next of those that wait. At
    the right stands how often one had to give way.
    """

    acting: tuple[str, ...] = ()
    tall: bool = False

    def room(self, view: View, width: float) -> Room:
        height = TALL if self.tall else LOW
        return Room(height, height)

    def draw(self, view: View, box: Box) -> Atoms:
        for kind, (place, room, cap) in self._columns(view, box).items():
            tasks = _tasks(view, kind)
            first, shown = self._drawn(tasks, kind, cap)
            yield from self._head(view, kind, Box(place, box.y, room, HEAD), tasks, len(tasks) - len(shown))
            edges, fills, lines = self._bars(view, kind, box, place, room, first, shown, cap)
            yield (kind, "bars"), Cells(edges, fills, lines=lines)
            if self.tall:
                yield from self._names(view, shown, edges[first:], box)
            yield (kind, "base"), Block(Box(place, box.bottom - 2, room, 2), fill=view.theme.empty, radius=0)
        if view.history.count("task_preempted"):
            yield from self._count(view, box)

    def _columns(self, view: View, box: Box) -> dict[str, tuple[float, float, int]]:
        """Left edge, width and most bars of each kind."""
        room = box.w - self._aside(view) - BETWEEN
        caps = capacities(view, room)
        pitch = min(MOST_PITCH, room / sum(caps))
        least = min(0.5 * room, 230)
        first = min(max(least, caps[0] * pitch), room - least)
        second = min(max(least, caps[1] * pitch), room - first)
        return {
            "running": (box.x, first, max(caps[0], int(first / MOST_PITCH))),
            "waiting": (box.x + first + BETWEEN, second, max(caps[1], int(second / MOST_PITCH))),
        }

    def _drawn(self, tasks: list[str], kind: str, cap: int) -> tuple[int, list[str]]:
        """The place of the first that is drawn among `cap` bars, and those that are."""
        whole = _shown(tasks, kind, cap)
        shown = _shown(whole, kind, NEAR[kind]) if self.tall else whole
        return (len(whole) - len(shown) if kind == "running" else 0), shown

    def _bars(
        self, view: View, kind: str, box: Box, x: float, room: float, first: int, shown: list[str], cap: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges, fills and outlines of the bars, `cap` of them; those that are not drawn cannot be seen."""
        pitch = room / (min(cap, NEAR[kind]) if self.tall else cap)
        tables, tasks = view.state.tables, view.state.tasks
        waiting = kind == "waiting"
        pages = [-(-tasks[task].n_tokens // view.page_size) if waiting else len(tables[task]) for task in shown]
        most = max(pages if self.tall else view.final_pages, default=1)
        high, low = box.h - HEAD - (NAMES if self.tall else 0.0) - LEAST_BAR - 4, box.bottom - 4
        left = np.clip(x + (np.arange(cap) - first) * pitch, x, x + room - pitch)
        edges = np.stack(np.broadcast_arrays(left, low, left + max(pitch - 1.0, 0.7 * pitch), low), axis=1)
        fills, lines = np.zeros((cap, 4)), np.zeros((cap, 4))
        for place, task in enumerate(shown, first):
            edges[place, 1] -= LEAST_BAR + high * pages[place - first] / most
            color = view.theme.muted if waiting else turn_hue(view, task)
            (lines if waiting else fills)[place] = rgba(view.theme.accent if task in self.acting else color)
        return edges, fills, lines

    def _head(self, view: View, kind: str, box: Box, tasks: list[str], more: int) -> Atoms:
        t, big, px, y = view.theme, theme.CAPTION, theme.LEAST_SIZE, box.y + 20
        number = written(f"crowd.{kind}", len(tasks), "count")
        yield (kind, "number"), Text(number, (box.x, y), px=big, face="mono-bold", color=t.text)
        most = max(len(tasks), int(getattr(view.history.series, kind).max(initial=0)))
        x = box.x + fonts.width(f"{most:,}", "mono-bold", big) + 14
        text = label = f"{kind}, {ORDER[kind]}"
        if not self.tall or x + fonts.width(f"{label}; {most:,} not drawn", "sans", px) > box.right:
            text = label = kind
        if more:
            hidden = measure(f"crowd.{kind}.more", more, "count", shown=len(tasks) - more)
            text = say("{}; {} not drawn" if self.tall else "{}, {} of them not drawn", label, hidden)
            text = text if x + fonts.width(text, "sans", px) <= box.right else say("{}, +{}", kind, hidden)
        yield (kind, "label"), Text(text, (x, y + 4), px=px, color=t.muted)

    def _names(self, view: View, shown: list[str], edges: np.ndarray, box: Box) -> Atoms:
        """Names of acting requests above their bars."""
        for place, task in enumerate(shown):
            if task in self.acting:
                name = written("task.name", task, "name", task=task)
                half = fonts.width(name, "sans-bold", theme.LABEL) / 2
                at = (min(max(edges[place, 0], box.x + half), box.right - half), edges[place, 1] - 26)
                look: Look = {"face": "sans-bold", "color": view.theme.accent, "align": "center", "acting": True}
                yield (task, "name"), Text(name, at, **look)

    def _aside(self, view: View) -> float:
        """The width that the count of those that gave way has."""
        most = view.history.count("task_preempted")
        number, words = fonts.width(f"{most:,}", "mono-bold", BIG), fonts.width("gave way", "sans", theme.LEAST_SIZE)
        return max(number, words) + BETWEEN if most else 0.0

    def _count(self, view: View, box: Box) -> Atoms:
        t = view.theme
        number = written("crowd.preempted", len(turns_of(view.history).lost(-1, view.state.seq)), "count")
        yield ("count",), Text(number, (box.right, box.y + 30), px=BIG, face="mono-bold", color=t.alarm, align="right")
        at = (box.right, box.y + 78)
        yield ("gave way",), Text("gave way", at, px=theme.LEAST_SIZE, color=t.muted, align="right")

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """A request that has to give way flies from the end of those that run to the head of those that wait."""
        for loss in turns_of(now.history).lost(then.state.seq, now.state.seq)[:6]:
            start, end = self._bar(before, "running", then, loss.task), self._bar(after, "waiting", now, loss.task)
            if start is not None and end is not None:
                first, last = (Block(bar, fill=now.theme.accent, radius=1.0, z=FLYING) for bar in (start, end))
                yield Move(first, last, 0.0, 1.4)

    def _bar(self, picture: Picture, kind: str, view: View, task: str) -> Box | None:
        """Where a request's bar stands in `picture`."""
        cells = picture.get((self.key, kind, "bars"))
        if not isinstance(cells, Cells):
            return None
        first, shown = self._drawn(_tasks(view, kind), kind, len(cells.edges))
        if task not in shown:
            return None
        x, y, right, bottom = cells.edges[first + shown.index(task)]
        return Box(x, y, right - x, bottom - y)

    def read(self, shown: Shown) -> Read:
        """Heights of the bars of each kind, by that of the highest drawn."""
        found: dict[str, tuple[float, ...]] = {}
        for kind in ORDER:
            if (cells := shown.get((self.key, kind, "bars"))) is not None:
                seen = (cells.rgba[:, 3] > 0) | (cells.lines[:, 3] > 0)
                high = (cells.edges[:, 3] - cells.edges[:, 1])[seen] - LEAST_BAR
                found[kind] = tuple(np.round(high / max(1e-9, high.max(initial=0.0)), 3).tolist())
        return {"crowd.bars": found} if found else {}


def capacities(view: View, room: float) -> tuple[int, int]:
    """Most bars of running and of waiting requests that are drawn in so many pixels."""
    series, n = view.history.series, len(view.history.requests)
    running = max(4, min(n, view.trace.header.scenario.scheduler.max_batch, int(0.7 * room / PITCH)))
    return running, max(4, min(int(series.waiting.max(initial=0)) + 2, int(room / PITCH) - running))


def _tasks(view: View, kind: str) -> list[str]:
    """Running requests in order of their last admission, or waiting ones, the next first."""
    state, turns = view.state, turns_of(view.history)
    if kind == "waiting":
        return state.waiting
    index = view.history.requests.index
    tasks = [task for task in state.tables if state.tasks[task].status in ("prefilling", "running")]
    return sorted(tasks, key=lambda task: (turns.since(task, state.seq), index[task]))


def _shown(tasks: list[str], kind: str, cap: int) -> list[str]:
    """Those that are drawn: of those that run the last admitted, of those that wait the next."""
    return tasks[-cap:] if kind == "running" else tasks[:cap]


def turn_hue(view: View, task: str) -> str:
    """The colour of a running request: those of the crowd in turn, by admission."""
    crowd, place = view.theme.crowd, turns_of(view.history).place[view.history.requests[task].index]
    return crowd[int(place) % len(crowd)]
