"""The page pool beside a transcript."""

from __future__ import annotations

from manim import Animation, Scene

from scenes.draw.layout import Box
from scenes.old.animations import FLIGHT, Flash
from scenes.old.mobjects.tiles import PageTiles
from scenes.old.parts.pool import PoolPart
from scenes.old.parts.setting import Setting
from scenes.story.beats import CodeStep
from scenes.story.history import history_of
from scenes.story.limits import MOST_TILES

TILES_W = 404.0
GUTTER = 44.0


def page_tiles(setting: Setting) -> PageTiles:
    """The tiles beside a transcript, empty."""
    room, n_pages = setting.plan.tall_panel, setting.n_pages
    pages = history_of(setting.trace).pages
    indices = list(range(n_pages)) if n_pages <= MOST_TILES else pages.first_pages(MOST_TILES)
    box = Box(room.right - TILES_W, room.y, TILES_W, room.h)
    return PageTiles(indices, n_pages, setting.looks.page_size, box)


class TilesPart(PoolPart):
    """Tiles of all pages; of a pool too large for that, of those that the run used first.

    Slots fill when the words that leave the transcript have arrived.
    """

    name = "tiles"

    def __init__(self, setting: Setting) -> None:
        super(PoolPart, self).__init__(setting)
        self.pool = page_tiles(setting)

    @property
    def lag(self) -> float:
        """Seconds from a word's leaving to its arrival."""
        return FLIGHT if "transcript" in self.setting.cast else 0.0

    def beside(self, box: Box) -> Box:
        return Box(box.x, box.y, box.w - TILES_W - GUTTER, box.h)

    def reveal(self, scene: Scene) -> list[Animation]:
        return super(PoolPart, self).reveal(scene)

    def revealed(self) -> None:
        pass

    def follow(self, step: CodeStep) -> list[Animation]:
        return []

    def flash(self, pages: list[int], pause: float = 0.0, delay: float = 0.0) -> list[Animation]:
        """Draw the eye to `pages`, one after another, as far as they have a tile."""
        shown = [self.pool.by_index[page] for page in pages if page in self.pool.by_index]
        return [Flash(tile.frame, delay=delay + pause * i) for i, tile in enumerate(shown)]
