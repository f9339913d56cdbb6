"""The page pool beside a transcript."""

from __future__ import annotations

from scenes.draw.animations import FLIGHT, Flash
from scenes.draw.layout import Box
from scenes.draw.mobjects.tiles import MOST, PageTiles
from scenes.parts.pool import PoolPart
from scenes.parts.transcript import GUTTER, TILES_W, text_rows


class TilesPart(PoolPart):
    """Tiles of all pages; of a pool too large for that, of those that the run used first.

    Slots fill when the words that leave the transcript have arrived.
    """

    name = "tiles"

    def __init__(self, stage) -> None:
        self.stage = stage
        room = stage.plan.tall_panel
        box = Box(room.right - TILES_W, room.y, TILES_W, room.h)
        self.pool = PageTiles(self._indices(), stage.n_pages, stage.looks.page_size, box)

    def _indices(self) -> list[int]:
        if self.stage.n_pages <= MOST:
            return list(range(self.stage.n_pages))
        return text_rows(self.stage.trace).first_pages(MOST)

    @property
    def lag(self) -> float:
        """Seconds from a word's leaving to its arrival."""
        return FLIGHT if "transcript" in self.stage.parts else 0.0

    def beside(self, box: Box) -> Box:
        return Box(box.x, box.y, box.w - TILES_W - GUTTER, box.h)

    def reveal(self):
        return super(PoolPart, self).reveal()

    def revealed(self) -> None:
        pass

    def follow(self, step):
        return []

    def flash(self, pages: list[int], pause: float = 0.0):
        """Draw the eye to `pages`, one after another, as far as they have a tile."""
        shown = [self.pool.by_index[page] for page in pages if page in self.pool.by_index]
        return [Flash(tile.frame, delay=pause * i) for i, tile in enumerate(shown)]
