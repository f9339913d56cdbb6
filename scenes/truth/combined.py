"""Measures made of measures, and names of what can be counted off."""

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


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
vouches("step.number")(lambda witness, step: witness.step(step).index)
