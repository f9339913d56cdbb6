"""What happened to each request."""

from __future__ import annotations

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


@vouches("request.prompt")
def prompt(witness: Witness, task: str) -> int:
    return witness.lives[task].prompt


@vouches("request.max_tokens")
def max_tokens(witness: Witness, task: str) -> int:
    return witness.lives[task].max_tokens


@vouches("request.ttft")
def ttft(witness: Witness, task: str) -> int:
    """Nanoseconds from a request's arrival to its first token."""
    life = witness.lives[task]
    return life.tokens[0].ns - life.arrived
