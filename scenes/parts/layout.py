"""Where parts stand: a layout for the parts of a beat, in any frame."""

from collections.abc import Sequence

from scenes.draw.layout import Box
from scenes.parts.part import Part, Room, View

GUTTER = 24.0
MOST_TOP, SIDE_SHARE, SIDE_ABOVE = 0.6, 0.5, 0.4
"""What parts at the top take at most of the stage's height, those at the side of its width, and, in an
upright frame, of its height."""
SQUEEZED = 0.5
"""Share of their least heights that parts can be pressed into, in a frame that is too low for them."""
HEADER = 58.0
CORNER, LINE = 0.29, 40.0
"""Share of the width that the corner has, and its height where it is the line below the words."""


def layout(parts: Sequence[Part], view: View) -> dict[str, Box]:
    """A box for each part, by its key; the first is the hero and gets what is left over.

    Raises ValueError where parts do not fit the frame.
    """
    frame = view.frame
    boxes: dict[str, Box] = {}
    stage = frame.stage
    safe = frame.safe
    by = {place: [part for part in parts if part.place == place] for place in {part.place for part in parts}}
    for part in by.get("header", ()):
        boxes[part.key] = Box(safe.x, safe.y, safe.w, HEADER - 10)
    words = frame.words
    beside = CORNER if "corner" in by and not frame.upright else 0.0
    for part in by.get("words", ()):
        boxes[part.key] = Box(words.x, words.y, words.w * (0.98 - beside), words.h)
    for part in by.get("corner", ()):
        low = Box(safe.x, safe.bottom - LINE, safe.w, LINE)
        boxes[part.key] = low if frame.upright else Box(safe.right - safe.w * CORNER, words.y, safe.w * CORNER, words.h)
    for part in by.get("over", ()):
        boxes[part.key] = stage
    if top := by.get("top"):
        room = [part.room(view, stage.w) for part in top]
        height = min(sum(r.best for r in room), MOST_TOP * stage.h) if by.get("stage") else stage.h
        boxes |= stacked(top, view, Box(stage.x, stage.y, stage.w, height))
        stage = Box(stage.x, stage.y + height + GUTTER, stage.w, stage.h - height - GUTTER)
    if side := by.get("side"):
        if not by.get("stage"):
            boxes |= stacked(side, view, stage)
        elif frame.upright:
            spare = stage.h - GUTTER - least_of(by["stage"], view, stage.w)
            height = min(SIDE_ABOVE * stage.h, max(spare, least_of(side, view, stage.w)))
            boxes |= stacked(side, view, Box(stage.x, stage.y, stage.w, height))
            stage = Box(stage.x, stage.y + height + GUTTER, stage.w, stage.h - height - GUTTER)
        else:
            width = SIDE_SHARE * (stage.w - GUTTER)
            boxes |= stacked(side, view, Box(stage.right - width, stage.y, width, stage.h))
            stage = Box(stage.x, stage.y, stage.w - width - 2 * GUTTER, stage.h)
    boxes |= stacked(by.get("stage", []), view, stage)
    return boxes


def least_of(parts: Sequence[Part], view: View, width: float) -> float:
    """The least height, in design pixels, of parts below one another."""
    return sum(part.room(view, width).least for part in parts) + GUTTER * (len(parts) - 1)


def stacked(parts: Sequence[Part], view: View, box: Box) -> dict[str, Box]:
    """The parts below one another in `box`: each has its least height, then up to its best; those
    that grow share the rest, and without one they stand in the middle."""
    heights = _heights([part.room(view, box.w) for part in parts], box.h - GUTTER * (len(parts) - 1))
    y = box.y + max(0.0, (box.h - GUTTER * (len(parts) - 1) - sum(heights)) / 2)
    boxes = {}
    for part, height in zip(parts, heights, strict=True):
        boxes[part.key] = Box(box.x, y, box.w, height)
        y += height + GUTTER
    return boxes


def _heights(rooms: Sequence[Room], height: float) -> list[float]:
    least = sum(room.least for room in rooms)
    if height < SQUEEZED * least - 0.5:
        raise ValueError(f"parts need {least:.0f} pixels of height and there are {height:.0f}")
    if least > height:
        return [room.least * height / least for room in rooms]
    heights = [room.least for room in rooms]
    for i, room in enumerate(rooms):
        heights[i] += max(0.0, min(room.good - room.least, height - sum(heights)))
    wishes = [max(0.0, room.best - had) for room, had in zip(rooms, heights, strict=True)]
    share = min(1.0, (height - sum(heights)) / sum(wishes)) if sum(wishes) else 0.0
    heights = [had + wish * share for had, wish in zip(heights, wishes, strict=True)]
    growing = [i for i, room in enumerate(rooms) if room.grows]
    spare = height - sum(heights)
    for i in growing:
        heights[i] += spare / len(growing)
    return heights
