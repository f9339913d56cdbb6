"""The header against itself, and what its scenario asks for against the events."""

import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header, RequestPart
from astrai_sim.trace.verify.checks import Checks
from astrai_sim.trace.verify.policy import OWN_ENGINE
from astrai_sim.trace.verify.requests import Queues

RULE = "(48271 * last + position) mod vocab_size"
FORMULA = (
    "prefill pass of n tokens: prefill_step_s + n * prefill_token_s; "
    "decode pass of b tokens, c tokens in their caches: "
    "decode_step_s + b * decode_token_s + c * decode_kv_s; all else: 0"
)
SETTINGS = ("max_tokens_per_step", "preemption", "decode_policy")


class Asked:
    """Requests, changes and the reason to stop as the header has them, taken off as they come.

    A header of another engine is not held against itself: its scenario may say less than it has.
    """

    def __init__(self, checks: Checks, header: Header) -> None:
        self.format, self.policy = checks.format, checks.policy
        self.header, self.scenario = header, header.scenario
        self.kept = checks.policy["scenario-kept"]
        wanted = sorted(self.scenario.requests, key=lambda asked: (asked.arrival_s or 0.0, asked.arrival_step))
        self.by_step = deque(asked for asked in wanted if asked.arrival_s is None)
        self.by_time = deque(asked for asked in wanted if asked.arrival_s is not None)
        changes = sorted(self.scenario.changes, key=lambda change: change.step)
        made = ((change.step, name, getattr(change, name)) for change in changes for name in SETTINGS)
        self.changes = deque((at, name, None if to == "none" else to) for at, name, to in made if to is not None)
        self.load = header.workload
        self.to_come = self.load.requests if self.load else 0
        self._drawn: dict[str, list[int]] = {}
        self._last_s = 0.0
        if header.engine.name == OWN_ENGINE:
            self._header()

    def _header(self) -> None:
        """What stands in the header twice, or follows from what else stands there."""
        header, scenario, same = self.header, self.scenario, self.format.same
        same("seed", header.seed, scenario.seed)
        same("scenario name", header.scenario_name, scenario.name)
        same("dtype", header.dtype, scenario.model.dtype or header.dtype)
        same("model", header.model, scenario.model.kind or header.model)
        same("detail", header.detail, scenario.record.detail)
        same("K and V layer", header.kv_layer, scenario.record.kv_layer)
        self.format.number("K and V layer", header.kv_layer, 0, scenario.model.n_layers)
        free = header.model == "none"
        same("clock", header.clock, "cost-model" if free else "real")
        same("token rule", header.token_rule, RULE if free else None)
        if not free:
            same("cost", header.cost, None)
        elif header.cost is not None:
            same("formula", header.cost.formula, FORMULA)
            if scenario.cost is not None:
                for name in scenario.cost.__struct_fields__[:-1]:
                    same(f"cost {name}", getattr(header.cost, name), getattr(scenario.cost, name))
        from_file = header.model == "smollm2"
        same("weights", header.weights is not None, from_file)
        same("tokenizer", header.tokenizer is not None, from_file)
        if header.tokenizer is not None and not header.private:
            same("tokens of the tokenizer", header.tokenizer.tokens, scenario.model.vocab_size)
        same("workload", self.load is not None, scenario.workload is not None)
        if self.load is not None and scenario.workload is not None:
            same("workload kind", self.load.kind, scenario.workload.kind)
            same("workload file", self.load.file, scenario.workload.path)
            taken = self.load.requests + self.load.failed + self.load.too_long
            self.format.true("workload rows", taken <= self.load.rows, f"{taken} of {self.load.rows} rows were taken")
        if header.device.type == "cpu":
            same("capability", header.device.capability, None)
            same("driver", header.device.driver, None)
        else:
            same("instructions", header.device.instructions, None)
        for name, source in header.sources.items():
            called = f"def {name.rpartition('.')[2]}("
            self.format.true("source", called in source.text, f"the source of {name} has no {called!r}")

    def submitted(self, event: Event, step: int) -> None:
        """A request comes, before `step`: the next that the scenario has, as it has it."""
        timely = self.policy["arrivals-in-time"]
        message = f"{event.task} arrives before step {event.arrival_step}, but is submitted before step {step}"
        timely.true("arrival", event.arrival_step <= step, message)
        if event.arrival_s is None:
            timely.same("arrival step", event.arrival_step, step)
        if not self.kept.claimed:
            self.to_come -= self.load is not None
            for coming in (self.by_step, self.by_time):
                for asked in [asked for asked in coming if asked.name == event.task]:
                    coming.remove(asked)
            return
        if self.load is not None:
            self._of_load(event)
            return
        queue = self.by_step if event.arrival_s is None else self.by_time
        self.kept.true("next request", bool(queue), f"the scenario has no request {event.task!r} that is to come")
        asked, same = queue.popleft(), self.kept.same
        same("next request", event.task, asked.name)
        same("max tokens", event.max_tokens, asked.max_tokens)
        same("arrival step", event.arrival_step, asked.arrival_step)
        same("arrival second", event.arrival_s, asked.arrival_s)
        self._prompt(event, asked)

    def _prompt(self, event: Event, asked: RequestPart) -> None:
        prefix = next((p for p in self.scenario.prefixes if p.name == asked.prefix), None)
        self.kept.same("prefix", prefix is not None, asked.prefix is not None)
        if asked.prompt is not None:
            said = "".join(event.texts or ())
            for text in (asked.prompt, prefix and prefix.text):
                known = text is None or event.texts is None or text in said
                self.kept.true("prompt's text", known, f"the prompt of {event.task} does not say {text!r}")
            return
        ids = self._ids(f"request {asked.name}", asked.prompt_ids, asked.prompt_tokens)
        if prefix is not None:
            ids = self._ids(f"prefix {prefix.name}", prefix.prompt_ids, prefix.tokens) + ids
        self.kept.same("prompt length", event.prompt_len, len(ids))
        if event.prompt is not None:
            self.kept.same("drawn prompt", event.prompt, ids)

    def _ids(self, what: str, given: Sequence[int] | None, count: int | None) -> list[int]:
        """Token ids that the scenario lists, or draws from its seed."""
        if given:
            return list(given)
        if what not in self._drawn:
            source, size = random.Random(f"{self.scenario.seed}/{what}"), self.scenario.model.vocab_size
            if not size or count is None:
                raise self.kept.lie(f"the header's scenario does not say how to draw the {what}")
            self._drawn[what] = [source.randrange(size) for _ in range(count)]
        return self._drawn[what]

    def _of_load(self, event: Event) -> None:
        """A request of a production trace: named by its place, in order of arrival, within the limits."""
        load, asked, due = self.load, self.scenario.workload, event.arrival_s
        assert load is not None and asked is not None
        number = load.requests - self.to_come + 1
        self.to_come -= 1
        self.kept.same("next request", event.task, f"r{number:0{len(str(load.requests))}}")
        window = asked.window and (asked.window[1] - asked.window[0]) * asked.time_scale
        self.kept.true(
            "arrival second",
            due is not None and self._last_s <= due and (not window or due < window),
            f"{event.task} is due at {due} s, after one that is due at {self._last_s} s, in a window of {window} s",
        )
        self._last_s = due or 0.0
        total = event.prompt_len + event.max_tokens
        most = asked.length_limit
        self.kept.true("length limit", not most or total <= most, f"{total} tokens, where at most {most} are taken")
        if event.prompt is not None and load.kind != "mooncake" and self.scenario.model.vocab_size:
            drawn = random.Random(f"{self.scenario.seed}/request {event.task}").randbytes(4 * event.prompt_len)
            ids = np.frombuffer(drawn, "<u4") % self.scenario.model.vocab_size
            self.kept.same("drawn prompt", event.prompt, ids.tolist())

    def set(self, name: str, value: Any, step: int) -> None:
        """A setting changes before `step`: the next change that the scenario has."""
        self.kept.same("change", (step, name, value), self.changes.popleft() if self.changes else None)

    def step_begins(self, step: int, requests: Queues, ns: int) -> None:
        """Whatever was due before `step` has come, and there is no reason to stop."""
        timely = self.policy["arrivals-in-time"]
        if self.changes:
            self.kept.true("change", self.changes[0][0] > step, f"{self.changes[0]} is due, but was not made")
        if self.by_step:
            name, due = self.by_step[0].name, self.by_step[0].arrival_step
            timely.true("arrivals", due > step, f"{name} arrives before step {due}, but was not submitted")
        if self.by_time and self.header.clock == "cost-model":
            name, second = self.by_time[0].name, self.by_time[0].arrival_s or 0.0
            timely.true("arrivals", round(second * 1e9) > ns, f"{name} is due at {second} s, but was not submitted")
        reason = self._reason(step, requests)
        message = f"the run goes on with step {step}, though it must stop: {reason}"
        self.policy["stop-when-due"].true("stop", reason is None, message)

    def _reason(self, step: int, requests: Queues) -> str | None:
        """Why the run stops before `step`, or None."""
        stop = self.scenario.stop
        if stop.max_steps is not None and step >= stop.max_steps:
            return "max_steps"
        watched = requests.get(stop.task or "")
        if watched is not None and watched.n_tokens >= (stop.tokens or 0):
            return "task"
        left = self.by_step or self.by_time or self.to_come
        return "idle" if not left and requests.idle else None

    def end(self, stopped: str, step: int, requests: Queues) -> None:
        """The run stopped after `step` for the reason that the footer states."""
        self.policy["stop-when-due"].same("reason to stop", stopped, self._reason(step + 1, requests))
