"""Measures made of measures, bars as long as measures say, and names of what can be counted off."""

from collections.abc import Sequence
from typing import Any

from scenes.truth.vouching import shows, true_value, vouches
from scenes.truth.witness import Witness

NEAR = 0.005
"""Share of a bar below which nobody sees that it is longer."""


@vouches("token.position")
def token_position(witness: Witness, position: int) -> int:
    longest = max(life.prompt + len(life.tokens) for life in witness.lives.values())
    if not 0 <= position < longest:
        raise LookupError(f"no request has a token {position}")
    return position


vouches("less")(lambda witness, of, less: of - less)
vouches("total")(lambda witness, parts: sum(parts))
vouches("largest")(lambda witness, parts: max(parts))
vouches("ratio")(lambda witness, of, to: of / to)
vouches("count")(lambda witness, of: len(of))
vouches("table.first_token")(lambda witness, logical: token_position(witness, logical * witness.page_size) + 1)
vouches("task.name")(lambda witness, task: witness.lives[task].task)
vouches("step.number")(lambda witness, step: witness.step(step).end.step)


def _shares(witness: Witness, at: int, drawn: Sequence, most: float) -> tuple[tuple[Any, float], ...]:
    """Each measure, and its value as a share of the largest, or `most` where that is less; as it is drawn where that
    is as near as a bar can be read."""
    values = [float(true_value(witness, of, at)) for of, _ in drawn]
    longest = max(values, default=1.0) or 1.0
    shares = [min(value / longest, most) for value in values]
    return tuple((of, bar if abs(bar - own) < NEAR else own) for (of, bar), own in zip(drawn, shares, strict=True))


# In a race, bars are no longer than the clock has run, which may stand anywhere on its way.
shows("bars", fades=True)(lambda witness, at, shown: _shares(witness, at, shown["bars"], 1.0))
shows("race", fades=True)(lambda witness, at, shown: _shares(witness, at, shown["race"], shown["race.clock"]))
shows("race.clock", fades=True)(lambda witness, at, shown: min(1.0, max(0.0, shown["race.clock"])))
