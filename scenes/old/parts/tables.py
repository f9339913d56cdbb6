"""The page tables, and the arrows from them to the pool."""

from __future__ import annotations

from bisect import bisect_right
from operator import itemgetter

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.mobjects.pool import PagePool
from scenes.old.mobjects.table import PageTables, TableLook
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting
from scenes.old.parts.wires import Wiring
from scenes.story.beats import Focus

MOST_TABLES = 8


class TablesPart(Part):
    """One row for each task that holds pages; wired to the pool where there is one."""

    name = "tables"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        props = [prop for prop in setting.section.props if isinstance(prop, Focus)]
        self.focus = {task for prop in props for task in prop.tasks}
        self.tables = PageTables(
            setting.plan.tables, min(len(setting.looks.tasks), MOST_TABLES), len(str(setting.n_pages - 1)), self.focus
        )
        self.wiring: Wiring | None = None
        if "pool" in setting.cast:
            pool = PagePool(setting.n_pages, setting.looks.page_size, setting.plan.pool)
            self.wiring = Wiring(setting.plan, self.tables, pool)
        self._changed = [(e.seq, e.task) for e in setting.trace.find(event="table")]

    def mobjects(self) -> list[Group]:
        return [self.tables, *([self.wiring] if self.wiring is not None else [])]

    def show(self, state: State) -> None:
        self.tables.show(self._looks(state))
        if self.wiring is not None:
            self.wiring.show(set(self.tables.rows), self._subjects(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        rows = self.tables.rows
        before = {task: len(row.entries) for task, row in rows.items()}
        animations = self.tables.change(self._looks(state), delay=0.3)
        rows = self.tables.rows
        changed = {task for task, row in rows.items() if len(row.entries) != before.get(task, 0)}
        if self.wiring is not None:
            animations += self.wiring.change(changed or set(rows), self._subjects(state), delay=0.55)
        return animations

    def frame(self, state: State) -> list[TableLook]:
        return self._looks(state)

    def lapse(self, lapse: Lapse, frames: list[list[TableLook]]) -> list[Animation]:
        """Counts run through the frames' while all have the same tables."""
        if any(_entries(frame) != _entries(frames[0]) for frame in frames):
            return self.change(lapse.state, lapse.seconds)
        return self.tables.run(lapse.times, frames, lapse.seconds)

    def _looks(self, state: State) -> list[TableLook]:
        """All tables, those that the section is about first."""
        looks = self.setting.looks.tables(state)
        return sorted(looks, key=lambda look: look.task not in self.focus)

    def _subjects(self, state: State) -> set[str]:
        """Whose arrows to tell apart where tables share pages: of the table that changed last.

        Empty, all arrows being equal, while no page is shared and when that table is gone.
        """
        held = [page for pages in state.tables.values() for page in pages]
        if len(held) == len(set(held)):
            return set()
        last = bisect_right(self._changed, state.seq, key=itemgetter(0)) - 1
        return {self._changed[last][1]} & state.tables.keys() if last >= 0 else set()

    def nudge(self) -> list[Animation]:
        return [a for task in self.tables.rows for a in self.tables.flash(task)]

    def read(self) -> dict:
        return {
            "tables": {task: row.read() for task, row in self.tables.rows.items()},
            "hidden_tables": len(self.tables.hidden),
            "hidden_entries": {task: row.hidden for task, row in self.tables.rows.items()},
        }


def _entries(looks: list[TableLook]) -> list[tuple]:
    return [(look.task, look.pages, look.status) for look in looks]
