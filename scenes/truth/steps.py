"""Steps, phases and time."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@vouches("step")
def step(witness: Witness, at: int) -> int:
    """The step, counted on for what goes on after the last event."""
    return witness.state(at).step + max(0, at - witness.last)


@shows("step")
def step_shown(witness: Witness, at: int, shown: Mapping) -> int:
    return witness.state(at).step


@shows("phase")
def phase(witness: Witness, at: int, shown: Mapping) -> str | None:
    return witness.state(at).phase


@shows("clock")
def clock(witness: Witness, at: int, shown: Mapping) -> str:
    return f"{witness.state(at).ns / 1_000_000_000:,.1f} s"
