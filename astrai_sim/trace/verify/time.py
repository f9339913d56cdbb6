"""Time in a trace: it never runs back, and a cost model's is computed again."""

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.checks import Level


class Time:
    """The clock as the events have it, `before` the last one and `now`; with a cost model, as its constants have it.

    `began` is when the last step and the last phase did.
    """

    def __init__(self, checks: Level, header: Header) -> None:
        self.checks = checks
        self.before = self.now = 0
        self.cost = header.cost if header.clock == "cost-model" else None
        self.began = {"step": 0, "phase": 0}

    def check(self, event: Event) -> None:
        """The event's time against the one before; under a cost model only passes and waiting take time."""
        ns, before, checks = event.ns, self.now, self.checks
        if ns != before and checks.number("ns", ns, 0) < before:
            raise checks.lie(f"time runs back from {before} to {ns} ns")
        if self.cost and event.event not in ("kv_lengths", "task_submitted"):
            checks.same("time by the cost model", ns, before)
        self.before, self.now = before, ns

    def submitted(self, event: Event, idle: bool) -> None:
        """A request is never there before it is due; an idle clock waits until then."""
        due = None if event.arrival_s is None else round(event.arrival_s * 1e9)
        if due is not None:
            message = f"{event.task} is due at {event.arrival_s} s, but submitted at {event.ns} ns"
            self.checks.true("arrival", event.ns >= due, message)
        if self.cost and event.ns != self.before:
            message = f"the clock moves from {self.before} to {event.ns} ns without a pass"
            self.checks.true("time by the cost model", idle and event.ns == due, message)

    def forward(self, event: Event, kv_tokens: int, prefill: bool) -> None:
        """A forward pass, of prompts or of single tokens, takes what the cost model says."""
        cost, counts = self.cost, event.counts
        if cost is None:
            return
        if prefill:
            seconds = cost.prefill_step_s + sum(counts) * cost.prefill_token_s
        else:
            seconds = cost.decode_step_s + len(counts) * cost.decode_token_s + kv_tokens * cost.decode_kv_s
        self.checks.same("time by the cost model", event.ns, self.before + round(seconds * 1e9))

    def end(self, what: str, event: Event) -> None:
        """A step or a phase took no longer than from its beginning until now."""
        duration, took = self.checks.number("duration", event.duration_ns, 0), event.ns - self.began[what]
        if self.cost:
            self.checks.same("duration", duration, took)
        else:
            self.checks.true("duration", duration <= took, f"a duration of {duration} ns in {took} ns")
