"""What a step computes: a cell for each token, those of answers behind those of prompts."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Cells, Text, grid_edges, rgba
from scenes.draw.layout import Box
from scenes.measures import say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.story.words import adding_up, counted

TITLE, PITCH, GAP = 46.0, 44.0, 2.0
PROMPT = 0.45
"""Opacity of a prompt's tokens."""


@dataclass(frozen=True)
class Batch(Part):
    """The tokens of a `step` in rows of `columns`, outlined, and filled when it is `done`; then its time is said."""

    step: int = 0
    columns: int = 64
    done: bool = True

    def tokens(self, view: View) -> list[tuple[str, str, int]]:
        """(request, "decode" or "prompt", how many) of what the step computed, in the order that is drawn: prompts
        first, as where each has its own pass (see `four-phases` in docs/trace-format.md)."""
        history = view.history
        prompts: dict[str, int] = {}
        for task, count in history.prefilled(self.step):
            prompts[task] = prompts.get(task, 0) + count
        decoded = [(task, "decode", 1) for task in history.decoded(self.step)]
        return [*((task, "prompt", count) for task, count in prompts.items()), *decoded]

    def rows(self, view: View) -> int:
        """Rows of cells."""
        return -(-sum(count for *_, count in self.tokens(view)) // self.columns)

    def room(self, view: View, width: float) -> Room:
        rows = self.rows(view)
        return Room(TITLE + rows * 12.0, TITLE + rows * PITCH + 8)

    def draw(self, view: View, box: Box) -> Atoms:
        ask, t, parts = view.ask, view.theme, self.tokens(view)
        n, rows = sum(count for *_, count in parts), self.rows(view)
        answers, prompt = counted(ask.decoded(self.step), "answer token"), ask.prefilled(self.step)
        firsts = (counted(prompt, "prompt token"), say("{} prompt", prompt))
        told = [say("{} + {}", first, answers) for first in firsts] if prompt.value else [answers]
        if self.done:
            took = ask.step_took(self.step)
            told = [say("{} in {}", text, took) for text in told]
            if prompt.value and view.history.steps.apart(self.step):
                last = ask.phase_time("decode", self.step)
                first, second, whole = adding_up(ask.less(took, last), last, took)
                both = firsts[0], first, answers, second
                told.insert(0, say("{} in {} + {} in {}, {} in all", *both, whole))
        texts = [say("Step {}: {}", ask.step(self.step), text) for text in told]
        fits = product(texts, (theme.LABEL, theme.LEAST_SIZE))
        fits = (fit for fit in fits if fonts.width(fit[0], "sans-medium", fit[1]) <= box.w)
        text, px = next(fits, (texts[-1], theme.LEAST_SIZE))
        yield ("title",), Text(text, (box.x, box.y + 18), px=px, face="sans-medium", color=t.text)
        field = Box(box.x, box.y + TITLE, box.w, min(box.h - TITLE, rows * PITCH))
        edges = grid_edges(field, rows * self.columns, self.columns, GAP)
        at = 0
        for task, kind, count in parts:
            hue = rgba(view.hue(task), PROMPT if kind == "prompt" else 1.0)
            fills = np.tile(hue if self.done else rgba(None), (count, 1))
            lines = np.tile(rgba(None) if self.done else hue, (count, 1))
            order = np.arange(at, at + count) / n
            yield (task, kind), Cells(edges[slice(at, at + count)], fills, lines=lines, order=order)
            at += count

    def read(self, shown: Shown) -> Read:
        """How many cells each request has, and whether they are filled."""
        found: dict[Any, Any] = {"step": self.step}
        for key, mobject in shown.items():
            if key[-1] in ("decode", "prompt"):
                found[key[1:]] = int(np.count_nonzero((mobject.rgba[:, 3] > 0) | (mobject.lines[:, 3] > 0)))
        return {"batch": {self.key: found}}
