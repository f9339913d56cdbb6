"""Prompts that were computed while other requests were decoding."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from astrai_sim.trace import Trace
from scenes.story.history.history import History

SLOWER = 2.0


@dataclass(frozen=True)
class Prompt:
    """The prompt of `task`: the steps that computed it and how many tokens each took.

    `beside` are the requests that were decoding before it began and got a token in every
    one of its steps. `longest_ns` is the longest time between two tokens of a request that
    ended in these steps.
    """

    task: str
    steps: tuple[int, ...]
    counts: tuple[int, ...]
    beside: tuple[str, ...]
    longest_ns: int

    @property
    def whole(self) -> bool:
        """Whether one step computed all of it."""
        return len(self.steps) == 1

    @property
    def tokens(self) -> int:
        """Tokens of the prompt that were computed."""
        return sum(self.counts)


def prompts(history: History) -> list[Prompt]:
    """Every prompt that was computed beside decoding requests, in order of its first step.

    Recomputation after a preemption is not a prompt's; only steps that ended count.
    """
    found = []
    for task, life in history.requests.items():
        first = int(life.tokens.step[0]) if life.generated else -1
        parts = [e for e in life.computed if e.step <= first and e.step < len(history.steps)]
        steps = tuple(event.step for event in parts)
        beside = _beside(history, task, steps) if parts else ()
        if beside:
            counts = tuple(event.end - event.start for event in parts)
            found.append(Prompt(task, steps, counts, beside, int(history.gaps[list(steps)].max())))
    return sorted(found, key=lambda prompt: prompt.steps[0])


def _beside(history: History, task: str, steps: tuple[int, ...]) -> tuple[str, ...]:
    """Who had a token before the first of `steps` and decoded in each of them."""
    begin = history.steps.begin[steps[0]]
    decoding = set.intersection(*(set(history.decoded(step)) for step in steps)) - {task}
    first = {name: int(life.tokens.seq[0]) for name, life in history.requests.items() if life.generated}
    return tuple(name for name in sorted(first, key=first.__getitem__) if name in decoding and first[name] < begin)


@dataclass(frozen=True)
class LongDecode:
    """A wait that was long for its decode pass, with a much longer request in the batch.

    `step` ended the longest wait beside a prompt in chunks though it took the fewest of
    its tokens: the prompt's own request decoded there too. `before` are the prompt's steps in
    which it did not, `after` those that followed with it in the batch and no prompt.
    """

    step: int
    before: tuple[int, ...]
    after: tuple[int, ...]


def long_decode(history: History, trace: Trace, prompt: Prompt) -> LongDecode | None:
    """Whether the engine's padding shows in a prompt's chunks; None where it does not.

    `PagedCache.gather` gives all requests of a pass as many positions as the longest has,
    so one long request makes everybody's K and V long. That is said only of measured
    times, and where every decode pass with the request took at least `SLOWER` times as
    long as any without it.
    """
    if trace.header.clock != "real" or prompt.whole:
        return None

    def spent(phase: str, step: int) -> int:
        row, phases = history.steps.row(phase, step), history.steps.phases
        return 0 if row is None else int(phases.ended[row] - phases.began[row])

    step = max(prompt.steps, key=lambda i: history.gaps[i])
    before = tuple(i for i in prompt.steps if prompt.task not in history.decoded(i))
    if step != prompt.steps[-1] or step in before or not before:
        return None
    batch = takewhile(lambda i: prompt.task in history.decoded(i), range(step + 1, len(history.steps)))
    after = tuple(i for i in batch if not history.prefilled(i))
    tasks = trace.state_at(history.steps.seq(step)).tasks
    lengths = {name: tasks[name].kv_len for name in history.decoded(step)}
    positions = lengths.pop(prompt.task)
    others = max(spent("decode", i) for i in before)
    if (
        prompt.counts[-1] > min(prompt.counts)
        or spent("decode", step) <= spent("prefill", step)
        or min(spent("decode", i) for i in (step, *after)) < SLOWER * others
        or positions < SLOWER * max(lengths.values(), default=positions)
    ):
        return None
    return LongDecode(step, before, after)
