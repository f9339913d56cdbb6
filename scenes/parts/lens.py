"""A lens over the map: the pages that a section is about, with their slots."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.draw.animations import Appear, Flash, Vanish
from scenes.draw.mobjects.lens import Lens, lens_places
from scenes.parts.part import Part
from scenes.story.beats import Focus


class LensPart(Part):
    """A few pages as `scenes.draw.mobjects.page` shows them, tied to their cells in the map.

    It stands in the panel's place while no panel does; a section's `Focus` names the
    pages that it opens with.
    """

    name = "lens"
    in_panel = True

    def __init__(self, stage) -> None:
        super().__init__(stage)
        focus = next((p for p in stage.section.props if isinstance(p, Focus)), Focus())
        self.places = lens_places(stage.n_pages, stage.plan.panel)
        self.pages = focus.pages[: self.places]
        self.lens: Lens | None = None

    def mobjects(self):
        return [self.lens] if self.lens is not None else []

    def show(self, state: State) -> None:
        if self.pages:
            self.lens = Lens(
                self.pages, self.places, self.stage.looks.page_size, self.stage.plan, self.stage.part("map").map
            )
            for page in self.lens.pages:
                page.show(self.stage.looks.page(state, page.index))

    def change(self, state: State, seconds: float) -> list[Animation]:
        if self.lens is None:
            self.show(state)
            return [Appear(self.lens, delay=0.3)] if self.lens is not None else []
        looks = self.stage.looks
        return [
            animation
            for page in self.lens.pages
            for animation in page.change(looks.page(state, page.index), 0.0, 0.0, seconds)
        ]

    def open(self, pages: tuple[int, ...]) -> list[Animation]:
        """Show other pages instead."""
        leaving = self.leave()
        self.pages = pages[: self.places]
        self.show(self.stage.state)
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
