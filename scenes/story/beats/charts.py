"""Charts: recorded quantities over time, drawn in step with the replayed state."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Prop


@dataclass(frozen=True)
class Curve:
    """One quantity over time.

    `measure` names what it is in `scenes.check.fields.charts`, where its value is
    worked out anew from the trace. `points` are (seq, x, y): the quantity is `y`
    after event `seq`, which is drawn at `x`; seq and x never fall. A beat must end
    where `y` is what the trace then says, which holds at every point.

    `stepped` draws y from the x before up to its own (the first point's is where the curve
    begins); else points are joined straight. With a `rate` (of y per x) a point is what
    has grown since, as a wait does: the curve climbs to it at that rate, from 0 or, where
    that lies before the x before, from there on.
    `fill` fills the area below, down to the curve of the measure `on`, on top of which
    this one is then drawn (it needs the same x). `drawn` False: only the number is shown.
    """

    measure: str
    label: str
    color: str
    points: tuple[tuple[int, float, float], ...]
    stepped: bool = True
    fill: bool = False
    on: str = ""
    drawn: bool = True
    rate: float | None = None


@dataclass(frozen=True)
class Peak:
    """The largest value of `measure` between two events, written above the plot.

    It is there from event `last` on, at `x`, with a line down to `y`.
    """

    measure: str
    first: int
    last: int
    x: float
    y: float
    unit: str = ""


@dataclass(frozen=True)
class Limit:
    """The most that a chart's quantity can be: a line at `value`, called `label`."""

    value: int
    label: str


@dataclass(frozen=True)
class Chart(Prop):
    """Curves on common axes from (0, 0) to (`x_max`, `y_max`).

    `title` says what is measured, with its unit; `x_label` names the time axis. `area`
    is where the chart stands: left, top, right and bottom as parts (0 to 1) of the room
    between the chapter's title and the caption. The plot begins at least `margin` px
    from the chart's left edge, so that others can be told to begin there too; `limit` is
    drawn where it is given, and needs some room above it.
    """

    key: str
    title: str
    x_label: str
    x_max: float
    y_max: float
    curves: tuple[Curve, ...]
    area: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    peaks: tuple[Peak, ...] = ()
    margin: float = 0.0
    limit: Limit | None = None
