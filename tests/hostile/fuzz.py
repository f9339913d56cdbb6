"""Bytes that may be a trace, through reader, verify and storyboards, by coverage: fuzz.py SEEDS -max_total_time=9

Whatever is not refused in one line is a finding; libFuzzer, which atheris drives, writes it to `crash-…`.
"""

from __future__ import annotations

import sys
from random import Random

import atheris

with atheris.instrument_imports(include=["astrai_sim.trace", "scenes.story", "scenes.stage.telling"]):
    from tests.hostile.drawn import changed
    from tests.hostile.test_storyboards import opened, told


def test_one_input(data: bytes) -> None:
    """Bytes are refused in a line, or told of."""
    trace = opened(data)
    if trace is not None:
        told(trace)


def mutated(data: bytes, most: int, seed: int) -> bytes:
    """The bytes with a change of a value where they are lines of JSON, half of the time, else any change of them."""
    random = Random(seed)
    if random.random() < 0.5:
        try:
            return changed(data.splitlines(keepends=True), random)[:most]
        except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
            pass
    return atheris.Mutate(data, most)


if __name__ == "__main__":
    atheris.Setup(sys.argv, test_one_input, custom_mutator=mutated)
    atheris.Fuzz()
