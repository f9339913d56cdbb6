"""Between beats: all that is shown must be of one recorded moment, and moments never run back."""

from collections.abc import Mapping, Sequence
from typing import Any

from scenes.check.compare import Difference, apart, same, truth_of
from scenes.check.labels import Writer, names
from scenes.truth import FADING, SHOWN, Witness

MANY = 600
"""Events from which on only the ends of steps are moments that can be shown."""
UNSEEN = ("lines", "gather", "snapshot", "prefix_hit", "prefix_miss", "phase_end")
"""Events that change nothing that is shown."""
CLOSEST = 6
"""Moments, of those that labels come nearest to, at which fields are looked at too."""


def moments_of(witness: Witness, start: int, until: int) -> list[float]:
    """Events from `start` to `until` that may be the last one shown: the first and the last, those
    between that change what is shown, of many only the steps' ends, and the lines of
    functions that run. Beyond the last event each number counts a step."""
    end = min(until, witness.last)
    if end - start < MANY:
        between = [seq for seq in range(start + 1, end) if witness.trace[seq].event not in UNSEEN]
        between += [
            at for event in witness.events("lines", after=start - 1, before=end) for at in witness.lines_of(event.seq)
        ]
    else:
        between = [event.seq for event in witness.ends if start < event.seq < end]
    return sorted({start, *between, end, *range(max(start, witness.last + 1), until + 1)})


class Between:
    """Looks for the moment that a picture shows, among those of the beat that is played."""

    def __init__(self, witness: Witness, writer: Writer) -> None:
        self.witness = witness
        self.writer = writer
        self.shown = -1
        self._range: tuple[int, int] | None = None
        self._moments: list[float] = []

    def look(
        self, start: int, until: int, live: Sequence[Any], fields: Mapping[str, Any], coming_to: int
    ) -> tuple[tuple[str, Difference], ...]:
        """What contradicts the moment that comes nearest to what is shown, each with a name to
        count it by; nothing where one agrees with everything. `live` are labels that say what
        holds now, `fields` what else is read from the stage, which comes to the event `coming_to`."""
        if self._range != (start, until):
            self._range, self._moments = (start, until), moments_of(self.witness, start, until)
        self._moments = sorted({*self._moments, coming_to})
        fields = {name: value for name, value in fields.items() if name not in FADING and name in SHOWN}
        coming = [at for at in self._moments if at >= self.shown]
        tried = []
        wrong = {at: sum(label.text != self.writer.text(label, at) for label in live) for at in coming}
        for at in sorted(coming, key=lambda at: (wrong[at], at))[:CLOSEST]:
            tried.append(self._against(at, live, fields))
            if not tried[-1]:
                self.shown = at
                return ()
        for at in self._moments:
            if at < self.shown and not self._against(at, live, fields):
                return (("runs back", Difference("moment shown", at, f"{self.shown} or later")),)
        return min(tried, key=len, default=())

    def _against(self, at: float, live: Sequence[Any], fields: Mapping[str, Any]) -> tuple[tuple[str, Difference], ...]:
        found = []
        for label in live:
            truth = self.writer.text(label, at)
            if label.text != truth:
                kind = ", ".join(dict.fromkeys(measure.name for measure in label.said.measures))
                found.append((kind, Difference(names(label), label.text, truth)))
        for name, value in fields.items():
            truth = truth_of(name, fields, self.witness, at)
            if not same(value, truth):
                found.append((name, next(apart(name, value, truth), Difference(name, value, truth))))
        return tuple(found)
