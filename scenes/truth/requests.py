"""What happened to each request."""

from math import ceil
from typing import Any

from astrai_sim.trace import Event
from astrai_sim.trace.header import PHASES
from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


def ttft(witness: Witness, task: str) -> int:
    """Nanoseconds from a request's arrival to its first token."""
    return witness.lives[task].tokens[0].ns - witness.lives[task].arrived


@vouches("request.took")
def took(witness: Witness, task: str) -> int:
    """Nanoseconds from submission to the end."""
    life = witness.lives[task]
    if life.finished is None:
        raise LookupError(f"{task} has not finished")
    return life.finished.ns - life.submitted.ns


def _next(witness: Witness, kind: str, task: str, at: int) -> Event:
    """The first event of a kind and task from event `at` on."""
    found = next(witness.trace.find(event=kind, task=task, after=at - 1), None)
    if found is None:
        raise LookupError(f"no {kind} of {task} from event {at} on")
    return found


def _admitted(witness: Witness, task: str, at: int) -> Event:
    found = [*witness.trace.find(event="task_admitted", task=task, before=at)]
    if not found:
        raise LookupError(f"{task} was not admitted before event {at}")
    return found[-1]


@vouches("prefill.again")
def prefill_again(witness: Witness, task: str, at: int) -> int:
    """Of these, those that were in the cache before a preemption."""
    admitted = _admitted(witness, task, at)
    lost = [event.seq for event in witness.trace.find(event="task_preempted", task=task, before=admitted.seq)]
    most = max((witness.state(seq - 1).tasks[task].kv_len for seq in lost), default=0)
    return max(0, most - admitted.cached_tokens)


@vouches("request.first_token")
def first_token(witness: Witness, task: str) -> int:
    """Engine time of its first token: of the whole steps from its submission on, and of the phases
    of the token's step up to the prefill that gave it."""
    life = witness.lives[task]
    token = life.tokens[0]
    found = sum(e.duration_ns for e in witness.events("step_end", after=life.submitted.seq, before=token.seq))
    if witness.trace.header.phases != PHASES:
        return found + token.ns - witness.step(token.step).begin.ns
    for event in witness.events("phase_end", after=witness.step(token.step).begin.seq):
        found += event.duration_ns
        if event.seq > token.seq:
            return found
    raise LookupError(f"the phase of {task}'s first token has no end")


@vouches("prefix.found")
def prefix_found(witness: Witness, task: str, at: int) -> int:
    """Tokens of the pages that a lookup found before it missed at event `at`."""
    event = witness.trace[at]
    if event.event != "prefix_miss" or event.task != task:
        raise LookupError(f"event {at} is no miss of {task}")
    return event.logical * witness.page_size


def _ids(state: Any, task: str) -> list[int]:
    tokens = state.tasks[task].tokens
    if tokens is None:
        raise LookupError(f"the trace does not say which tokens {task} has")
    return tokens


@vouches("prefix.once")
def prefix_once(witness: Witness, task: str, at: int) -> int:
    """Tokens that a lookup would have found if nothing that had a key had lost it since."""
    size, state = witness.page_size, witness.state(at)
    known = set()
    for event in witness.events("pages_keyed", before=at):
        tokens = _ids(state, event.task)
        known |= {tuple(tokens[: (logical + 1) * size]) for logical in event.entries}
    tokens = _ids(state, task)
    pages = prefix_found(witness, task, at) // size
    while pages < (len(tokens) - 1) // size and tuple(tokens[: (pages + 1) * size]) in known:
        pages += 1
    return pages * size


vouches("request.prompt")(lambda witness, task: witness.lives[task].prompt)
vouches("request.max_tokens")(lambda witness, task: witness.lives[task].max_tokens)
vouches("request.generated")(lambda witness, task: len(witness.lives[task].tokens))
vouches("admission.cached")(lambda witness, task, at: _next(witness, "task_admitted", task, at).cached_tokens)
# Tokens computed from its admission to its first whole prefill from `at` on.
vouches("prefill.tokens")(
    lambda witness, task, at: (
        _next(witness, "task_prefilled", task, at).end - _admitted(witness, task, at).cached_tokens
    )
)
vouches("request.ttft")(ttft)
vouches("request.prompt_pages")(lambda witness, task: ceil(witness.lives[task].prompt / witness.page_size))
