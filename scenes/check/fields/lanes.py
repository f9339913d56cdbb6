"""Tokens and prompts of requests over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

import numpy as np

from astrai_sim.trace import State, Trace
from scenes.check.recorded import Difference, Recorded

NAMES = ("lanes",)
CLOSE = 1e-4
"""Seconds: what is read back from a drawing is not exact."""


def differences(shown: Mapping, state: State, recorded: Recorded) -> Iterator[Difference]:
    """Tokens at other times than recorded, and another number of prompt tokens computed."""
    for task, (times, prompt) in shown.get("lanes", {}).items():
        tokens = recorded.trace.find(event="tokens", task=task, before=recorded.until + 1)
        truth = [event.ns / 1e9 for event in tokens]
        if len(times) != len(truth) or not np.allclose(times, truth, atol=CLOSE):
            yield Difference(f"lanes[{task}] tokens", times, truth)
        computed = _prefilled(recorded, task)
        if prompt != computed:
            yield Difference(f"lanes[{task}] prompt tokens", prompt, computed)


def _prefilled(recorded: Recorded, task: str) -> int:
    """Tokens of `task` that prefill phases have computed; a phase counts when it is over."""
    return sum(count for end, name, count in _prompts(recorded.trace) if name == task and end <= recorded.until)


@lru_cache(maxsize=4)
def _prompts(trace: Trace) -> list[tuple[int, str, int]]:
    """(end of the phase, task, tokens) of everything that prefill phases computed."""
    found: list[tuple[int, str, int]] = []
    pending: list[tuple[str, int]] = []
    for event in trace:
        if event.event in ("chunk", "task_prefilled"):
            pending.append((event.task, event.end - event.start))
        elif event.event == "phase_end" and event.phase == "prefill":
            found += [(event.seq, task, count) for task, count in pending]
            pending = []
    return found
