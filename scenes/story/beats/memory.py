"""A pool without pages beside the recorded one, and the requests that both serve."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat, Prop
from scenes.story.contiguous import Layout, Load


@dataclass(frozen=True)
class Contiguous(Prop):
    """The pool without pages at the end of every step, as `simulate` gives it."""

    layouts: tuple[Layout, ...]


@dataclass(frozen=True)
class RunOn(Beat):
    """The recorded run is over at `until`; what is computed goes on, to step `step`."""

    step: int = 0
    seconds: float = 1.0


@dataclass(frozen=True)
class ShowLoads(Beat):
    """Show in the panel what requests reserve and use; the first of `loads` that fit.

    Once `used` is True, what they filled is shown too.
    """

    title: str = ""
    loads: tuple[Load, ...] = ()
    used: bool = True


@dataclass(frozen=True)
class Versus:
    """One figure for two sides: `texts` are written at bars as long as `values`."""

    label: str
    texts: tuple[str, str]
    values: tuple[float, float]


@dataclass(frozen=True)
class ShowVersus(Beat):
    """Compare two `sides` in the panel, one figure below another, each on its own scale.

    A side that is a request's, named in `owners`, has its colour.
    """

    title: str = ""
    sides: tuple[str, str] = ("", "")
    rows: tuple[Versus, ...] = ()
    owners: tuple[str, str] = ("", "")
