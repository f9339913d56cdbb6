"""Time to first token, from recorded durations."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Trace

BEFORE_TOKEN = ("cleanup", "refill", "prefill")


@dataclass(frozen=True)
class FirstToken:
    """How one request came to its first token.

    `ms` runs from the start of its first step to the end of the prefill phase that
    gave the token: durations of steps and phases as the recorder states them, its own
    work left out. `traced` tells whether lines were traced within that time.
    """

    task: str
    prompt: int
    computed: int
    ms: float
    traced: bool
    seq: int

    @property
    def cached(self) -> int:
        """Prompt tokens that were found in the cache."""
        return self.prompt - self.computed


def first_tokens(trace: Trace) -> list[FirstToken]:
    """Every request that came to its first token without being preempted before it."""
    found: list[FirstToken] = []
    came: dict[str, float] = {}
    prompt: dict[str, int] = {}
    cached: dict[str, int] = {}
    traced: set[str] = set()
    lost: set[str] = set()
    waiting: list[str] = []
    within = 0.0
    fresh: list[str] = []
    for event in trace:
        kind = event.event
        if kind == "task_submitted":
            came[event.task], prompt[event.task] = 0.0, len(event.prompt)
            waiting.append(event.task)
        elif kind == "step_begin":
            within = 0.0
        elif kind == "lines":
            traced.update(waiting)
        elif kind == "task_admitted":
            cached.setdefault(event.task, event.cached_tokens)
        elif kind == "task_preempted":
            lost.add(event.task)
        elif kind == "tokens" and event.index == 0 and event.task in waiting:
            fresh.append(event.task)
        elif kind == "phase_end":
            if event.phase in BEFORE_TOKEN:
                within += event.duration_ns / 1e6
            for task in fresh:
                waiting.remove(task)
                if task not in lost:
                    computed = prompt[task] - cached[task]
                    found.append(
                        FirstToken(task, prompt[task], computed, came[task] + within, task in traced, event.seq)
                    )
            fresh = []
        elif kind == "step_end":
            for task in waiting:
                came[task] += event.duration_ns / 1e6
    return found


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
