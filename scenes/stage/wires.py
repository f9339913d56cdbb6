"""Arrows from page tables to the pool, routed so that they cross no text."""

from __future__ import annotations

from manim import Animation, Group

from scenes.animations import Vanish
from scenes.mobjects.pool import PagePool
from scenes.mobjects.table import ENTRY_H, PageTables
from scenes.mobjects.wire import DrawWire, Wire
from scenes.stage.plan import StagePlan

LANES = 12
MOST = 16

Key = tuple[str, int]
Route = list[tuple[float, float]]


class Wiring(Group):
    """The arrows that stand between the tables and the pool.

    A route depends only on the tables, the page and the plan, so a section that
    starts from a replayed state draws the same arrows as the one before left.
    With more than `MOST` entries in all, only the tables named in `focus` are wired.
    """

    def __init__(self, plan: StagePlan, tables: PageTables, pool: PagePool) -> None:
        self.plan = plan
        self.tables = tables
        self.pool = pool
        self.wires: dict[Key, Wire] = {}
        super().__init__()

    def routes(self, focus: set[str]) -> dict[Key, tuple[Route, str]]:
        """Route and colour of every arrow that should stand, by (task, logical index)."""
        rows = list(self.tables.rows.values())
        total = sum(len(row.entries) for row in rows)
        wanted = {}
        for place, row in enumerate(rows):
            if total > MOST and row.task not in focus:
                continue
            lowest = place == len(rows) - 1
            for logical, entry in enumerate(row.entries):
                if entry.page >= len(self.pool.pages):
                    continue
                wanted[row.task, logical] = (
                    self._route(entry, place, logical, lowest),
                    row.hue,
                )
        return wanted

    def _route(self, entry, place: int, logical: int, lowest: bool) -> Route:
        lanes = min(LANES, len(self.pool.pages))
        lane = entry.page % lanes
        band = self.plan.band
        height = band.y + 12 + lane * (band.h - 30) / lanes
        x, y = entry.box.cx, entry.box.bottom
        if lowest:
            start = [(x, y), (x, height)]
        else:
            below = entry.box.y + ENTRY_H + 5 + (logical % 4) * 3
            gutter = self.plan.gutter
            down = gutter.x + 8 + lane * (gutter.w - 16) / lanes
            start = [(x, y), (x, below), (down, below), (down, height)]
        end = self.pool.approach(entry.page, height)
        nudge = (place % 3 - 1) * 16
        end = [*end[:-2], (end[-2][0] + nudge, end[-2][1]), (end[-1][0] + nudge, end[-1][1])]
        return start + end

    def show(self, focus: set[str]) -> None:
        """Draw the arrows at once."""
        for key, (route, color) in self.routes(focus).items():
            self._add(key, route, color)

    def change(self, focus: set[str], delay: float) -> list[Animation]:
        """Animate to the arrows that the tables ask for now."""
        wanted = self.routes(focus)
        animations: list[Animation] = []
        for key, wire in list(self.wires.items()):
            if key not in wanted or wanted[key][0] != wire.route:
                del self.wires[key]
                self.remove(wire)
                animations.append(Vanish(wire, seconds=0.3))
        for key, (route, color) in wanted.items():
            if key not in self.wires:
                wire = self._add(key, route, color)
                self.remove(wire)
                animations.append(_DrawInto(self, wire, delay=delay))
        return animations

    def _add(self, key: Key, route: Route, color: str) -> Wire:
        wire = Wire(route, color)
        self.wires[key] = wire
        self.add(wire)
        return wire


class _DrawInto(DrawWire):
    def __init__(self, owner: Wiring, wire: Wire, **kwargs) -> None:
        super().__init__(wire, **kwargs)
        self.owner = owner

    def clean_up_from_scene(self, scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)
        self.owner.add(self.mobject)
