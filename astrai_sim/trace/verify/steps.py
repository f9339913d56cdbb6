"""The order of a recording: events, steps, phases, snapshots, and what each must bring to its end."""

from collections import deque
from typing import Any

from msgspec.structs import asdict

from astrai_sim.trace.events import PHASES, Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.asked import Asked
from astrai_sim.trace.verify.checks import Checks, Lie
from astrai_sim.trace.verify.policy import RULES, claimed
from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.prefixes import Prefixes, Texts
from astrai_sim.trace.verify.requests import Plan, Queues, Tracked, fits, planned_decode, planned_prefill
from astrai_sim.trace.verify.time import Time

SNAPSHOT_STEPS = {"full": 16, "bulk": 512}


class StepRules:
    """Takes in one event after the other; raises Lie at the first that cannot be.

    What a phase must still bring before it ends: `to_gather` tasks whose writes were not read yet, `to_note` prefilled
    ones that no event names yet, `to_answer` tasks that must get a token, `to_finish` those with as many as they may
    have, `to_release` those whose pages must go.
    """

    def __init__(self, header: Header) -> None:
        scenario = header.scenario
        self.header = header
        self.rules, self.unknown_rules = claimed(header)
        checks = self.checks = Checks(RULES, self.rules)
        self.format, self.paging, self.policy = checks.format, checks.paging, checks.policy
        self.detail = header.detail
        self.model_free = header.model == "none"
        self.counts_only = self.model_free and header.detail == "bulk"
        self.caching = scenario.cache.prefix_caching
        self.settings: dict[str, Any] = asdict(scenario.scheduler)
        self.eos = None if self.model_free else self.settings.get("eos")
        self.vocab_size = scenario.model.vocab_size
        self.snapshot_steps = scenario.record.snapshot_every or SNAPSHOT_STEPS[self.detail]
        self.pool = Pool(checks, scenario.cache.n_pages, scenario.cache.page_size)
        self.requests = Queues(checks)
        self.prefixes = Prefixes(scenario.cache.page_size)
        self.time = Time(checks.format, header)
        self.asked = Asked(checks, header)
        self.texts = Texts(checks.format, header.tokenizer is not None and self.detail == "full")
        self.size = self.pool.size
        self.seq = 0
        self.step = -1
        self.phase: str | None = None
        self.in_step = False
        self.last_snapshot = -1
        self._last_end = -1
        self._before = 0
        self._extra_snapshot: int | None = None
        self.seen_phases: list[str] = []
        self.computed = 0
        self.phase_tasks: list[str] = []
        self.plan: Plan = []
        self.to_gather: list[str] = []
        self.to_note: deque[str] = deque()
        self.to_answer: deque[str] = deque()
        self.to_finish: set[str] = set()
        self.to_release: set[str] = set()

    def take(self, event: Event) -> None:
        """Check the next event."""
        self._common(event)
        self._follows(event)
        before = self.time.now
        self.time.check(event)
        self._before = before
        getattr(self, f"on_{event.event}")(event)
        self.seq += 1

    def _follows(self, event: Event) -> None:
        """What the event before leaves open must come first."""
        if self.to_finish and event.event != "task_finished":
            raise Lie(f"{next(iter(self.to_finish))} got its last token, but is not finished")

    def end(self, stopped: str) -> None:
        """Check that the recording may end here, for the reason that its footer states."""
        self._due("")
        if self.in_step or self.phase:
            raise Lie("the recording ends inside a step")
        cadence = self.policy["snapshot-cadence"]
        cadence.true("last snapshot", self.last_snapshot == self.seq - 1, "the recording does not end with a snapshot")
        self.asked.end(stopped, self.step, self.requests)

    def _common(self, event: Event) -> None:
        kind = event.event
        self.format.same("seq", event.seq, self.seq)
        self.format.same("step", event.step, self.step + (kind == "step_begin"))
        if self._extra_snapshot is not None:
            message = f"a snapshot after step {self.step}, which is no {self.snapshot_steps}th"
            raise Lie(message, "policy", "snapshot-cadence")
        if kind == "phase_begin":
            self._begin_phase(event)
        self.format.same("phase", event.phase, self.phase)

    # steps and phases

    def _begin_phase(self, event: Event) -> None:
        name = event.phase
        if name is None:
            raise Lie("a phase without a name")
        if self.phase is not None:
            raise Lie(f"the phase {self.phase} has not ended")
        order = self.policy["four-phases"]
        order.true("phase", self.in_step or name == "cleanup", f"the phase {name} outside a step")
        late = PHASES.index(name)
        message = f"the phase {name} after {', '.join(self.seen_phases)}"
        order.true("phase order", all(PHASES.index(p) < late for p in self.seen_phases), message)
        if self.in_step:
            self.seen_phases.append(name)
        self.phase = name
        self.phase_tasks = []
        if self.policy["passes-planned"].claimed:
            self.plan = []
            if name == "prefill":
                self.plan = planned_prefill(self.requests, self.settings)
            elif name == "decode":
                picked = planned_decode(self.requests, self.settings, self.computed, self.step)
                self.plan = [(task, 1) for task in picked]

    def on_phase_begin(self, event: Event) -> None:
        self.time.begin(event)

    def on_phase_end(self, event: Event) -> None:
        if self.phase is None:
            raise Lie("no phase has begun")
        self.time.end(event)
        if self.phase == "cleanup":
            self._cleaned_up()
        elif self.phase == "refill":
            self._refilled()
        self._phase_tasks(event)
        self._due(f"by the end of {self.phase}")
        if self.phase in ("prefill", "decode"):
            for name in self.phase_tasks:
                self._all_keyed(self.requests[name])
        self.pool.check_touched()
        self.phase = None

    def _phase_tasks(self, event: Event) -> None:
        raise NotImplementedError

    def _all_keyed(self, request: Tracked) -> None:
        raise NotImplementedError

    def _cleaned_up(self) -> None:
        """All that were finished are gone, their pages let go."""
        frees, late = self.policy["next-cleanup-frees"], []
        for name in self.requests.finished:
            holds = name in self.pool.tables
            frees.true("pages after cleanup", not holds, f"{name} is finished, but still holds pages after cleanup")
            if holds:
                late.append(name)
            else:
                self.requests[name].status = "gone"
        self.phase_tasks = [name for name in self.requests.finished if name not in late]
        self.requests.finished = late

    def _refilled(self) -> None:
        """Whoever waits first has to."""
        queues, rule = self.requests, self.policy["admitted-when-fitting"]
        blind = self.counts_only and self.caching
        if queues.waiting and len(queues.running) < self.settings["max_batch"] and rule.claimed and not blind:
            first = queues[queues.waiting[0]]
            waits = not fits(first, queues, self.settings, self.pool, self.prefixes)
            rule.true("admission", waits, f"{first.name} could be admitted, but still waits")

    def _due(self, when: str) -> None:
        """Nothing may be left of what had to come."""
        for names, what in (
            (self.to_gather, "is written, but not gathered"),
            (self.to_note, "is computed, but neither chunk nor task_prefilled says so"),
            (self.to_answer, "is computed, but got no token"),
            (self.to_finish, "got its last token, but is not finished"),
        ):
            for name in names:
                raise Lie(f"{name} {what} {when}".rstrip())
        for name in self.to_release:
            message = f"{name} is preempted, but still holds pages {when}".rstrip()
            self.policy["next-cleanup-frees"].true("pages after preemption", False, message)

    def on_step_begin(self, event: Event) -> None:
        if self.in_step:
            raise Lie(f"step {self.step} has not ended")
        due = self.step >= 0 and (self.step + 1) % self.snapshot_steps == 0
        taken = not due or self.last_snapshot == self._last_end + 1
        self.policy["snapshot-cadence"].true("snapshot", taken, f"the snapshot after step {self.step} is missing")
        self.step = event.step
        self.asked.step_begins(self.step, self.requests, self._before)
        self.in_step = True
        self.seen_phases = []
        self.computed = 0
        self.time.begin(event)
        self._queues(event)

    def _queues(self, event: Event) -> None:
        """The queues that the event lists, if it does."""

    def on_step_end(self, event: Event) -> None:
        if not self.in_step:
            raise Lie("no step has begun")
        self.format.same("waiting", event.waiting, len(self.requests.waiting))
        self.format.same("running", event.running, len(self.requests.running))
        self.time.end(event)
        self.pool.check_touched()
        self.in_step = False
        self.seen_phases = []
        self._last_end = self.seq

    def on_setting(self, event: Event) -> None:
        name, value = event.name, event.value
        self.format.true("setting", self.phase is None and not self.in_step, "a setting is changed inside a step")
        if name == "decode_policy":
            self.format.true("setting", value in ("all", "same-position"), f"unknown policy {value!r}")
        elif name == "max_tokens_per_step":
            if value is not None:
                self.format.number(name, value, 1)
        elif name == "preemption":
            self.format.true("setting", type(value) is bool, f"{name} cannot be {value!r}")
        else:
            raise Lie(f"unknown setting {name!r}")
        self.asked.set(name, value, self.step + 1)
        self.settings[name] = value

    # snapshots

    def on_snapshot(self, event: Event) -> None:
        """After steps as the cadence has it; one more may end the recording."""
        self.format.true("snapshot", self.phase is None and not self.in_step, "a snapshot inside a step")
        due = self.seq == self._last_end + 1 and (self.step + 1) % self.snapshot_steps == 0
        if self.policy["snapshot-cadence"].claimed and not due:
            self._extra_snapshot = self.seq
        lengths = {name: self.requests[name].kv for name in self.pool.tables}
        self.paging.same("snapshot mask", event.mask, self.pool.free.whole())
        self._snapshot(event, lengths)
        self.pool.sweep()
        self.last_snapshot = self.seq

    def _snapshot(self, event: Event, lengths: dict[str, int]) -> None:
        raise NotImplementedError
