"""Measures made of measures, and names of what can be counted off."""

from __future__ import annotations

from typing import Any

from scenes.truth.vouching import vouch_all, vouches
from scenes.truth.witness import Witness


@vouches("less")
def less(witness: Witness, of: float, less: float) -> float:
    return of - less


@vouches("total")
def total(witness: Witness, parts: tuple[float, ...]) -> float:
    return sum(parts)


@vouches("largest")
def largest(witness: Witness, parts: tuple[float, ...]) -> float:
    return max(parts)


@vouches("ratio")
def ratio(witness: Witness, of: float, to: float) -> float:
    return of / to


@vouches("count")
def count(witness: Witness, of: tuple[Any, ...]) -> int:
    return len(of)


@vouches("token.position")
def token_position(witness: Witness, position: int) -> int:
    longest = max(life.prompt + len(life.tokens) for life in witness.lives.values())
    if not 0 <= position < longest:
        raise LookupError(f"no request has a token {position}")
    return position


@vouches("table.first_token")
def first_token(witness: Witness, logical: int) -> int:
    return token_position(witness, logical * witness.page_size) + 1


vouch_all(
    {
        "task.name": lambda witness, task: witness.lives[task].task,
        "step.number": lambda witness, step: witness.step(step).index,
    }
)
