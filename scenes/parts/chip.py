"""The chip of a request: its name on its hue, the same wherever it stands."""

from typing import Any

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import written
from scenes.parts.part import Atoms, View

FACE = "sans-bold"
CHIP, CHIP_GAP = 52.0, 24.0
"""Pixels of its height, and between it and what it is the name of, in most parts."""


def chip_width(*tasks: str) -> float:
    """Width of the widest chip of `tasks`."""
    return max([64.0, *(fonts.width(task, FACE, theme.LABEL) + 32 for task in tasks)])


def chip(
    view: View, task: str, box: Box, *key: Any, px: float = theme.LABEL, z: int = 0, early: bool = False, **look: Any
) -> Atoms:
    """The chip in `box`: atoms with `key` (default: the task) and "chip" or "name"; `look` is that of its block, which
    keeps it where its part has stepped back."""
    hue, key, name = view.hue(task), key or (task,), written("task.name", task, "name", task=task)
    yield (*key, "chip"), Block(box, fill=hue, z=z, **{"keeps": True, **look})
    said: dict[str, Any] = {"align": "center", "ground": hue, "early": early, "keeps": look.get("keeps", True)}
    yield (*key, "name"), Text(name, (box.cx, box.cy), px=px, face=FACE, color=view.theme.ground, z=z + 1, **said)
