"""Step and phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("step", "phase")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """A wrong step or phase."""
    for name, truth in (("step", state.step), ("phase", state.phase)):
        if name in shown and shown[name] != truth:
            yield Difference(name, shown[name], truth)
