"""How requests are served: admission, passes, tokens, preemption, and their end."""

from collections import deque

from astrai_sim.trace.digests import numbers_digest
from astrai_sim.trace.events import Event
from astrai_sim.trace.verify.asked import RULE
from astrai_sim.trace.verify.checks import Lie
from astrai_sim.trace.verify.requests import Plan, Tracked
from astrai_sim.trace.verify.steps import StepRules

REASONS = ("length", "eos", "aborted")


class Serving(StepRules):
    """What events say of requests and of the passes that compute for them."""

    def on_task_submitted(self, event: Event) -> None:
        checks, queues = self.format, self.requests
        checks.true("task", self.phase is None and not self.in_step, "a task is submitted inside a step")
        prompt, length = event.prompt, event.prompt_len
        checks.true("prompt", prompt is not None or self.counts_only, "the prompt's token ids are missing")
        checks.number("prompt length", length, 1)
        if prompt is not None:
            for token in prompt:
                checks.number("prompt", token, 0, self.vocab_size)
            checks.same("prompt length", length, len(prompt))
        self.texts.check(prompt or [], event.texts)
        checks.number("max tokens", event.max_tokens, 1)
        needed = -(-(length + event.max_tokens - 1) // self.size)
        self.paging.true(
            "fits at all", needed <= self.pool.n_pages, f"{event.task} can never fit: it needs {needed} pages"
        )
        idle = not (queues.waiting or queues.running or queues.finished)
        self.time.submitted(event, self._before, idle)
        self.asked.submitted(event, self.step + 1)
        ids = None if prompt is None else list(prompt)
        queues.submit(Tracked(event.task, length, event.max_tokens, ids, length))

    def on_task_admitted(self, event: Event) -> None:
        paging, kept, request = self.paging, self.policy["settings-kept"], self.requests[event.task]
        self.policy["four-phases"].same("phase of admission", self.phase, "refill")
        self.format.same("tokens", event.tokens, request.n_tokens)
        self.requests.admit(request)
        most = self.settings.get("max_batch")
        kept.true("batch", most is None or len(self.requests.running) <= most, f"more than {most} tasks run")
        table = self.pool.tables.get(event.task, [])
        self.policy["pages-on-demand"].same("pages for tokens", len(table), -(-event.tokens // self.size))
        self._table_of(event, table)
        self._found(event, request, table)
        paging.true("cached tokens", event.cached_tokens < event.tokens, "no token is left to compute")
        request.kv = event.cached_tokens
        self.phase_tasks.append(event.task)

    def _table_of(self, event: Event, table: list[int]) -> None:
        """What the event says of a task's table."""
        raise NotImplementedError

    def _found(self, event: Event, request: Tracked, table: list[int]) -> None:
        """What the event says of tokens that were found in the cache."""
        raise NotImplementedError

    def on_task_prefilled(self, event: Event) -> None:
        request = self._noted(event)
        self.paging.same("prefill end", event.end, request.n_tokens)
        request.status = "running"
        self.to_answer.append(event.task)

    def on_chunk(self, event: Event) -> None:
        request = self._noted(event)
        self.format.same("tokens", event.total, request.n_tokens)
        self.format.true("chunk", event.start < event.end < event.total, "a chunk must end before the prompt does")

    def _noted(self, event: Event) -> Tracked:
        request = self.requests[event.task]
        self._next(event.task, self.to_note)
        self.paging.same("kv length", event.end, request.kv)
        self.paging.same("prefill start", event.start, request.start)
        return request

    def _next(self, name: str, batch: deque[str]) -> None:
        """A task's turn in the order of the pass that computed something for it."""
        self.format.same("next in the batch", name, batch[0] if batch else None)
        batch.popleft()

    def _token(self, name: str, token: int | None) -> Tracked:
        """One token more for a task."""
        request, checks = self.requests[name], self.format
        self._next(name, self.to_answer)
        self.paging.same("kv length", request.kv, request.n_tokens)
        if request.ids is not None:
            known = checks.number("token id", token, 0, self.vocab_size)
            if self.header.token_rule == RULE and self.vocab_size:
                expected = (48271 * request.ids[-1] + request.n_tokens) % self.vocab_size
                checks.same("token by the rule", token, expected)
            request.ids.append(known)
        request.n_tokens += 1
        request.last = self.step
        most = request.max_tokens
        checks.true("max tokens", request.generated <= most, f"more than {most} tokens generated")
        if request.generated == most or (token is not None and token == self.eos):
            self.to_finish.add(name)
        return request

    def on_task_finished(self, event: Event) -> None:
        request, checks = self.requests[event.task], self.format
        checks.same("tokens", event.tokens, request.n_tokens)
        checks.same("generated", event.generated, request.generated)
        if event.reason not in REASONS:
            raise Lie(f"unknown reason {event.reason!r}")
        full, last = request.generated == request.max_tokens, request.ids[-1] if request.ids else None
        if event.task not in self.to_finish:
            checks.same("reason", event.reason, "aborted")
        elif request.ids is not None or not full:
            checks.same("reason", event.reason, "eos" if self.eos is not None and last == self.eos else "length")
        else:
            checks.true("reason", event.reason != "aborted", f"{event.task} has all its tokens: it is not aborted")
        self.to_finish.discard(event.task)
        self.requests.finish(request)

    def on_task_preempted(self, event: Event) -> None:
        request, latest = self.requests[event.task], self.policy["latest-preempted"]
        self.policy["four-phases"].same("phase of preemption", self.phase, "decode")
        self.format.same("tokens", event.tokens, request.n_tokens)
        allowed = bool(self.settings.get("preemption", True))
        self.policy["settings-kept"].true("preemption", allowed, "preemption is switched off")
        latest.same("free pages at preemption", self.pool.free.count, 0)
        latest.same("cached pages at preemption", len(self.pool.lru), 0)
        self._table_of(event, self.pool.tables.get(event.task, []))
        self.requests.preempt(request)
        self.to_release.add(event.task)

    def _receiver(self, name: str, logical: int, count: int = 1) -> None:
        """Pages go to the end of a table: of who is being admitted, or of who decodes."""
        request, held = self.requests[name], len(self.pool.tables.get(name, ()))
        if request.status in ("waiting", "preempted"):
            self.policy["four-phases"].same("phase of admission", self.phase, "refill")
            self.requests.next_to_admit(name)
        else:
            self.policy["four-phases"].same("phase of growth", self.phase, "decode")
            self.policy["pages-on-demand"].same("status", request.status, "running")
        message = f"{name} has {request.n_tokens} tokens: they do not need page {held + count} of its table"
        self.policy["pages-on-demand"].true("page needed", held + count <= -(-request.n_tokens // self.size), message)
        self.paging.same("logical page", logical, held)

    def _computed(self, event: Event, names: list[str], counts: list[int]) -> None:
        """A forward pass over `counts` tokens of each task."""
        paging, kept = self.paging, self.policy["settings-kept"]
        self.format.true("pass", self.phase in ("prefill", "decode"), f"a forward pass in the phase {self.phase}")
        once = self.policy["one-pass-a-phase"]
        once.true("one pass", not self.phase_tasks, f"a second forward pass in {self.phase}")
        status = "prefilling" if self.phase == "prefill" else "running"
        starts = set()
        for name, count in zip(names, counts, strict=True):
            request = self.requests[name]
            self.format.number("tokens computed", count, 1)
            paging.same("status", request.status, status)
            starts.add(request.kv)
            request.start = request.kv
            request.kv += count
            message = f"{name}: K and V of {request.kv} tokens, it has {request.n_tokens}"
            paging.true("write length", request.kv <= request.n_tokens, message)
            room = len(self.pool.tables.get(name, ())) * self.size
            paging.true("length fits its pages", request.kv <= room, f"{name}: {request.kv} tokens in {room} slots")
            if self.phase == "decode":
                paging.same("tokens computed", count, 1)
                paging.same("kv length", request.kv, request.n_tokens)
                self.to_answer.append(name)
            else:
                self.to_note.append(name)
            self.computed += count
        paging.same("tasks of a pass", len(set(names)), len(names))
        budget = self.settings.get("max_tokens_per_step")
        message = f"{self.computed} tokens computed in a step of at most {budget}"
        kept.true("token budget", budget is None or self.computed <= budget, message)
        if self.phase == "decode":
            message = "tasks at several positions decode under the policy same-position"
            kept.true("decode policy", self.settings.get("decode_policy") == "all" or len(starts) == 1, message)
        self._planned(list(zip(names, counts, strict=True)))
        self.phase_tasks = [*self.phase_tasks, *names]

    def _planned(self, batch: Plan) -> None:
        """Of the plan of a pass only who was preempted is left out, or who finds no page while tasks
        that are finished still hold some."""
        plan = self.plan
        if self.phase == "decode":
            computed, stuck = dict(batch), self.requests.finished and not (self.pool.free.count or self.pool.lru)
            plan = [
                (name, count)
                for name, count in plan
                if name in computed or not (stuck or self.requests[name].status == "preempted")
            ]
        self.policy["passes-planned"].same("plan of the pass", batch, plan)

    def on_kv_lengths(self, event: Event) -> None:
        names, counts = event.tasks, event.counts
        self._computed(event, names, counts)
        lengths = [self.requests[name].kv for name in names]
        self.paging.same("lengths", event.lengths, numbers_digest(lengths))
        self.time.forward(event, self._before, counts, sum(lengths))
