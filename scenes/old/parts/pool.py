"""The page pool, every page in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import Animation, Group, Mobject, Scene

from astrai_sim.trace import State
from scenes.old.animations import Appear, Flash
from scenes.old.mobjects.page import PageLook
from scenes.old.mobjects.pool import PagePool
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import CodeStep


class PoolPart(Part):
    """Pages with their slots, owners and refcounts; slots fill after `lag` seconds."""

    name = "pool"
    lag = 0.0

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.pool = PagePool(setting.n_pages, setting.looks.page_size, setting.plan.pool)

    def mobjects(self) -> list[Group]:
        return [self.pool]

    def show(self, state: State) -> None:
        for page in self.pool.pages:
            page.show(self.setting.looks.page(state, page.index))

    def change(self, state: State, seconds: float) -> list[Animation]:
        looks = {page.index: self.setting.looks.page(state, page.index) for page in self.pool.pages}
        schedule = self._schedule(state, looks, seconds)
        animations: list[Animation] = []
        for page in self.pool.pages:
            begin, length = schedule.get(page.index, (0.0, seconds))
            animations += page.change(looks[page.index], 0.0, begin + self.lag, length)
        return animations

    def frame(self, state: State) -> list[PageLook]:
        return [self.setting.looks.page(state, page.index) for page in self.pool.pages]

    def lapse(self, lapse: Lapse, frames: list[list[PageLook]]) -> list[Animation]:
        """Slots fill as the frames say; whatever else changes does at once."""
        animations: list[Animation] = []
        for place, page in enumerate(self.pool.pages):
            looks = [frame[place] for frame in frames]
            cells = page.run(lapse.times, looks, lapse.seconds)
            animations += [*page.change_marks(looks[-1]), *cells]
        return animations

    def _schedule(self, state: State, looks: dict[int, PageLook], seconds: float) -> dict[int, tuple[float, float]]:
        """(delay, seconds) of each page's slots: an owner's pages fill one after another."""
        changed = {
            page.index: int(np.any(page.slots.rgba != looks[page.index].cells, axis=1).sum())
            for page in self.pool.pages
        }
        order = {page: i for table in state.tables.values() for i, page in enumerate(table)}
        schedule: dict[int, tuple[float, float]] = {}
        by_owner: dict[tuple[str, ...], list[int]] = {}
        for page in sorted((p for p, n in changed.items() if n), key=lambda p: order.get(p, 0)):
            if looks[page].owners:
                by_owner.setdefault(looks[page].owners, []).append(page)
            else:
                schedule[page] = (0.0, min(seconds, 0.6))
        for pages in by_owner.values():
            total = sum(changed[page] for page in pages)
            start = 0.0
            for page in pages:
                share = seconds * changed[page] / total
                schedule[page] = (start, max(share, 0.2))
                start += share
        return schedule

    def reveal(self, scene: Scene) -> list[Animation]:
        """The pages fade in one after another; the pool takes them over afterwards."""
        self.pool.submobjects = []
        scene.add(self.pool)
        pause = min(0.12, 1.2 / len(self.pool.pages))
        return [_AppearPage(self.pool, page, delay=pause * i) for i, page in enumerate(self.pool.pages)]

    def revealed(self) -> None:
        self.pool.submobjects = list(self.pool.pages)

    def follow(self, step: CodeStep) -> list[Animation]:
        refs = [animation for page, ref in step.refs for animation in self.pool.pages[page].change_ref(ref)]
        marks = [a for page in step.uncached for a in self.pool.pages[page].unmark()]
        return refs + marks

    def flash(self, pages: list[int], pause: float = 0.0, delay: float = 0.0) -> list[Animation]:
        """Draw the eye to `pages`, one after another."""
        return [Flash(self.pool.pages[page].frame, delay=delay + pause * i) for i, page in enumerate(pages)]

    def nudge(self) -> list[Animation]:
        return self.flash([page.index for page in self.pool.pages])

    def read(self) -> dict:
        pages = {page.index: page.read() for page in self.pool.pages}
        return {
            "owners": {index: sorted(page["owners"]) for index, page in pages.items()},
            "colors": {index: page["color"] for index, page in pages.items()},
            "cached": {index: page["cached"] for index, page in pages.items()},
            "filled": {index: page["filled"] for index, page in pages.items()},
        }


class _AppearPage(Appear):
    """Fade a page in on its own, before the pool takes it over."""

    def __init__(self, pool: PagePool, page: Mobject, **kwargs: Any) -> None:
        super().__init__(page, **kwargs)
        self.pool = pool

    def clean_up_from_scene(self, scene: Scene) -> None:
        super().clean_up_from_scene(scene)
        scene.remove(self.mobject)
