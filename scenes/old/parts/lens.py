"""A lens over the map: the pages that a section is about, with their slots."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Appear, Flash, Vanish
from scenes.old.mobjects.lens import Lens, lens_places
from scenes.old.mobjects.map import PageMap
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import Focus


class LensPart(Part):
    """A few pages as `scenes.old.mobjects.page` shows them, tied to their cells in the map.

    It stands in the panel's place while no panel does; a section's `Focus` names the
    pages that it opens with.
    """

    name = "lens"
    in_panel = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        focus = next((p for p in setting.section.props if isinstance(p, Focus)), Focus())
        self.places = lens_places(setting.n_pages, setting.plan.panel)
        self.pages = focus.pages[: self.places]
        self.map = PageMap(setting.n_pages, setting.plan.map)
        self.lens: Lens | None = None

    def mobjects(self) -> list[Group]:
        return [self.lens] if self.lens is not None else []

    def show(self, state: State) -> None:
        if self.pages:
            plan = self.setting.plan
            self.lens = Lens(self.pages, self.places, self.setting.looks.page_size, plan.panel, plan.band, self.map)
            for page in self.lens.pages:
                page.show(self.setting.looks.page(state, page.index))

    def change(self, state: State, seconds: float) -> list[Animation]:
        if self.lens is None:
            self.show(state)
            return [Appear(self.lens, delay=0.3)] if self.lens is not None else []
        looks = self.setting.looks
        return [
            animation
            for page in self.lens.pages
            for animation in page.change(looks.page(state, page.index), 0.0, 0.0, seconds)
        ]

    def open(self, state: State, pages: tuple[int, ...]) -> list[Animation]:
        """Show other pages instead, as they are in `state`."""
        leaving = self.leave()
        self.pages = pages[: self.places]
        self.show(state)
        if self.lens is None:
            return leaving
        return [*leaving, Appear(self.lens, delay=0.3 if leaving else 0.0)]

    def leave(self) -> list[Animation]:
        gone, self.lens = self.lens, None
        return [Vanish(gone, seconds=0.3)] if gone is not None else []

    def nudge(self) -> list[Animation]:
        return [Flash(page.frame) for page in self.lens.pages] if self.lens is not None else []

    def read(self) -> dict:
        if self.lens is None:
            return {}
        return {"lens_cells": self.lens.cells()} | self.lens.read()
