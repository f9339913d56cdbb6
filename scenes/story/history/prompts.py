"""Prompts that were computed while other requests were decoding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from scenes.story.errors import DoesNotApply
from scenes.story.history.history import History


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


def chosen(film: str, found: Sequence[Prompt]) -> tuple[Prompt, Prompt]:
    """The pair with the longest prompts, one computed whole and one in chunks.

    One must be done before the other begins. Raises DoesNotApply where there is no pair.
    """
    kinds = [p for p in found if p.whole], [p for p in found if not p.whole]
    for kind, how in zip(kinds, ("in one step", "in chunks"), strict=True):
        if not kind:
            raise DoesNotApply(f"{film} needs a prompt that was computed {how} while others were decoding")
    pairs = [(a, b) for a, b in product(*kinds) if a.steps[-1] < b.steps[0] or b.steps[-1] < a.steps[0]]
    if not pairs:
        raise DoesNotApply(
            f"{film} needs its two prompts one after the other, and here one was computed while the other was"
        )
    return max(pairs, key=lambda pair: min(prompt.tokens for prompt in pair))
