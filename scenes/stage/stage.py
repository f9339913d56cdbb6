"""The mobjects of one section, built from a replayed state and changed by beats."""

from __future__ import annotations

from functools import singledispatchmethod

import numpy as np
from manim import Animation, Group

from astrai_sim.trace import State, Trace
from scenes.animations import Appear, Vanish
from scenes.layout import FRAME, Box
from scenes.mobjects.badge import Badge
from scenes.mobjects.bars import BarsPanel
from scenes.mobjects.bitmask import Bitmask
from scenes.mobjects.caption import Caption
from scenes.mobjects.code import CodePanel
from scenes.mobjects.facts import FactsPanel
from scenes.mobjects.gather import GatherPanel
from scenes.mobjects.header import ChapterTitle, PhaseIndicator
from scenes.mobjects.meters import Meters
from scenes.mobjects.pool import PagePool
from scenes.mobjects.table import PageTables
from scenes.stage.looks import Looks
from scenes.stage.plan import StagePlan
from scenes.stage.reading import STILL, Reader
from scenes.stage.wires import Wiring
from scenes.storyboard.beats import (
    Advance,
    Beat,
    ClosePanel,
    Hold,
    OpenCode,
    Reveal,
    RunCode,
    Section,
    ShowBars,
    ShowFacts,
    ShowGather,
)

PARTS = ("pool", "mask", "tables")


class Stage:
    """What a section shows, and how each kind of beat changes it.

    `mount` builds everything from the state at the section's start; `play`
    runs one beat; `settle` ends the section; `read` says what is shown.
    """

    def __init__(self, scene, trace: Trace, section: Section) -> None:
        self.scene = scene
        self.trace = trace
        self.section = section
        cache = trace.header.scenario["cache"]
        self.plan = StagePlan.of(FRAME, cache["n_pages"])
        self.looks = Looks(trace)
        self.state: State = trace.state_at(section.start)
        self.shown: set[str] = set(section.stage)
        self.pool = PagePool(cache["n_pages"], cache["page_size"], self.plan.pool)
        self.mask = Bitmask(cache["n_pages"], self.plan.mask)
        self.tables = PageTables(self.plan.tables, min(len(self.looks.tasks), 8))
        self.wiring = Wiring(self.plan, self.tables, self.pool)
        self.title = ChapterTitle(section.title, self.plan.title)
        self.phases = PhaseIndicator(self.plan.phases)
        self.caption = Caption(self.plan.caption)
        self.badge = Badge(trace.header, self.plan.badge)
        self.reader = Reader(scene, self.caption)
        self.panel: Group | None = None
        self.meters: Meters | None = None
        self.opening: list[Animation] = []

    def mount(self) -> None:
        """Put the section's first picture on the scene; only the title is still to come."""
        for index, page in enumerate(self.pool.pages):
            page.show(self.looks.page(self.state, index))
        self.mask.show(self.state.mask_bits())
        self.tables.show(self.looks.tables(self.state))
        self.wiring.show(set(self.tables.rows))
        self.phases.show(self.state.step, self.state.phase)
        self.scene.add(*self._parts(self.shown), self.phases, self.badge, self.caption)
        if "tables" in self.shown and self.tables.rows:
            self.meters = self._new_meters(self.state)
            self.scene.add(self.meters)
        self.opening = [Appear(self.title)]

    def _new_meters(self, state: State) -> Meters:
        meters = Meters(
            self.plan.panel, self.looks.longest, self.looks.page_size, len(self.looks.tasks)
        )
        meters.show(self.looks.tables(state))
        return meters

    def _meter_changes(self, state: State, seconds: float) -> list[Animation]:
        """Fill the panel's place with the meters whenever nothing else stands there."""
        looks = self.looks.tables(state)
        if self.meters is not None:
            if looks:
                return self.meters.change(looks, seconds)
            gone, self.meters = self.meters, None
            return [Vanish(gone)]
        if self.panel is None and "tables" in self.shown and looks:
            self.meters = self._new_meters(state)
            return [Appear(self.meters, delay=0.3)]
        return []

    def _parts(self, names: set[str]) -> list[Group]:
        parts: list[Group] = []
        if "pool" in names:
            parts.append(self.pool)
        if "mask" in names:
            parts.append(self.mask)
        if "tables" in names:
            parts += [self.tables, self.wiring]
        return parts

    def play(self, beat: Beat) -> None:
        """Run one beat; afterwards the stage shows the state after event `beat.until`."""
        if beat.caption is not None:
            self._linger(self.reader.missing())
            self.opening += self.caption.change(beat.caption)
        self._run(beat)
        if self.opening:
            self._play([])
        self._catch_up(beat.until)

    def settle(self) -> None:
        """Leave time to read, then clear what does not go over into the next section."""
        self._linger(self.reader.missing())
        leaving = [Vanish(self.title)]
        if self.caption.current is not None:
            leaving.append(Vanish(self.caption))
        if self.panel is not None:
            leaving.append(Vanish(self.panel))
            self.panel = None
        self.scene.play(*leaving)

    def read(self) -> dict:
        """What the mobjects show now, read back from them."""
        shown: dict = {}
        if "pool" in self.shown:
            pages = {page.index: page.read() for page in self.pool.pages}
            shown["refs"] = {index: page["ref"] for index, page in pages.items()}
            shown["owners"] = {index: sorted(page["owners"]) for index, page in pages.items()}
            shown["colors"] = {index: page["color"] for index, page in pages.items()}
            shown["filled"] = {index: page["filled"] for index, page in pages.items()}
        if "mask" in self.shown:
            shown["mask"] = self.mask.text
        if "tables" in self.shown:
            rows = {task: row.read() for task, row in self.tables.rows.items()}
            shown["tables"] = {task: pages for task, (pages, _) in rows.items()}
            shown["tokens"] = {task: counts for task, (_, counts) in rows.items()}
            shown["hidden_tables"] = len(self.tables.hidden)
            if self.meters is not None:
                shown["meters"] = self.meters.read()
            shown["hidden_entries"] = {t: row.hidden for t, row in self.tables.rows.items()}
        return shown

    def _play(self, animations: list[Animation]) -> None:
        """Play `animations` together with what is waiting for the next play."""
        animations = self.opening + animations
        fresh_caption = any(a.mobject is self.caption.current for a in self.opening)
        self.opening = []
        if animations:
            self.scene.play(*animations)
        if fresh_caption:
            self.reader.started()

    def _linger(self, seconds: float) -> None:
        """Wait for `seconds`, drawing the eye back to the tables when that is long."""
        while seconds > STILL:
            self.scene.hold(STILL - 0.7)
            nudge = [a for task in self.tables.rows for a in self.tables.flash(task)]
            nudge = nudge if "tables" in self.shown else []
            if not nudge:
                nudge = self._nudge()
            self.scene.play(*nudge)
            seconds -= STILL
        self.scene.hold(seconds)

    def _nudge(self) -> list[Animation]:
        from scenes.animations import Flash

        if self.panel is not None:
            return [Flash(self.panel.back)]
        return [Flash(page.frame) for page in self.pool.pages if "pool" in self.shown] or [
            Flash(next(iter(self.phases.pills.values())))
        ]

    def _catch_up(self, until: int) -> None:
        """Animate whatever a beat left undone on the way to its state."""
        if until > self.state_seq:
            self._advance(until, 0.6)

    @property
    def state_seq(self) -> int:
        return getattr(self, "_state_seq", self.section.start)

    def _advance(self, until: int, seconds: float) -> None:
        state = self.trace.state_at(until)
        animations: list[Animation] = []
        if "mask" in self.shown:
            animations += self.mask.change(state.mask_bits())
        wire_delay = 0.35
        if "tables" in self.shown:
            before = {task: len(row.entries) for task, row in self.tables.rows.items()}
            looks = self.looks.tables(state)
            animations += self.tables.change(looks, delay=0.3, tick=seconds)
            focus = {
                task for task, row in self.tables.rows.items()
                if len(row.entries) != before.get(task, 0)
            }
            drawn = self.wiring.change(focus or set(self.tables.rows), delay=wire_delay + 0.2)
            animations += drawn
        if "pool" in self.shown:
            animations += self._pool_changes(state, seconds)
        animations += self._meter_changes(state, seconds)
        animations += self.phases.change(state.step, state.phase)
        self.state = state
        self._state_seq = until
        self._play(animations)

    def _pool_changes(self, state: State, seconds: float) -> list[Animation]:
        looks = [self.looks.page(state, page.index) for page in self.pool.pages]
        changed = {
            page.index: int(np.any(page.slots.rgba != look.cells, axis=1).sum())
            for page, look in zip(self.pool.pages, looks, strict=True)
        }
        order = {page: i for table in state.tables.values() for i, page in enumerate(table)}
        schedule: dict[int, tuple[float, float]] = {}
        clearing = [p for p, n in changed.items() if n and not looks[p].owners]
        filling = [p for p, n in changed.items() if n and looks[p].owners]
        for page in clearing:
            schedule[page] = (0.0, min(seconds, 0.6))
        by_owner: dict[tuple[str, ...], list[int]] = {}
        for page in sorted(filling, key=lambda p: order.get(p, 0)):
            by_owner.setdefault(looks[page].owners, []).append(page)
        for pages in by_owner.values():
            total = sum(changed[page] for page in pages)
            start = 0.0
            for page in pages:
                share = seconds * changed[page] / total
                schedule[page] = (start, max(share, 0.2))
                start += share
        animations: list[Animation] = []
        for page, look in zip(self.pool.pages, looks, strict=True):
            begin, length = schedule.get(page.index, (0.0, seconds))
            animations += page.change(look, 0.0, begin, length)
        return animations

    def _replace_panel(self, panel: Group | None) -> list[Animation]:
        animations: list[Animation] = []
        delay = 0.0
        for old in (self.panel, self.meters):
            if old is not None:
                animations.append(Vanish(old, seconds=0.3))
                delay = 0.3
        self.panel = panel
        self.meters = None
        if panel is not None:
            animations.append(Appear(panel, delay=delay))
        else:
            animations += self._meter_changes(self.state, 0.5)
        return animations

    @property
    def _panel_box(self) -> Box:
        return self.plan.panel if "pool" in self.shown else self.plan.tall_panel

    @singledispatchmethod
    def _run(self, beat: Beat) -> None:
        raise TypeError(f"no stage direction for {type(beat).__name__}")

    @_run.register
    def _(self, beat: Hold) -> None:
        self._play([])
        self._linger(max(beat.seconds, 0.0))

    @_run.register
    def _(self, beat: Advance) -> None:
        self._advance(beat.until, beat.seconds)

    @_run.register
    def _(self, beat: Reveal) -> None:
        self.shown |= set(beat.parts)
        parts = self._parts(set(beat.parts))
        animations: list[Animation] = []
        for part in parts:
            if part is self.pool:
                animations += [
                    _AppearPage(self.pool, page, delay=0.12 * i)
                    for i, page in enumerate(self.pool.pages)
                ]
                self.scene.add(self.pool)
            else:
                animations.append(Appear(part, delay=0.4))
        if "pool" in beat.parts:
            self.pool.submobjects = []
        self._play(animations)
        if "pool" in beat.parts:
            self.pool.submobjects = list(self.pool.pages)

    @_run.register
    def _(self, beat: OpenCode) -> None:
        self._play(self._replace_panel(CodePanel(beat.title, beat.lines, self._panel_box)))

    @_run.register
    def _(self, beat: RunCode) -> None:
        for step in beat.steps:
            began = self.scene.clock
            animations = self.panel.step(step.line, step.values)
            if step.mask is not None and "mask" in self.shown:
                bits = format(step.mask, f"0{self.mask.n_bits}b")
                animations += self.mask.change(bits, delay=0.25)
            for page, ref in step.refs:
                animations += self.pool.pages[page].change_ref(ref)
            self._play(animations)
            self.scene.hold(beat.pace - (self.scene.clock - began))
        self._advance(beat.until, beat.seconds)

    @_run.register
    def _(self, beat: ClosePanel) -> None:
        self._play(self._replace_panel(None))

    @_run.register
    def _(self, beat: ShowFacts) -> None:
        self._play(self._replace_panel(FactsPanel(beat.title, beat.facts, self._panel_box)))

    @_run.register
    def _(self, beat: ShowBars) -> None:
        panel = BarsPanel(
            beat.title, beat.bars, beat.scale, beat.places, self.looks.colors, self._panel_box
        )
        if isinstance(self.panel, BarsPanel):
            self._play(self.panel.extend(panel))
        else:
            self._play(self._replace_panel(panel))

    @_run.register
    def _(self, beat: ShowGather) -> None:
        panel = GatherPanel(
            beat.task, beat.runs, self.looks.colors[beat.task], self.pool.pages[0].page_size,
            self._panel_box,
        )
        self._play(self._replace_panel(panel))
        from scenes.animations import Flash

        self._play(
            [
                Flash(self.pool.pages[run.page].frame, delay=0.5 * i)
                for i, run in enumerate(beat.runs)
            ]
        )


class _AppearPage(Appear):
    """Fade a page in on its own, before the pool takes it over."""

    def __init__(self, pool: PagePool, page, **kwargs) -> None:
        super().__init__(page, **kwargs)
        self.pool = pool

    def clean_up_from_scene(self, scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)


__all__ = ["PARTS", "Stage"]
