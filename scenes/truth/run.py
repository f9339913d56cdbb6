"""The whole run."""

from bisect import bisect_right
from collections import Counter
from functools import lru_cache
from statistics import median

from astrai_sim.trace import Trace
from scenes.truth.requests import ttft
from scenes.truth.steps import computed, events_between
from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness


@lru_cache(maxsize=4)
def tally(trace: Trace) -> Counter[str]:
    """Pages that came and went, from one pass over their events: how often, and how many at most at a time."""
    found, held, cached = Counter[str](), set(), set()
    for event in trace:
        kind = event.event
        if kind == "prefix_reset":
            cached.clear()
        if not kind.startswith("pages_") or kind == "pages_keyed":
            continue
        if kind == "pages_evicted":
            found["run.evictions"] += len(event.pages)
            cached.difference_update(event.pages)
            continue
        gone = {page for page, ref in zip(event.pages, event.refs, strict=True) if ref == 0}
        held.difference_update(gone)
        held.update(set(event.pages) - gone)
        if kind == "pages_cached":
            found["run.kept"] += len(gone)
            cached |= gone
            found["pool.cached.peak"] = max(found["pool.cached.peak"], len(cached))
        elif kind == "pages_free":
            found["run.frees"] += len(gone)
        else:
            found["run.allocs"] += len(event.pages) if kind == "pages_alloc" else 0
            cached.difference_update(event.pages)
        found["pool.in_use.peak"] = max(found["pool.in_use.peak"], len(held))
    return found


COUNTED = {
    "run.requests": "task_submitted",
    "run.finished": "task_finished",
    "run.preemptions": "task_preempted",
    "run.steps": "step_end",
}
for _name in ("run.allocs", "run.frees", "run.evictions", "run.kept", "pool.in_use.peak", "pool.cached.peak"):
    vouches(_name)(lambda witness, name=_name: tally(witness.trace)[name])
for _name, _what in COUNTED.items():
    vouches(_name)(lambda witness, what=_what: events_between(witness, what, -1, witness.last))


@lru_cache(maxsize=4)
def _again(trace: Trace) -> tuple[list[int], list[int]]:
    """Tokens computed again whose K and V a request lost with a preemption: events, and how many by then."""
    stored: dict[str, int] = {}
    lost: dict[str, int] = {}
    seqs, totals, again = [-1], [0], 0
    for event in Witness.of(trace).events("task_admitted", "kv_write", "kv_lengths", "task_preempted"):
        if event.event == "task_admitted":
            stored[event.task] = event.cached_tokens
        elif event.event == "task_preempted":
            lost[event.task] = max(lost.get(event.task, 0), stored.get(event.task, 0))
        else:
            spans = (
                [(span.task, span.start, span.count) for span in event.spans]
                if event.event == "kv_write"
                else [(t, stored[t], count) for t, count in zip(event.tasks, event.counts, strict=True)]
            )
            for task, start, count in spans:
                again += max(0, min(start + count, lost.get(task, 0)) - start)
                stored[task] = start + count
            seqs.append(event.seq)
            totals.append(again)
    return seqs, totals


@vouches("crowd.again")
def crowd_again(witness: Witness, at: float) -> int:
    seqs, totals = _again(witness.trace)
    return totals[bisect_right(seqs, at) - 1]


vouches("run.recomputed")(lambda witness: _again(witness.trace)[1][-1])


@vouches("run.lost")
def run_lost(witness: Witness) -> int:
    """Tokens that finished requests count, but no event told of."""
    finished = witness.events("task_finished")
    return sum(event.generated - len(witness.lives[event.task].tokens) for event in finished)


# Tokens whose K and V were written.
vouches("run.computed")(lambda witness: sum(count for _, count in computed(witness, -1, witness.last + 1)))
vouches("run.steps_done")(
    lambda witness: max((event.step for event in witness.events("task_finished")), default=-1) + 1
)
vouches("run.prompts")(lambda witness: sum(event.prompt_len for event in witness.events("task_submitted")))
vouches("run.asked")(lambda witness: sum(event.tokens for event in witness.events("task_admitted")))
vouches("run.found")(lambda witness: sum(event.cached_tokens for event in witness.events("task_admitted")))
vouches("ttft.median")(
    lambda witness: float(median(ttft(witness, task) for task, life in witness.lives.items() if life.tokens))
)
