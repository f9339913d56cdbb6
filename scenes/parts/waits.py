"""How long requests have been without a token, on one clock."""

from dataclasses import dataclass

from scenes.draw.layout import Box
from scenes.measures import Measure, measure
from scenes.parts.bars import Bar, Bars
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View


@dataclass(frozen=True)
class Waits(Part):
    """For each of `tasks`, as (request, label), the time from its last token before event `since` (or its
    arrival) to its next one, as far as it has gone; on a scale whose end is the longest. Below them
    a time `beside` them, to compare with, as (label, measure)."""

    since: int = -1
    tasks: tuple[tuple[str, str], ...] = ()
    beside: tuple[str, Measure] | None = None

    def room(self, view: View, width: float) -> Room:
        return self._bars([0] * len(self.tasks)).room(view, width)

    def draw(self, view: View, box: Box) -> Atoms:
        requests = view.history.requests
        ns = [requests[task].wait(self.since, view.state.seq, view.state.ns) for task, _ in self.tasks]
        scale = max((float(view.ask.wait(task, self.since).value) for task, _ in self.tasks), default=0.0)
        yield from self._bars(ns, scale).draw(view, box)

    def _bars(self, ns: list[int], scale: float = 0.0) -> Bars:
        bars = [
            Bar(label, measure("wait.since", value, "time", task=task, since=self.since), task=task)
            for (task, label), value in zip(self.tasks, ns, strict=True)
        ]
        if self.beside is not None:
            bars.append(Bar(*self.beside, muted=True))
        return Bars("", tuple(bars), scale, name=self.key)

    def read(self, shown: Shown) -> Read:
        """Each bar's measure with its length, as a share of the longest of them."""
        return self._bars([0] * len(self.tasks)).read(shown)
