"""Prompts, chunk by chunk."""

from __future__ import annotations

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
