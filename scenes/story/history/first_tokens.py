"""Time to first token, from recorded durations: the recorder's own work left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.story.history.history import History
from scenes.story.history.steps import PHASES


@dataclass(frozen=True)
class FirstToken:
    """How one request came to its first token.

    `ns` runs from the start of its first step to the end of the prefill phase that gave the
    token, event `seq`: durations of the steps before and of the phases of the last. `cached` of
    its `prompt` tokens were found in the cache. `traced` tells whether lines were traced meanwhile.
    """

    task: str
    prompt: int
    cached: int
    ns: int
    traced: bool
    seq: int


def first_tokens(history: History) -> list[FirstToken]:
    """Every request that came to its first token without being preempted before it, in that order."""
    steps, found = history.steps, []
    lines = history.seqs("lines")
    for task, life in history.requests.items():
        if not life.generated:
            continue
        seq, step = int(life.tokens.seq[0]), int(life.tokens.step[0])
        if any(event.seq < seq for event in life.preempted):
            continue
        came, end = life.submitted.seq, steps.phase_end(seq)
        before = (steps.end > came) & (steps.end < seq)
        phases = (steps.phases.step == step) & (steps.phases.end <= end)
        phases &= steps.phases.kind < PHASES.index("decode")
        ns = int(steps.ns[before].sum() + steps.phases.ns[phases].sum())
        traced = bool(np.any((lines > came) & (lines <= end)))
        found.append(FirstToken(task, life.prompt, life.admitted[0].cached_tokens, ns, traced, end))
    return sorted(found, key=lambda time: time.seq)


def comparable(times: list[FirstToken]) -> tuple[FirstToken, FirstToken] | None:
    """The latest hit and miss among requests of about the same length, neither traced.

    The lengths differ by at most a tenth. None where there are no two such requests.
    """
    clean = [time for time in times if not time.traced]
    pairs = [
        (hit, miss)
        for hit in clean
        for miss in clean
        if hit.cached and not miss.cached and abs(hit.prompt - miss.prompt) <= 0.1 * miss.prompt
    ]
    return max(pairs, key=lambda pair: min(pair[0].seq, pair[1].seq), default=None)
