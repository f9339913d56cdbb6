"""The line of requests: who is in memory, in order of admission, and who waits."""

from __future__ import annotations

from collections.abc import Mapping

from scenes.truth.vouching import shows, vouch_all
from scenes.truth.witness import Witness

Sides = tuple[list[str], list[str]]


def admitted(witness: Witness, at: int) -> list[str]:
    """Requests that have been admitted since they waited last, and have not finished."""
    order: dict[str, None] = {}
    for event in witness.events("task_admitted", "task_preempted", "task_finished", before=at + 1):
        order.pop(event.task, None)
        if event.event == "task_admitted":
            order[event.task] = None
    return list(order)


@shows("line", fades=True)
def line(witness: Witness, at: int, shown: Mapping) -> Sides:
    """The last of those in memory and the first of those that wait, as many as are shown."""
    ahead, behind = map(len, shown["line"])
    running = admitted(witness, at)
    return running[len(running) - ahead :] if ahead <= len(running) else running, witness.state(at).waiting[:behind]


vouch_all(
    {
        "memory.more": lambda witness, shown, at: len(admitted(witness, at)) - shown,
        "waiting.more": lambda witness, shown, at: len(witness.state(at).waiting) - shown,
    }
)
