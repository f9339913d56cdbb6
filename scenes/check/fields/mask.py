"""The free mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("mask", "free_count")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Wrong digits, and a wrong count of free pages."""
    bits = state.mask_bits()
    if "mask" in shown and shown["mask"] != bits:
        yield Difference("mask", shown["mask"], bits)
    if "free_count" in shown and shown["free_count"] != bits.count("1"):
        yield Difference("free_count", shown["free_count"], bits.count("1"))
