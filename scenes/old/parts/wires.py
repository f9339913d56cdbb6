"""Arrows from page tables to the pool, routed so that they cross no text."""

from __future__ import annotations

from typing import Any

from manim import Animation, Group, Scene

from scenes.old.animations import Vanish
from scenes.old.mobjects.pool import PagePool
from scenes.old.mobjects.table import ENTRY_H, Entry, PageTables
from scenes.old.mobjects.wire import BendWire, DrawWire, ShadeWire, Wire
from scenes.old.parts.plan import StagePlan

MOST = 16
DIM = 0.3
"""Opacity of an arrow that another request's is told apart from."""

LANE = 4.0
ROW_DELAY = 0.3

Key = tuple[str, int]
Route = list[tuple[float, float]]


class Wiring(Group):
    """The arrows that stand between the tables and the pool.

    Routes depend only on the tables and the plan, so a section that starts from a
    replayed state draws the same arrows as the one before left. Each arrow has a lane
    of its own; those to one page run side by side. `pool` has its pages where the one on
    stage has them.
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
        ends = sorted(
            (entry.page, place, logical)
            for place, row in enumerate(rows)
            for logical, entry in enumerate(row.entries)
            if (total <= MOST or row.task in focus) and entry.page < len(self.pool.pages)
        )
        wanted = {}
        for lane, (_, place, logical) in enumerate(ends):
            row = rows[place]
            lowest = place == len(rows) - 1
            route = self._route(row.entries[logical], place, logical, lowest, lane, len(ends))
            wanted[row.task, logical] = (route, row.hue)
        return wanted

    def _route(self, entry: Entry, place: int, logical: int, lowest: bool, lane: int, lanes: int) -> Route:
        band, gutter = self.plan.band, self.plan.gutter
        height = band.y + 12 + lane * min(LANE, (band.h - 30) / lanes)
        x, y = entry.box.cx, entry.box.bottom
        if lowest:
            below, down = (y + height) / 2, x
        else:
            below = entry.box.y + ENTRY_H + 5 + (logical % 4) * 3
            down = gutter.x + 8 + lane * min(LANE, (gutter.w - 16) / lanes)
        start = [(x, y), (x, below), (down, below), (down, height)]
        end = self.pool.approach(entry.page, height)
        nudge = (place % 3 - 1) * 16
        end = [*end[:-2], (end[-2][0] + nudge, end[-2][1]), (end[-1][0] + nudge, end[-1][1])]
        return start + end

    def show(self, focus: set[str], subjects: set[str]) -> None:  # type: ignore[override]
        """Draw the arrows at once; with `subjects` those of all others are dim."""
        for key, (route, color) in self.routes(focus).items():
            wire = self._add(key, route, color)
            wire.shade(self._opacity(key, subjects))

    @staticmethod
    def _opacity(key: Key, subjects: set[str]) -> float:
        return 1.0 if not subjects or key[0] in subjects else DIM

    def change(self, focus: set[str], subjects: set[str], delay: float) -> list[Animation]:
        """Animate to the arrows that the tables ask for now, dim as in `show`."""
        wanted = self.routes(focus)
        animations: list[Animation] = []
        for key, wire in list(self.wires.items()):
            route = wanted[key][0] if key in wanted else None
            if route == wire.route:
                continue
            if route is not None and len(route) == len(wire.route):
                animations.append(self._bend(wire, route))
            else:
                del self.wires[key]
                self.remove(wire)
                animations.append(Vanish(wire, seconds=0.3))
        for key, wire in self.wires.items():
            opacity = self._opacity(key, subjects)
            if opacity != wire.opacity:
                animations.append(ShadeWire(wire, opacity))
        for key, (route, color) in wanted.items():
            if key not in self.wires:
                wire = self._add(key, route, color)
                wire.opacity = self._opacity(key, subjects)
                self.remove(wire)
                animations.append(_DrawInto(self, wire, delay=delay))
        return animations

    @staticmethod
    def _bend(wire: Wire, route: Route) -> BendWire:
        """With its table row where that moves; else at once, out of the way of a new row."""
        if route[0] != wire.route[0]:
            return BendWire(wire, route, delay=ROW_DELAY)
        return BendWire(wire, route, seconds=0.35)

    def _add(self, key: Key, route: Route, color: str) -> Wire:
        wire = Wire(route, color)
        self.wires[key] = wire
        self.add(wire)
        return wire


class _DrawInto(DrawWire):
    def __init__(self, owner: Wiring, wire: Wire, **kwargs: Any) -> None:
        super().__init__(wire, **kwargs)
        self.owner = owner

    def clean_up_from_scene(self, scene: Scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)
        self.owner.add(self.mobject)
