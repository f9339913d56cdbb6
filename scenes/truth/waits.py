"""Times without a token."""

from __future__ import annotations

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


@vouches("wait.since")
def wait_since(witness: Witness, task: str, since: int, at: int) -> int:
    """Nanoseconds from the last token before event `since`, or from arrival, to the next token or to now."""
    began, now = witness.lives[task].arrived, int(min(at, witness.last))
    ended = witness.trace[now].ns if now >= 0 else 0
    for token in witness.lives[task].tokens:
        if token.seq < since:
            began = token.ns
        elif token.seq <= at:
            ended = token.ns
            break
    return max(0, ended - began)
