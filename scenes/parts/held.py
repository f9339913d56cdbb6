"""Slots over the run: filled, held in pages, and what each request's longest length would reserve."""

from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Cells, Line, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View

FOOT, TITLE, ASIDE, SWATCH, LINE = 52.0, 56.0, 24.0, 30.0, 1.5
MOST = 160
"""Columns at most; of a longer run every second step has one, or every third, and so on."""
SERIES = ("longest", "held", "filled")
WORDS = {"longest": "reserved without pages", "held": "held in pages", "filled": "filled with tokens"}


@dataclass(frozen=True)
class Held(Part):
    """Columns at the ends of steps, each with three heights behind one another, the first `drawn` of them in colour
    and named: beside their heights, pushed apart where two come close, or, upright, above."""

    needs = Room(320, 760, grows=True)

    drawn: int = len(SERIES)

    def draw(self, view: View, box: Box) -> Atoms:
        box, t, ask, px = box.inset(2, 0), view.theme, view.ask, theme.LABEL
        values = ask.holdings[:: -(-len(ask.holdings) // MOST)]
        peaks = {"longest": ask.most_longest(), "held": ask.most_held(), "filled": ask.most_filled()}
        top = max(1, *(int(peak.value) for peak in peaks.values()))
        said = {name: say("peak {}: " + WORDS[name], peaks[name]) for name in SERIES}
        beside = max(fonts.width(text, "sans-medium", px) for text in said.values()) + SWATCH + 40 + ASIDE
        above = len(SERIES) * LINE * px if view.frame.upright else 0.0
        field = Box(box.x, box.y + TITLE + above, box.w - (0.0 if above else beside), box.h - TITLE - above - FOOT)
        yield ("title",), Text("KV slots at the end of each step", (box.x, box.y + TITLE / 2 - 8), px=px, color=t.muted)
        colors = {"longest": view.mixed(t.muted, 0.62), "held": t.accent, "filled": view.mixed(t.muted, 0.15)}
        seen = [t.panel, *colors.values()][: self.drawn + 1]
        wide = field.w / len(values)
        left = field.x + wide * np.arange(len(values))
        for column, name in enumerate(SERIES):
            tops, right = field.bottom - field.h * values[:, column] / top, left + wide - (3.0 if wide >= 10 else 0.0)
            edges = np.stack(np.broadcast_arrays(left, tops, right, field.bottom), axis=1)
            fills = np.tile(rgba(seen[min(column + 1, self.drawn)]), (len(values), 1))
            yield (name, "columns"), Cells(edges, fills, order=np.arange(len(values)) / max(1, len(values)))
        yield ("floor",), Line(np.array([(field.x, field.bottom), (field.right, field.bottom)]), color=t.muted, width=2)
        for place, align in ((0, "left"), (len(ask.holdings) - 1, "right")):
            at = (field.x if align == "left" else field.right, field.bottom + FOOT / 2 + 4)
            text = say("step {}", ask.step(place))
            yield ("step", align), Text(text, at, px=theme.LEAST_SIZE, face="mono", color=t.muted, align=align)
        y, upright = -np.inf, view.frame.upright
        for i, name in enumerate(SERIES[: self.drawn]):
            peak, end = field.bottom - field.h * int(peaks[name].value) / top, field.right + ASIDE * (not upright)
            points = np.array([(left[values[:, i].argmax()], peak), (end, peak)])
            yield (name, "peak"), Line(points, color=t.muted, width=2)
            y = max(y + LINE * px, peak + px / 2)
            y = field.y - (len(SERIES) - i - 0.5) * LINE * px if upright else y
            x = field.x if upright else field.right + ASIDE
            edges = np.array([[x, y - SWATCH / 2, x + SWATCH, y + SWATCH / 2]])
            yield (name, "swatch"), Cells(edges, rgba(colors[name])[None])
            yield (name, "said"), Text(said[name], (x + SWATCH + 14, y), px=px, face="sans-medium", color=t.text)

    def read(self, shown: Shown) -> Read:
        """Heights of all columns, as shares of the highest."""
        found = {key[1]: mobject.edges for key, mobject in shown.items() if key[-1] == "columns"}
        heights = {name: edges[:, 3] - edges[:, 1] for name, edges in found.items()}
        most = max((float(h.max(initial=0)) for h in heights.values()), default=0.0) or 1.0
        return {"held": {name: tuple((h / most).tolist()) for name, h in heights.items()}}
