"""Prompts, chunk by chunk, and how long others waited for a token meanwhile."""

from __future__ import annotations

from statistics import median

from astrai_sim.trace import Event
from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


def chunks(witness: Witness, task: str) -> list[Event]:
    """The stretches of a prompt that were computed before the request's first token."""
    first = witness.lives[task].tokens[0].step
    kinds = ("chunk", "task_prefilled")
    found = [event for kind in kinds for event in witness.trace.find(event=kind, task=task)]
    return sorted((event for event in found if event.step <= first), key=lambda event: event.seq)


@vouches("prompt.computed")
def computed(witness: Witness, task: str) -> int:
    return chunks(witness, task)[-1].end - chunks(witness, task)[0].start


@vouches("prompt.steps")
def steps(witness: Witness, task: str) -> int:
    return len({event.step for event in chunks(witness, task)})


@vouches("prompt.chunk")
def chunk(witness: Witness, task: str, step: int) -> int:
    return sum(event.end - event.start for event in chunks(witness, task) if event.step == step)


def waits(witness: Witness, first: int, last: int) -> list[int]:
    """Nanoseconds between two tokens of one request, of those whose later one is in these steps."""
    pairs = (pair for life in witness.lives.values() for pair in zip(life.tokens, life.tokens[1:], strict=False))
    return [after.ns - before.ns for before, after in pairs if first <= after.step <= last]


@vouches("wait.longest")
def longest_wait(witness: Witness, first: int, last: int) -> int:
    return max(waits(witness, first, last))


@vouches("wait.usual")
def usual_wait(witness: Witness, before: int) -> float:
    kinds = ("chunk", "task_prefilled")
    prompts = {event.step for kind in kinds for event in witness.trace.find(event=kind)}
    ended = [waits(witness, step, step) for step in range(before) if step not in prompts]
    return median(max(some) for some in ended if some)
