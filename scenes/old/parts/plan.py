"""Where things stand on the stage, computed from the frame and the pool's size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from scenes.draw.layout import Box, Frame
from scenes.old.mobjects.bitmask import COUNT_WIDTH, mask_width
from scenes.story.limits import MAP_ROOM, pool_rows

POOL_HEIGHT = {1: 206, 2: 300, 3: 372}
MAP_BAND = 44
GUTTER = 56
STROKE = 4


@dataclass(frozen=True)
class StagePlan:
    """Boxes, in design pixels, of everything that a section can show.

    `room` is what is free between the title and whatever stands at the bottom.
    """

    title: Box
    phases: Box
    panel: Box
    tall_panel: Box
    queue: Box
    tables: Box
    gutter: Box
    band: Box
    pool: Box
    mask: Box
    lru: Box
    map: Box
    census: Box
    room: Box
    caption: Box
    badge: Box

    def area(self, left: float, top: float, right: float, bottom: float) -> Box:
        """The part of `room` that these shares of it bound."""
        room = self.room
        return Box(room.x + left * room.w, room.y + top * room.h, (right - left) * room.w, (bottom - top) * room.h)

    @classmethod
    def of(cls, frame: Frame, n_pages: int, cast: Collection[str] = ()) -> StagePlan:
        """The plan for a pool of `n_pages` pages in `frame`, for the parts in `cast`."""
        safe = frame.safe.inset(STROKE)
        header = Box(safe.x, safe.y, safe.w, 54)
        caption = Box(safe.x, safe.bottom - 78, safe.w * 0.69, 78)
        badge = Box(safe.right - safe.w * 0.29, safe.bottom - 78, safe.w * 0.29, 78)
        mask = Box(safe.x, caption.y - 78, safe.w, 64)
        height = POOL_HEIGHT[pool_rows(n_pages)]
        left = mask.x + mask_width(n_pages, mask) + 56
        lru = Box(left, mask.y, mask.right - COUNT_WIDTH - left, mask.h)
        pool = Box(safe.x, mask.y - 16 - height, safe.w, height)
        band = Box(safe.x, pool.y - 70, safe.w, 70)
        census = Box(safe.x, caption.y - 58, safe.w, 40)
        page_map = Box(safe.x, census.y - 18 - MAP_ROOM[1], *MAP_ROOM)
        if "map" in cast:
            band = Box(safe.x, page_map.y - MAP_BAND, safe.w, MAP_BAND)
        top = header.bottom + 22
        body = Box(safe.x, top, safe.w, band.y - top)
        tall = Box(body.x, body.y, body.w, caption.y - 24 - body.y)
        panel = Box(body.x, body.y, 996, body.h)
        tables = Box(panel.right + GUTTER, body.y, body.right - panel.right - GUTTER, body.h)
        queue = Box(tables.x, tables.y, tables.w, 46)
        below = Box(tables.x, queue.bottom + 16, tables.w, tables.bottom - queue.bottom - 16)
        gutter = Box(panel.right, body.y, GUTTER, body.h)
        return cls(
            title=header,
            phases=header,
            panel=panel,
            tall_panel=tall,
            queue=queue,
            tables=below if "queue" in cast else tables,
            gutter=gutter,
            band=band,
            pool=pool,
            mask=mask,
            lru=lru,
            map=page_map,
            census=census,
            room=body if "map" in cast else tall,
            caption=caption,
            badge=badge,
        )
