"""A conversation: answers as they were given, and who computed the pages that a table names."""

from __future__ import annotations

from collections.abc import Mapping

from scenes import theme
from scenes.truth.tape import written_by
from scenes.truth.text import answer, boxed
from scenes.truth.vouching import shows
from scenes.truth.witness import Witness

TINT = 0.28


@shows("talk.said", fades=True)
def said(witness: Witness, at: int, shown: Mapping) -> dict[str, str]:
    """Each answer, blanks between its words single: all of it, or its end where that is what is shown."""
    found = {}
    for task, text in shown["talk.said"].items():
        whole = " ".join(answer(witness, task, at).split())
        end = boxed(whole[len(whole) - min(len(text), len(whole)) :], text)
        found[task] = text if end == text or "…" in text else whole
    return found


@shows("talk.tints", fades=True)
def tints(witness: Witness, at: int, shown: Mapping) -> dict[str, dict[int, tuple[float, ...]]]:
    """The colour of every entry that is shown: the panel's, tinted with the hue of whoever computed
    what is in the page, or untinted while there is nothing."""
    found: dict[str, dict[int, tuple[float, ...]]] = {}
    look = theme.THEMES[shown["theme"]]
    for task, entries in shown["talk.tints"].items():
        table = witness.state(at).tables.get(task, [])
        for logical in entries:
            if logical >= len(table):
                continue
            color = look.panel
            if witness.slots(table[logical], at):
                slots = written_by(witness.trace, table[logical], at)
                writer = slots[min(slots)][0] if slots else task
                color = theme.mix(color, look.hue(witness.order[writer]), TINT)
            found.setdefault(task, {})[logical] = tuple(round(value, 2) for value in theme.rgb(color))
    return found
