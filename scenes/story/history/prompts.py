"""Prompts: computed while others decoded, how long they waited for a first token, and what of them was cached once."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from astrai_sim.trace import Event, Trace
from astrai_sim.trace.events import PagesEvicted, PagesKeyed, PrefixMiss
from astrai_sim.trace.header import PHASES
from scenes.story.errors import DoesNotApply
from scenes.story.history.history import History, history_of
from scenes.story.history.sure import sure

BESIDE = {
    "task_prefilled": "a prompt that was computed in one step while others were decoding",
    "chunk": "a prompt that was computed in chunks while others were decoding",
}
"""The two kinds of prompts to compare, by the event that tells of them."""


@dataclass(frozen=True)
class Prompt:
    """The prompt of `task`: the steps that computed it and how many tokens each took.

    `beside` are the requests that were decoding before it began and got a token in every one of its steps.
    """

    task: str
    steps: tuple[int, ...]
    counts: tuple[int, ...]
    beside: tuple[str, ...]

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

    Recomputation after a preemption is not a prompt's, and one that lost what was computed before its end is none;
    only steps that ended count.
    """
    found = []
    for task, life in history.requests.items():
        first = int(life.tokens.step[0]) if life.generated else -1
        parts = [e for e in life.computed if e.step <= first and e.step < len(history.steps)]
        steps = tuple(event.step for event in parts)
        onward = all(later.start == one.end for one, later in pairwise(parts))
        beside = _beside(history, task, steps) if parts and onward else ()
        if beside:
            counts = tuple(event.end - event.start for event in parts)
            found.append(Prompt(task, steps, counts, beside))
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
    for kind, what in zip(kinds, BESIDE.values(), strict=True):
        if not kind:
            raise DoesNotApply(f"{film} needs {what}")
    pairs = [(a, b) for a, b in product(*kinds) if a.steps[-1] < b.steps[0] or b.steps[-1] < a.steps[0]]
    if not pairs:
        raise DoesNotApply(
            f"{film} needs its two prompts one after the other, and here one was computed while the other was"
        )
    return max(pairs, key=lambda pair: min(prompt.tokens for prompt in pair))


@dataclass(frozen=True)
class FirstToken:
    """How one request came to its first token.

    `ns` runs from the start of its first step to the end of the prefill phase that gave the
    token, event `seq`: durations of the steps before and of the phases of the last (of another engine's the time
    from its begin to the token). `cached` of
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
        came, end = life.submitted.seq, steps.phase_end(seq) if steps.four else seq
        before = (steps.end > came) & (steps.end < seq)
        if steps.four:
            phases = (steps.phases.step == step) & (steps.phases.end <= end)
            phases &= steps.phases.kind < PHASES.index("decode")
            last = int(steps.phases.ns[phases].sum())
        else:
            last = int(life.tokens.ns[0]) - history.ns(int(steps.begin[step]))
        ns = int(steps.ns[before].sum()) + last
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


@dataclass(frozen=True)
class Missed:
    """A request that would have hit pages that had been evicted.

    `seq` is its miss; `like` a request that began with the same tokens; `cached` counts its leading tokens that were in
    the cache once, `found` those that still were.
    """

    task: str
    seq: int
    like: str
    cached: int
    found: int


def first_missed(trace: Trace) -> Missed | None:
    """The first request that misses a prefix which was evicted before; None if none does."""
    history, size = history_of(trace), trace.header.scenario.cache.page_size
    tasks = trace.state_at(history.last).tasks if len(trace) else {}
    gone: dict[tuple[int, ...], str] = {}
    known: dict[int, tuple[str, tuple[int, ...]]] = {}
    once_known: set[tuple[int, ...]] = set()
    kinds: tuple[type[Event], ...] = (PagesKeyed, PagesEvicted, PrefixMiss)
    events = (event for kind in kinds for event in history.events(kind))
    for event in sorted(events, key=lambda event: event.seq):
        if isinstance(event, PagesEvicted):
            gone |= {known[page][1]: known.pop(page)[0] for page in event.pages if page in known}
            continue
        task, logical = sure(event.task), sure(event.logical)
        tokens = tasks[task].tokens
        if tokens is None:
            return None
        if isinstance(event, PagesKeyed):
            for entry, page in zip(sure(event.entries), event.pages, strict=True):
                prefix = tokens[: (entry + 1) * size]
                known[page] = task, prefix
                once_known.add(prefix)
                gone.pop(prefix, None)
        elif (prefix := tokens[: (logical + 1) * size]) in gone:
            once, full = logical, (trace.state_at(event.seq).tasks[task].n_tokens - 1) // size
            while once < full and tokens[: (once + 1) * size] in once_known:
                once += 1
            return Missed(task, event.seq, gone[prefix], once * size, logical * size)
    return None
