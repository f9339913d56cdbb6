"""Beats that show the engine's source as it ran."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat


@dataclass(frozen=True)
class CodeStep:
    """One executed line.

    `line` counts from 0 in the shown lines; `values` are (name, text) pairs that
    the line produced; `mask`, `refs` and `lru` are the bitmask, (page, refcount)
    pairs and the cached pages, least recently used first, after the line where it
    changed them. `uncached` are pages that were cached until the line gave them an
    owner or dropped their key.
    """

    line: int
    values: tuple[tuple[str, str], ...] = ()
    mask: int | None = None
    refs: tuple[tuple[int, int], ...] = ()
    lru: tuple[int, ...] | None = None
    uncached: tuple[int, ...] = ()


@dataclass(frozen=True)
class OpenCode(Beat):
    """Put a function's source into the panel: `title` above `lines`."""

    title: str = ""
    lines: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class RunCode(Beat):
    """Step the cursor through executed lines, `pace` seconds a line, then advance to `until`."""

    steps: tuple[CodeStep, ...] = ()
    pace: float = 1.0
    seconds: float = 0.8
