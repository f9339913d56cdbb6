"""Long prompts that were computed while other requests were decoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astrai_sim.trace import Requests, Series, Trace


@dataclass(frozen=True)
class Computed:
    """What one step computed: (task, tokens) of prompts, and the tasks that decoded."""

    prompts: tuple[tuple[str, int], ...]
    decoded: tuple[str, ...]

    @property
    def tokens(self) -> int:
        """All tokens computed in the step."""
        return sum(count for _, count in self.prompts) + len(self.decoded)


@dataclass(frozen=True)
class Prefill:
    """The prompt of `task`: the steps that computed it and how many tokens each took.

    `beside` are the requests that were decoding before it began and got a token in every
    one of its steps. `longest_ms` is the longest time between two tokens of a request that
    ended in these steps, `ttft_ms` what the task itself waited for its first token.
    """

    task: str
    steps: tuple[int, ...]
    counts: tuple[int, ...]
    beside: tuple[str, ...]
    longest_ms: float
    ttft_ms: float

    @property
    def whole(self) -> bool:
        """Whether one step computed all of it."""
        return len(self.steps) == 1

    @property
    def tokens(self) -> int:
        """Tokens of the prompt that were computed."""
        return sum(self.counts)


class StepLog:
    """What happened in each finished step, in arrays and lists by step index.

    `gap_ms` is the longest time between two tokens of one request that ended in the step,
    NaN where no request got a token that was not its first. `prefill_end_ns` is when the
    prefill phase ended.
    """

    def __init__(self, trace: Trace) -> None:
        self.series = Series.of(trace)
        n = len(self.series)
        self.computed: list[Computed] = []
        self.gap_ms = np.full(n, np.nan)
        self.begin_seq = np.zeros(n, dtype=int)
        self.prefill_ns = np.zeros((n, 2), dtype=np.int64)
        self.tokens: dict[str, list[tuple[int, int]]] = {}
        """(seq, ns) of each token by task."""
        self.prompts: dict[str, list[tuple[int, int]]] = {}
        """(step, tokens) of each stretch of prompt by task."""
        self._read(trace, n)

    def _read(self, trace: Trace, n: int) -> None:
        prompts: list[tuple[str, int]] = []
        decoded: list[str] = []
        for event in trace:
            step = event.step
            if not 0 <= step < n:
                continue
            kind = event.event
            if kind == "step_begin":
                self.begin_seq[step] = event.seq
                prompts, decoded = [], []
            elif kind == "phase_begin" and event.phase == "prefill":
                self.prefill_ns[step, 0] = event.ns
            elif kind == "phase_end" and event.phase == "prefill":
                self.prefill_ns[step, 1] = event.ns
            elif kind in ("chunk", "task_prefilled"):
                count = event.end - event.start
                prompts.append((event.task, count))
                self.prompts.setdefault(event.task, []).append((step, count))
            elif kind == "token":
                before = self.tokens.setdefault(event.task, [])
                if before:
                    gap = (event.ns - before[-1][1]) / 1e6
                    self.gap_ms[step] = np.nanmax([gap, self.gap_ms[step]])
                before.append((event.seq, event.ns))
                if event.source == "decode":
                    decoded.append(event.task)
            elif kind == "step_end":
                self.computed.append(Computed(tuple(prompts), tuple(decoded)))


def prefills(trace: Trace, log: StepLog) -> list[Prefill]:
    """Every prompt that was computed beside decoding requests, in order of its first step.

    Recomputation after a preemption is not a prompt's.
    """
    requests = Requests.of(trace)
    found = []
    for i, task in enumerate(requests.names):
        first_token = int(requests.first_token_step[i])
        if first_token < 0:
            continue
        parts = [part for part in log.prompts.get(task, ()) if part[0] <= first_token]
        if not parts:
            continue
        steps, counts = zip(*parts, strict=True)
        beside = _beside(log, task, steps)
        if beside:
            waits = log.gap_ms[list(steps)]
            found.append(
                Prefill(task, steps, counts, beside, float(np.nanmax(waits)),
                        float(requests.time_to_first_token_ns[i] / 1e6))
            )
    return sorted(found, key=lambda prefill: prefill.steps[0])


def _beside(log: StepLog, task: str, steps: tuple[int, ...]) -> tuple[str, ...]:
    """Who had a token before the first of `steps` and decoded in each of them."""
    begin = log.begin_seq[steps[0]]
    decoding = set.intersection(*(set(log.computed[step].decoded) for step in steps)) - {task}
    return tuple(
        name
        for name, tokens in log.tokens.items()
        if name in decoding and tokens[0][0] < begin
    )
