"""The order of a recording: events, steps, phases, snapshots, and what each must bring to its end."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import PHASES, Header
from astrai_sim.trace.verify.asked import Asked
from astrai_sim.trace.verify.checks import Checks, Level, Lie
from astrai_sim.trace.verify.policy import BY_PHASE, OWN_ENGINE, RULES, claimed
from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.prefixes import Texts
from astrai_sim.trace.verify.requests import Plan, Queues, Tracked
from astrai_sim.trace.verify.time import Time

SNAPSHOT_STEPS = {"full": 16, "bulk": 512}


class StepRules:
    """Takes in one event after the other; raises Lie at the first that cannot be.

    What a phase must still bring before it ends (or the step, where there are not the `four`): `to_gather` tasks whose
    writes were not read yet, `to_note` prefilled ones that no event names yet, `to_answer` tasks that must get a token,
    `prefilled` those of them whose prompt was ended, `to_finish` those with as many as they may have, `to_release`
    those whose pages must go. `untold` counts what an engine that is not our `own` leaves out.
    """

    of_each = "seq", "step", "phase", "ns"
    """What is compared of every event: `verify` counts that at the end."""

    def __init__(self, header: Header) -> None:
        scenario = header.scenario
        self.header, self.detail = header, header.detail
        self.rules, self.unknown_rules = claimed(header)
        checks = self.checks = Checks(RULES, self.rules)
        self.format, self.paging, self.policy = checks.format, checks.paging, checks.policy
        self.own = header.engine.name == OWN_ENGINE
        self.untold: Counter[str] = Counter()
        self.four = header.phases == PHASES
        for rule in BY_PHASE:
            message = (
                f"it goes by the phases {', '.join(PHASES)}, and the header's are {', '.join(header.phases) or 'none'}"
            )
            self.policy[rule].true("phases of a rule", self.four, message)
        self.model_free = header.model == "none"
        self.counts_only = self.model_free and self.detail == "bulk"
        self.caching = scenario.cache.prefix_caching
        self.settings: dict[str, Any] = asdict(scenario.scheduler)
        eos = None if self.model_free else scenario.scheduler.eos
        self.eos = eos if isinstance(eos, tuple) else () if eos is None else (eos,)
        self.vocab_size = scenario.model.vocab_size
        self.snapshot_steps = scenario.record.snapshot_every or SNAPSHOT_STEPS[self.detail]
        self.pool = Pool(checks, scenario.cache.n_pages, scenario.cache.page_size)
        self.prefixes, self.size = self.pool.prefixes, self.pool.size
        self.requests = Queues(checks, self.settings)
        self.time = Time(checks.format, header)
        self.asked = Asked(checks, header)
        self.texts = Texts(checks.format, header.tokenizer is not None and self.detail == "full")
        self._handlers: dict[str, Callable[[Event], None]] = {}
        self.seq, self.step = 0, -1
        self.phase: str | None = None
        self.in_step = False
        self.last_snapshot = self._last_end = -1
        self._extra_snapshot = False
        self.seen_phases: list[str] = []
        self.computed = 0
        self.phase_tasks: list[str] = []
        self.passed = False
        self.plan: Plan = [], []
        self.to_gather: list[str] = []
        self.to_note: list[str] = []
        self.to_answer: list[str] = []
        self.to_finish: set[str] = set()
        self.prefilled: set[str] = set()
        self.to_release: set[str] = set()

    def take(self, event: Event) -> None:
        """Check the next event."""
        kind, checks, step = event.event, self.format, self.step
        if kind == "step_begin":
            step += 1
        if event.seq != self.seq or event.step != step:
            checks.same("seq", event.seq, self.seq)
            checks.same("step", event.step, step)
        if self._extra_snapshot:
            message = f"a snapshot after step {self.step}, which is no {self.snapshot_steps}th"
            raise self.policy["snapshot-cadence"].lie(message)
        if kind == "phase_begin":
            if self.phase is not None:
                raise checks.lie(f"the phase {self.phase} has not ended")
        elif event.phase != self.phase:
            checks.same("phase", event.phase, self.phase)
        self._follows(event)
        self.time.check(event)
        handler = self._handlers.get(kind)
        if handler is None:
            handler = self._handlers[kind] = getattr(self, f"on_{kind}")
        handler(event)
        self.seq += 1

    def told(self, level: Level, what: str, recorded: Any, expected: Any) -> None:
        """Both must be equal; but another engine may leave this out, which is counted."""
        if recorded is None and expected is not None and not self.own:
            self.untold[what] += 1
        else:
            level.same(what, recorded, expected)

    def _follows(self, event: Event) -> None:
        """What the event before leaves open must come first; other engines may finish requests later in the step."""
        if self.own and self.to_finish and event.event != "task_finished":
            raise Lie(f"{next(iter(self.to_finish))} got its last token, but is not finished")
        if self.pool.expected and event.event not in ("pages_alloc", "lines"):
            raise self.paging.lie(f"page {self.pool.expected[0]} was evicted but not handed out")

    def end(self, stopped: str) -> None:
        """Check that the recording may end here, for the reason that its footer states."""
        self._due("")
        if self.in_step or self.phase:
            raise Lie("the recording ends inside a step")
        cadence = self.policy["snapshot-cadence"]
        cadence.true("last snapshot", self.last_snapshot == self.seq - 1, "the recording does not end with a snapshot")
        if self.last_snapshot != self.seq - 1:
            self.pool.sweep()
        self.asked.end(stopped, self.step, self.requests)

    # steps and phases

    def _between_steps(self, what: str, lie: str) -> None:
        self.format.true(what, self.phase is None and not self.in_step, f"{lie} inside a step")

    def on_phase_begin(self, event: Event) -> None:
        name = event.phase
        self.time.began["phase"] = event.ns
        if name is None:
            raise Lie("a phase without a name")
        order = self.policy["four-phases"]
        order.true("phase", self.in_step or name == "cleanup", f"the phase {name} outside a step")
        place = self.header.phases.index
        if self.seen_phases and max(map(place, self.seen_phases)) >= place(name):
            order.true("phase order", False, f"the phase {name} after {', '.join(self.seen_phases)}")
        order.held("phase order", 1)
        if self.in_step:
            self.seen_phases.append(name)
        self.phase, self.phase_tasks, self.passed = name, [], False
        decodes = name == "decode" and self.policy["passes-planned"].claimed
        self.plan = self.requests.planned_decode(self.computed, self.step) if decodes else ([], [])

    def on_phase_end(self, event: Event) -> None:
        if self.phase is None:
            raise Lie("no phase has begun")
        self.time.end("phase", event)
        if self.four:
            self._phase_done(event)
        elif event.tasks is not None:
            self.format.true("tasks of the phase", all(map(self.requests.__getitem__, event.tasks)), "")
        self.pool.check_touched()
        self.phase = None

    def _phase_done(self, event: Event) -> None:
        """What each of the four phases has to bring."""
        if self.phase == "cleanup":
            self._cleaned_up()
        elif self.phase == "refill":
            self._refilled()
        tasks = list(dict.fromkeys(self.phase_tasks))
        if self.detail == "full":
            self.format.same("tasks of the phase", event.tasks, tasks)
        else:
            self.format.same("tasks of the phase", event.n_tasks, len(tasks))
        self._due(f"by the end of {self.phase}")
        if self.phase in ("prefill", "decode") and self.caching:
            for name in tasks:
                self._all_keyed(self.requests[name])

    def _all_keyed(self, request: Tracked) -> None:
        """Pages that the last pass filled are keyed, unless another has the same content."""
        rule, full = self.policy["full-pages-keyed"], request.kv // self.size
        if not self.caching or request.ids is None or not rule.claimed:
            return
        chain = self.prefixes.extend(request.chain, request.ids, full)
        for logical in range(request.start // self.size, full):
            page = self.pool.tables[request.name][logical]
            known = page in self.pool.keys or chain[logical] in self.pool.page_of
            rule.true("full pages keyed", known, f"page {page} is full, but got no key")

    def _cleaned_up(self) -> None:
        """All that were finished are gone, their pages let go."""
        for name in self.requests.finished:
            message = f"{name} is finished, but still holds pages after cleanup"
            self.policy["next-cleanup-frees"].true("pages after cleanup", name not in self.pool.tables, message)
        self.phase_tasks = self.requests.gone(self.pool.tables)

    def _refilled(self) -> None:
        """Whoever waits first has to."""
        queues, rule = self.requests, self.policy["admitted-when-fitting"]
        blind = self.counts_only and self.caching
        if queues.waiting and len(queues.running) < self.settings["max_batch"] and rule.claimed and not blind:
            first = queues[queues.waiting[0]]
            message = f"{first.name} could be admitted, but still waits"
            rule.true("admission", not queues.fits(first, self.pool), message)

    def _due(self, when: str) -> None:
        """Nothing may be left of what had to come. Engines that read K and V by their tables have no gather to tell."""
        if self.to_gather and not self.own:
            self.untold["gathers"] += 1
            self.to_gather = []
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
        self.asked.step_begins(self.step, self.requests, self.time.before)
        self.in_step, self.seen_phases, self.computed = True, [], 0
        self.time.began["step"] = event.ns

    def on_step_end(self, event: Event) -> None:
        if not self.in_step:
            raise Lie("no step has begun")
        self.format.same("waiting", event.waiting, len(self.requests.waiting))
        self.format.same("running", event.running, len(self.requests.running))
        self.time.end("step", event)
        if not self.four:
            self._due("by the end of the step")
            self.requests.gone(self.pool.tables)
        self.pool.check_touched()
        self.in_step, self.seen_phases, self._last_end = False, [], self.seq

    def on_setting(self, event: Event) -> None:
        name, value = event.name, event.value
        self._between_steps("setting", "a setting is changed")
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
        self._between_steps("snapshot", "a snapshot")
        due = self.seq == self._last_end + 1 and (self.step + 1) % self.snapshot_steps == 0
        self._extra_snapshot = self.policy["snapshot-cadence"].claimed and not due
        self.paging.same("snapshot mask", event.mask, self.pool.free.whole())
        self.pool.sweep()
        self.last_snapshot = self.seq

    def _lengths(self) -> dict[str, int]:
        return {name: self.requests[name].kv for name in self.pool.tables}
