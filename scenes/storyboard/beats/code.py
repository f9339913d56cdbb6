"""Beats that show the engine's source as it ran."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.storyboard.beats.core import Beat


@dataclass(frozen=True)
class CodeStep:
    """One executed line.

    `line` counts from 0 in the shown lines; `values` are (name, text) pairs that
    the line produced; `mask` and `refs` are the bitmask and (page, refcount)
    pairs after the line where it changed them.
    """

    line: int
    values: tuple[tuple[str, str], ...] = ()
    mask: int | None = None
    refs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class OpenCode(Beat):
    """Put a function's source into the panel: `title` above `lines`."""

    title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCode(Beat):
    """Step the cursor through executed lines, `pace` seconds a line, then advance to `until`."""

    steps: tuple[CodeStep, ...] = ()
    pace: float = 1.0
    seconds: float = 0.8
