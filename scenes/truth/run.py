"""The whole run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from astrai_sim.trace import Trace
from scenes.truth.steps import computed, events_between
from scenes.truth.vouching import vouch_all, vouches
from scenes.truth.witness import Witness


@dataclass
class Tally:
    """Pages that came and went: how often, and how many at most at a time."""

    allocs: int = 0
    frees: int = 0
    evictions: int = 0
    kept: int = 0
    most_held: int = 0
    most_kept: int = 0
    most_shared: int = 0


@lru_cache(maxsize=4)
def tally(trace: Trace) -> Tally:
    """One pass over the events of pages."""
    found, held, cached = Tally(), set(), set()
    for event in trace:
        kind = event.event
        if kind == "prefix_reset":
            cached.clear()
        if not kind.startswith("pages_") or kind == "pages_keyed":
            continue
        if kind == "pages_evicted":
            found.evictions += len(event.pages)
            cached.difference_update(event.pages)
            continue
        gone = {page for page, ref in zip(event.pages, event.refs, strict=True) if ref == 0}
        held.difference_update(gone)
        held.update(set(event.pages) - gone)
        if kind == "pages_cached":
            found.kept += len(gone)
            cached |= gone
            found.most_kept = max(found.most_kept, len(cached))
        elif kind == "pages_free":
            found.frees += len(gone)
        else:
            found.allocs += len(event.pages) if kind == "pages_alloc" else 0
            cached.difference_update(event.pages)
            found.most_shared = max(found.most_shared, *event.refs)
        found.most_held = max(found.most_held, len(held))
    return found


TALLIED = {
    "run.allocs": "allocs",
    "run.frees": "frees",
    "run.evictions": "evictions",
    "run.kept": "kept",
    "pool.in_use.peak": "most_held",
    "pool.cached.peak": "most_kept",
    "page.ref.peak": "most_shared",
}
COUNTED = {
    "run.requests": "task_submitted",
    "run.finished": "task_finished",
    "run.preemptions": "task_preempted",
    "run.steps": "step_end",
}
for _name, _what in TALLIED.items():
    vouches(_name)(lambda witness, what=_what: getattr(tally(witness.trace), what))
for _name, _what in COUNTED.items():
    vouches(_name)(lambda witness, what=_what: events_between(witness, what, -1, witness.last))


@vouches("run.recomputed")
def run_recomputed(witness: Witness) -> int:
    """Tokens computed again whose K and V a request lost with a preemption."""
    stored: dict[str, int] = {}
    lost: dict[str, int] = {}
    again = 0
    for event in witness.events("task_admitted", "kv_write", "kv_lengths", "task_preempted"):
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
    return again


@vouches("run.computed")
def run_computed(witness: Witness) -> int:
    """Tokens whose K and V were written."""
    return sum(count for _, count in computed(witness, -1, witness.last + 1))


@vouches("run.lost")
def run_lost(witness: Witness) -> int:
    """Tokens that finished requests count, but no event told of."""
    finished = witness.events("task_finished")
    return sum(event.generated - len(witness.lives[event.task].tokens) for event in finished)


@vouches("run.steps_done")
def steps_done(witness: Witness) -> int:
    return max((event.step for event in witness.events("task_finished")), default=-1) + 1


@vouches("phase.median")
def phase_median(witness: Witness, phase: str) -> float:
    """Of the durations of its phases that worked on a request."""
    ends = witness.events("phase_end")
    return float(median(event.duration_ns for event in ends if event.phase == phase and event.n_tasks))


@lru_cache(maxsize=4)
def _slots(trace: Trace) -> tuple[int, int]:
    """Filled and held slots, of pages with a refcount, summed over the ends of steps."""
    witness, filled, held = Witness.of(trace), 0, 0
    for step in witness.steps:
        state = trace.state_at(step.end.seq)
        slots = state.fill()
        used = [page for page, ref in enumerate(state.refs) if ref]
        filled += int(slots[used].sum())
        held += len(used) * witness.page_size
    return filled, held


@vouches("run.filled")
def run_filled(witness: Witness) -> float:
    filled, held = _slots(witness.trace)
    return filled / held


vouch_all(
    {
        "run.generated": lambda witness: sum(len(event.tasks) for event in witness.events("tokens")),
        "run.prompts": lambda witness: sum(event.prompt_len for event in witness.events("task_submitted")),
        "run.asked": lambda witness: sum(event.tokens for event in witness.events("task_admitted")),
        "run.found": lambda witness: sum(event.cached_tokens for event in witness.events("task_admitted")),
        "ttft.median": lambda witness: float(
            median(life.tokens[0].ns - life.arrived for life in witness.lives.values() if life.tokens)
        ),
    }
)
