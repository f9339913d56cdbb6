"""Long prompts that were computed while other requests were decoding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from astrai_sim.trace import RequestTimes, Series, Trace

SLOWER = 2.0


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
    NaN where no request got a token that was not its first. `prefill_ns` and `decode_ns`
    are when these phases began and ended.
    """

    def __init__(self, trace: Trace) -> None:
        self.series = Series.of(trace)
        n = len(self.series)
        self.computed: list[Computed] = []
        self.gap_ms = np.full(n, np.nan)
        self.begin_seq = np.zeros(n, dtype=int)
        self.prefill_ns = np.zeros((n, 2), dtype=np.int64)
        self.decode_ns = np.zeros((n, 2), dtype=np.int64)
        self.tokens: dict[str, list[tuple[int, int]]] = {}
        """(seq, ns) of each token by task."""
        self.prompts: dict[str, list[tuple[int, int]]] = {}
        """(step, tokens) of each stretch of prompt by task."""
        self._read(trace, n)

    def _read(self, trace: Trace, n: int) -> None:
        prompts: list[tuple[str, int]] = []
        decoded: list[str] = []
        phases = {"prefill": self.prefill_ns, "decode": self.decode_ns}
        for event in trace:
            step = event.step
            if not 0 <= step < n:
                continue
            kind = event.event
            if kind == "step_begin":
                self.begin_seq[step] = event.seq
                prompts, decoded = [], []
            elif kind in ("phase_begin", "phase_end") and event.phase in phases:
                phases[event.phase][step, int(kind == "phase_end")] = event.ns
            elif kind in ("chunk", "task_prefilled"):
                count = event.end - event.start
                prompts.append((event.task, count))
                self.prompts.setdefault(event.task, []).append((step, count))
            elif kind == "tokens":
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
    requests = RequestTimes.of(trace)
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
                Prefill(
                    task,
                    steps,
                    counts,
                    beside,
                    float(np.nanmax(waits)),
                    float(requests.time_to_first_token_ns[i] / 1e6),
                )
            )
    return sorted(found, key=lambda prefill: prefill.steps[0])


@dataclass(frozen=True)
class LongDecode:
    """A wait that was long for its decode pass, with a much longer request in the batch.

    `step` ended the longest wait beside a prompt in chunks though it took the fewest of
    its tokens, `tokens`: the prompt's own request decoded there too, at `positions` tokens
    in the cache. `decode_ms` is what its decode phase took, `others_ms` the longest of the
    prompt's steps before it. `after` are the steps that followed with that request in the
    batch and no prompt, each with what decoding took in it, in milliseconds.
    """

    step: int
    tokens: int
    positions: int
    decode_ms: float
    others_ms: float
    after: tuple[tuple[int, float], ...]


def long_decode(trace: Trace, log: StepLog, prefill: Prefill) -> LongDecode | None:
    """Whether the engine's padding shows in a prompt's chunks; None where it does not.

    `PagedCache.gather` gives all requests of a pass as many positions as the longest has,
    so one long request makes everybody's K and V long. That is said only of measured
    times, and where every decode pass with the request took at least `SLOWER` times as
    long as any without it.
    """
    if trace.header.clock != "real" or prefill.whole:
        return None
    spent = np.diff(log.decode_ns, axis=1)[:, 0] / 1e6
    chunks = np.diff(log.prefill_ns, axis=1)[:, 0] / 1e6
    step = max(prefill.steps, key=lambda i: np.nan_to_num(log.gap_ms[i]))
    before = [i for i in prefill.steps if prefill.task not in log.computed[i].decoded]
    if step != prefill.steps[-1] or step in before or not before:
        return None
    after = []
    for i in range(step + 1, len(log.computed)):
        done = log.computed[i]
        if prefill.task not in done.decoded:
            break
        if not done.prompts:
            after.append((i, float(spent[i])))
    state = trace.state_at(int(log.series.seq[step]))
    lengths = {name: state.tasks[name].kv_len for name in log.computed[step].decoded}
    positions = lengths.pop(prefill.task)
    others = float(spent[before].max())
    slow = [spent[step], *(ms for _, ms in after)]
    if (
        prefill.counts[-1] > min(prefill.counts)
        or spent[step] <= chunks[step]
        or min(slow) < SLOWER * others
        or positions < SLOWER * max(lengths.values(), default=positions)
    ):
        return None
    return LongDecode(step, prefill.counts[-1], positions, float(spent[step]), others, tuple(after))


def _beside(log: StepLog, task: str, steps: tuple[int, ...]) -> tuple[str, ...]:
    """Who had a token before the first of `steps` and decoded in each of them."""
    begin = log.begin_seq[steps[0]]
    decoding = set.intersection(*(set(log.computed[step].decoded) for step in steps)) - {task}
    return tuple(name for name, tokens in log.tokens.items() if name in decoding and tokens[0][0] < begin)
