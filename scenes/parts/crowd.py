"""The crowd: a bar for each request that runs, in order of admission, and for each that waits."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Cells, Move, Picture, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.story.history.turns import turns_of

LOW, TALL, HEAD, NAMES = 120.0, 340.0, 48.0, 44.0
PITCH, MOST_PITCH, LEAST_BAR = 3.0, 14.0, 4.0
BETWEEN, BIG, ASIDE = 48.0, 1.6 * theme.CAPTION, 0.35
"""Pixels between columns, those of the counts at the right, and the share of the width that they have at most."""
NEAR = {"running": 24, "waiting": 12}
"""Bars of a tall part at most: it is near to where requests come and go."""
ORDER = {"running": "the newest at the right", "waiting": "the next at the left"}


@dataclass(frozen=True)
class Crowd(Part):
    """Bars as high as the pages that each request holds, or, where it waits, needs; a waiting one is hollow.

    Colours are those of the map; `acting` requests have the accent, with their names where the part is
    `tall`: it then shows, as from near, the newest of those that run and the next of those that wait. At
    the right stands how often one had to give way, and how many tokens were computed again for that.
    """

    acting: tuple[str, ...] = ()
    tall: bool = False

    def room(self, view: View, width: float) -> Room:
        height = TALL if self.tall else LOW
        return Room(height, height)

    def draw(self, view: View, box: Box) -> Atoms:
        columns = self._columns(view, box)
        most = max(max(self._pages(view, kind, columns[kind][2]), default=1) for kind in ORDER)
        most = most if self.tall else max(view.final_pages, default=1)
        for kind, (place, room, cap) in columns.items():
            tasks = _tasks(view, kind)
            first, shown = self._drawn(tasks, kind, cap)
            yield from self._head(view, kind, Box(place, box.y, room, HEAD), tasks, len(tasks) - len(shown))
            edges, fills, lines = self._bars(view, kind, box, (place, room, cap), most)
            yield (kind, "bars"), Cells(edges, fills, lines=lines)
            if self.tall:
                yield from self._names(view, shown, edges[first:], box)
            yield (kind, "base"), Block(Box(place, box.bottom - 2, room, 2), fill=view.theme.empty, radius=0)
        if view.history.count("task_preempted"):
            yield from self._count(view, box)

    def _columns(self, view: View, box: Box) -> dict[str, tuple[float, float, int]]:
        """Left edge, width and most bars of each kind."""
        room = box.w - sum(width for *_, width in self._aside(view, box.w)) - BETWEEN
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

    def _pages(self, view: View, kind: str, cap: int) -> list[int]:
        """Pages that those who are drawn hold, or need where they wait."""
        tables, tasks = view.state.tables, view.state.tasks
        _, shown = self._drawn(_tasks(view, kind), kind, cap)
        if kind == "waiting":
            return [-(-tasks[task].n_tokens // view.page_size) for task in shown]
        return [len(tables[task]) for task in shown]

    def _bars(
        self, view: View, kind: str, box: Box, column: tuple[float, float, int], most: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Edges, fills and outlines of the bars, as many as fit; those that are not drawn cannot be seen."""
        x, room, cap = column
        pitch = room / (min(cap, NEAR[kind]) if self.tall else cap)
        waiting, pages = kind == "waiting", self._pages(view, kind, cap)
        first, shown = self._drawn(_tasks(view, kind), kind, cap)
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
        """Names of acting requests above all bars, with a line from each to its own."""
        for place, task in enumerate(shown):
            if task in self.acting:
                name = written("task.name", task, "name", task=task)
                half = fonts.width(name, "sans-bold", theme.LABEL) / 2
                at = (min(max(edges[place, 0], box.x + half), box.right - half), box.y + HEAD + 0.4 * NAMES)
                x, y = (edges[place, 0] + edges[place, 2]) / 2, at[1] + 0.6 * NAMES
                yield (task, "stem"), Block(Box(x - 1, y, 2, max(2, edges[place, 1] - y - 2)), fill=view.theme.accent)
                look: Look = {"face": "sans-bold", "color": view.theme.accent, "align": "center", "acting": True}
                yield (task, "name"), Text(name, at, **look)

    def _aside(self, view: View, width: float) -> list[tuple[str, str, Said, float]]:
        """What is counted at the right: what it is called, in words, the count, and its width; from the right."""
        history, px = view.history, theme.LEAST_SIZE
        if not (most := history.count("task_preempted")):
            return []
        lost = written("crowd.preempted", len(turns_of(history).lost(-1, view.state.seq)), "count")
        again, total = history.requests.again, history.requests.recomputed
        place = int(np.searchsorted(again.seq, view.state.seq, side="right"))
        twice = written("crowd.again", int(again.tokens[place - 1]) if place else 0, "count")
        found = []
        for key, words, number, high in ("gave way", "gave way", lost, most), ("again", "tokens again", twice, total):
            w = max(fonts.width(f"{high:,}", "mono-bold", BIG), fonts.width(words, "sans", px))
            found.append((key, words, number, w + BETWEEN))
        return found if total and sum(w for *_, w in found) < ASIDE * width else found[:1]

    def _count(self, view: View, box: Box) -> Atoms:
        t, right = view.theme, box.right
        for key, words, number, width in self._aside(view, box.w):
            look: Look = {"face": "mono-bold", "color": t.alarm if right == box.right else t.text, "align": "right"}
            yield (key, "count"), Text(number, (right, box.y + 30), px=BIG, **look)
            yield (key,), Text(words, (right, box.y + 78), px=theme.LEAST_SIZE, color=t.muted, align="right")
            right -= width

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
        """Heights of the bars of each kind, by that of the highest drawn of both."""
        found: dict[str, np.ndarray] = {}
        for kind in ORDER:
            if (cells := shown.get((self.key, kind, "bars"))) is not None:
                seen = (cells.rgba[:, 3] > 0) | (cells.lines[:, 3] > 0)
                found[kind] = (cells.edges[:, 3] - cells.edges[:, 1])[seen] - LEAST_BAR
        most = max((high.max(initial=1e-9) for high in found.values()), default=1e-9)
        bars = {kind: tuple((high / most).tolist()) for kind, high in found.items()}
        return {"crowd.bars": bars} if bars else {}


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
