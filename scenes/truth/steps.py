"""Steps, phases and time."""

from collections import Counter
from collections.abc import Mapping

from astrai_sim.trace.header import PHASES
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness


@shows("phase", fades=True)
def phase(witness: Witness, at: int, shown: Mapping) -> str | None:
    return witness.state(at).phase


vouches("phase.name")(lambda witness, at: witness.state(at).phase)


@vouches("clock.time")
def clock_time(witness: Witness, at: int) -> int:
    return witness.trace[int(min(at, witness.last))].ns if at >= 0 else 0


@vouches("phase.duration")
def phase_duration(witness: Witness, at: int) -> int:
    event = witness.trace[at]
    if event.event != "phase_end":
        raise LookupError(f"event {at} is no end of a phase")
    return event.duration_ns


def computed(witness: Witness, after: int, before: int) -> list[tuple[str, int]]:
    """(task, tokens) of everything computed between two events."""
    found: list[tuple[str, int]] = []
    for event in witness.events("kv_write", "kv_lengths", after=after, before=before):
        if event.event == "kv_write":
            found += [(span.task, span.count) for span in event.spans]
        else:
            found += zip(event.tasks, event.counts, strict=True)
    return found


def phase_ns(witness: Witness, phase: str, step: int) -> list[int]:
    """When a phase began and ended in a step; nothing in a step without it.

    Of another engine's: from before the first pass that computed for a token of that source, or a piece of its prompt,
    to the last such token or piece.
    """
    begin, end = witness.step(step)
    if witness.trace.header.phases != PHASES:
        return _passes_ns(witness, phase, begin.seq, end.seq)
    events = witness.events("phase_begin", "phase_end", after=begin.seq, before=end.seq)
    return [event.ns for event in events if event.phase == phase]


def _passes_ns(witness: Witness, source: str, after: int, before: int) -> list[int]:
    """When passes of prompts ("prefill"), or of single tokens, began and their last token came, between two events."""
    passes = [
        (event.seq, {span.task for span in event.spans} if event.event == "kv_write" else set(event.tasks))
        for event in witness.events("kv_write", "kv_lengths", after=after, before=before)
    ]
    tokens = [event for event in witness.events("tokens", after=after, before=before) if event.source == source]
    given, ends = [(event.seq, task) for event in tokens for task in event.tasks], [event.ns for event in tokens]
    for event in witness.events("chunk", "task_prefilled", after=after, before=before) if source == "prefill" else ():
        given.append((event.seq, event.task))
        ends.append(event.ns)
    found = [max((at for at, tasks in passes if at < seq and task in tasks), default=seq) for seq, task in given]
    if not found:
        return []
    began = witness.trace[min(found) - 1].ns
    return [began, max(ends)]


@vouches("phase.time")
def phase_time(witness: Witness, phase: str, step: int) -> int:
    times = phase_ns(witness, phase, step)
    return times[-1] - times[0] if times else 0


@vouches("run.time")
def run_time(witness: Witness, after: int, until: int) -> int:
    """Nanoseconds between two events; -1 is the beginning."""
    return clock_time(witness, until) - clock_time(witness, after)


@vouches("events.between")
def events_between(witness: Witness, kind: str, after: int, until: int) -> int:
    return len([*witness.events(kind, after=after, before=until + 1)])


@shows("batch", fades=True)
def batch(witness: Witness, at: int, shown: Mapping) -> dict[str, dict]:
    """Tokens of each request that a step decoded, and that its prefill phase computed."""
    return {name: {"step": drawn["step"], **_batch(witness, drawn["step"])} for name, drawn in shown["batch"].items()}


def _batch(witness: Witness, step: int) -> Counter[tuple[str, str]]:
    begin, end = witness.step(step)
    found: Counter[tuple[str, str]] = Counter()
    for event in witness.events("tokens", "chunk", "task_prefilled", after=begin.seq, before=end.seq):
        if event.event != "tokens":
            found[event.task, "prompt"] += event.end - event.start
        elif event.source == "decode":
            found.update((task, "decode") for task in event.tasks)
    return found


for _name, _kind in (("decoded", "decode"), ("prefilled", "prompt")):
    vouches(f"step.{_name}")(
        lambda witness, step, of=_kind: sum(n for (_, kind), n in _batch(witness, step).items() if kind == of)
    )
vouches("step")(lambda witness, at: witness.state(at).step)
vouches("step.duration")(lambda witness, step: witness.step(step).end.duration_ns)
