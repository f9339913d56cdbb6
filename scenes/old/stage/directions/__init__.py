"""How each kind of beat is played, one module for each kind of subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from scenes.story.beats import Beat

if TYPE_CHECKING:
    from scenes.old.stage.stage import Stage

Direction = Callable[["Stage", Any], None]
_DIRECTIONS: dict[type[Beat], Direction] = {}


def plays(kind: type[Beat]) -> Callable[[Direction], Direction]:
    """Decorator: the function plays beats of `kind`."""

    def register(direction: Direction) -> Direction:
        _DIRECTIONS[kind] = direction
        return direction

    return register


def direct(stage: Stage, beat: Beat) -> None:
    """Play `beat` on `stage`. Raises TypeError for a beat that nobody plays."""
    if type(beat) not in _DIRECTIONS:
        raise TypeError(f"no stage direction for {type(beat).__name__}")
    _DIRECTIONS[type(beat)](stage, beat)


from scenes.old.stage.directions import (  # noqa: E402
    chat,  # noqa: F401
    code,  # noqa: F401
    core,  # noqa: F401
    panels,  # noqa: F401
    scale,  # noqa: F401
    states,  # noqa: F401
)
