"""Tokens and prompts of requests over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from astrai_sim.trace import State
from scenes.check.recorded import Difference, Recorded

NAMES = ("lanes",)
CLOSE = 1e-4
"""Seconds: what is read back from a drawing is not exact."""


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Tokens at other times than recorded, and another number of prompt tokens computed."""
    for task, (times, prompt) in shown.get("lanes", {}).items():
        tokens = recorded.trace.find(event="token", task=task, before=recorded.until + 1)
        truth = [event.ns / 1e9 for event in tokens]
        if len(times) != len(truth) or not np.allclose(times, truth, atol=CLOSE):
            yield Difference(f"lanes[{task}] tokens", times, truth)
        computed = _prefilled(recorded, task)
        if prompt != computed:
            yield Difference(f"lanes[{task}] prompt tokens", prompt, computed)


def _prefilled(recorded: Recorded, task: str) -> int:
    """Tokens of `task` that prefill phases have computed; a phase counts when it is over."""
    done = pending = 0
    for index in range(recorded.until + 1):
        event = recorded.trace[index]
        if event.event in ("chunk", "task_prefilled") and event.task == task:
            pending += event.end - event.start
        elif event.event == "phase_end" and event.phase == "prefill":
            done, pending = done + pending, 0
    return done
