"""Times without a token."""

from __future__ import annotations

from functools import lru_cache
from statistics import median

from astrai_sim.trace import Trace
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


@vouches("wait.computing")
def wait_computing(witness: Witness, task: str, since: int) -> int:
    """Nanoseconds from a request's last admission before its first token after event `since` to that token."""
    token = min((token for token in witness.lives[task].tokens if token.seq > since), default=None)
    if token is None:
        raise LookupError(f"{task} got no token after event {since}")
    return token.ns - max(admitted.ns for admitted in witness.lives[task].admitted if admitted.seq < token.seq)


@vouches("wait.usual")
def wait_usual(witness: Witness, before: int) -> float:
    """Median, over steps before `before` that computed no prompt and gave a request a token that was
    not its first, of the longest time between two tokens that ended in them."""
    busy = {event.step for event in witness.events("chunk", "task_prefilled")}
    return float(median(gap for step, gap in _gaps(witness.trace) if step < before and step not in busy))


@lru_cache(maxsize=4)
def _gaps(trace: Trace) -> list[tuple[int, int]]:
    """(step, longest gap in nanoseconds) of the steps in which a request got a token that was not its first."""
    longest: dict[int, int] = {}
    for life in Witness.of(trace).lives.values():
        for before, after in zip(life.tokens, life.tokens[1:], strict=False):
            longest[after.step] = max(longest.get(after.step, 0), after.ns - before.ns)
    return sorted(longest.items())
