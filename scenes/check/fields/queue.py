"""The waiting queue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("queue", "queue_hidden")


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Another order, a wrong count of tokens, or of those not shown."""
    if "queue" in shown:
        truth = [(name, state.tasks[name].n_tokens) for name in state.waiting]
        if [*shown["queue"]] != truth[: len(truth) - shown["queue_hidden"]]:
            yield Difference("queue (name, tokens)", shown["queue"], truth)
