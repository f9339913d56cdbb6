"""How requests are served: admission, passes, tokens, preemption, and their end."""

from itertools import repeat

from astrai_sim.trace.digests import numbers_digest
from astrai_sim.trace.events import Event
from astrai_sim.trace.verify.asked import RULE
from astrai_sim.trace.verify.pages import Pages
from astrai_sim.trace.verify.requests import Tracked


class Serving(Pages):
    """What events say of requests and of the passes that compute for them."""

    def on_task_submitted(self, event: Event) -> None:
        checks = self.format
        if self.own:
            self._between_steps("task", "a task is submitted")
        prompt, length = event.prompt, event.prompt_len
        checks.true("prompt", prompt is not None or self.counts_only, "the prompt's token ids are missing")
        checks.number("prompt length", length, 1)
        if prompt is not None:
            for token in prompt:
                checks.number("prompt", token, 0, self.vocab_size)
            checks.same("prompt length", length, len(prompt))
        self.texts.check(prompt or [], event.texts)
        checks.number("max tokens", event.max_tokens, 1)
        checks.number("arrival step", event.arrival_step, 0)
        needed = self.pool.pages_for(length + event.max_tokens - 1)
        message = f"{event.task} can never fit: it needs {needed} pages"
        self.policy["admitted-when-fitting"].true("fits at all", needed <= self.pool.n_pages, message)
        self.time.submitted(event, self.requests.idle)
        self.asked.submitted(event, self.step + 1)
        ids = None if prompt is None else list(prompt)
        room = len(self.pool.table(event.task)) * self.size
        self.requests.submit(Tracked(event.task, length, event.max_tokens, ids, length, room=room))

    def on_task_admitted(self, event: Event) -> None:
        paging, kept, request = self.paging, self.policy["settings-kept"], self.requests[event.task]
        self.policy["four-phases"].same("phase of admission", self.phase, "refill")
        self.format.same("tokens", event.tokens, request.n_tokens)
        self.requests.admit(request)
        most = self.settings["max_batch"]
        kept.true("batch", len(self.requests.running) <= most, f"more than {most} tasks run")
        table = self.pool.table(event.task)
        self.policy["pages-on-demand"].same("pages for tokens", len(table), self.pool.pages_for(event.tokens))
        self._table_of(event, table)
        hits = self.hits.pop(event.task, [])
        paging.same("cached tokens", event.cached_tokens, len(hits) * self.size)
        paging.same("hit pages in the table", table[: len(hits)], hits)
        more = self.caching and len(hits) < (event.tokens - 1) // self.size
        self.policy["longest-prefix"].same("miss", event.task in self.missed, more)
        self.missed.discard(event.task)
        paging.true("cached tokens", event.cached_tokens < event.tokens, "no token is left to compute")
        request.kv = event.cached_tokens
        self.phase_tasks.append(event.task)

    def _table_of(self, event: Event, table: list[int]) -> None:
        """What the event says of a task's table."""
        if self.detail == "full":
            self.paging.same("table", event.pages, table)
        else:
            self.paging.same("table", event.n_pages, len(table))
            self.told(self.paging, "table digest", event.table, numbers_digest(table))

    def on_task_prefilled(self, event: Event) -> None:
        request = self._noted(event)
        self.paging.same("prefill end", event.end, request.n_tokens)
        request.status = "running"
        self.to_answer.append(event.task)
        self.prefilled.add(event.task)

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

    def _turns(self, names: list[str], batch: list[str]) -> None:
        """As `_next`, of several tasks."""
        if batch[: len(names)] == names:
            del batch[: len(names)]
            self.format.held("next in the batch", len(names))
        else:
            for name in names:
                self._next(name, batch)

    def _next(self, name: str, batch: list[str]) -> None:
        """A task's turn in the order of the pass that computed something for it; other engines may tell in any."""
        turn = name if not self.own and name in batch else batch[0] if batch else None
        self.format.same("next in the batch", name, turn)
        batch.remove(name)

    def on_tokens(self, event: Event) -> None:
        checks, names, ids = self.format, event.tasks, event.ids
        if not self.four or event.source != self.phase:
            for name in names:
                source = self.phase if self.four else "prefill" if name in self.prefilled else "decode"
                if event.source != source:
                    checks.same("token source", event.source, source)
        checks.held("token source", len(names))
        if self.prefilled:
            self.prefilled.difference_update(names)
        checks.true("token ids", (ids is None) == self.counts_only, "ids go with a model, and only with one")
        if ids is not None:
            checks.same("token ids", len(ids), len(names))
        self._turns(names, self.to_answer)
        requests = [*map(self.requests.__getitem__, names)]
        after = self._answered(requests, ids)
        self.paging.held("kv length", len(after))
        checks.held("max tokens", len(after))
        self.texts.check(ids or [], event.texts)
        if self.detail == "full":
            checks.same("token position", event.position, after[0] - 1)
            checks.same("token index", event.index, requests[0].generated - 1)
        else:
            self.told(checks, "token counts", event.counts, numbers_digest(after))

    def _answered(self, requests: list[Tracked], ids: list[int] | None) -> list[int]:
        """One token more for each of these: returns how many they have then."""
        step, eos, after = self.step, self.eos, []
        for request, token in zip(requests, repeat(None) if ids is None else ids, strict=False):
            n_tokens = request.n_tokens
            if request.kv != n_tokens:
                self.paging.same("kv length", request.kv, n_tokens)
            if request.ids is not None:
                self._token(request.ids, token)
            n_tokens += 1
            request.n_tokens, request.last = n_tokens, step
            after.append(n_tokens)
            if n_tokens >= request.most or token in eos:
                if n_tokens > request.most:
                    raise self.format.lie(f"more than {request.max_tokens} tokens generated")
                self.to_finish.add(request.name)
        return after

    def _token(self, ids: list[int], token: int | None) -> None:
        """A token comes after those that a task has."""
        checks = self.format
        known = checks.number("token id", token, 0, self.vocab_size)
        if self.header.token_rule == RULE and self.vocab_size:
            checks.same("token by the rule", token, (48271 * ids[-1] + len(ids)) % self.vocab_size)
        ids.append(known)

    def on_task_finished(self, event: Event) -> None:
        request, checks = self.requests[event.task], self.format
        checks.same("tokens", event.tokens, request.n_tokens)
        checks.same("generated", event.generated, request.generated)
        eos = event.reason == "eos" if request.ids is None else request.ids[-1] in self.eos
        served = "eos" if eos else "length"
        if self.own:
            checks.same("reason", event.reason, served if event.task in self.to_finish else "aborted")
        self.to_finish.discard(event.task)
        self.requests.finish(request)

    def on_task_preempted(self, event: Event) -> None:
        request, latest = self.requests[event.task], self.policy["latest-preempted"]
        self.policy["four-phases"].same("phase of preemption", self.phase, "decode")
        self.format.same("tokens", event.tokens, request.n_tokens)
        self.policy["settings-kept"].true("preemption", self.settings["preemption"], "preemption is switched off")
        latest.same("free pages at preemption", self.pool.free.count, 0)
        latest.same("cached pages at preemption", len(self.pool.lru), 0)
        self._table_of(event, self.pool.table(event.task))
        self.requests.preempt(request)
        self.to_release.add(event.task)

    def _computed(self, names: list[str], counts: list[int]) -> list[int]:
        """A forward pass over `counts` tokens of each task: of the prompts of those that are prefilling, one of others.
        Returns how many each has in the cache then.

        Where there are four phases, prefill is for the former and decode for the latter.
        """
        paging, kept = self.paging, self.policy["settings-kept"]
        passing = not self.four or self.phase in ("prefill", "decode")
        self.format.true("pass", passing, f"a forward pass in the phase {self.phase}")
        message = f"a second forward pass in {self.phase}"
        self.policy["one-pass-a-phase"].true("one pass", not self.passed, message)
        self.passed = True
        if self.phase == "prefill" and self.policy["passes-planned"].claimed:
            self.plan = self.requests.planned_prefill()
        status, served = ("prefilling" if self.phase == "prefill" else "running"), ("prefilling", "running")
        lengths = self._decoded(names) if status == "running" and counts.count(1) == len(counts) else []
        decoding, plain = names[: len(lengths)], len(lengths)
        for name, count in zip(names[plain:], counts[plain:], strict=True):
            request = self.requests[name]
            now, start, room = request.status, request.kv, request.room
            end = start + count
            if count < 1:
                self.format.number("tokens computed", count, 1)
            if now != status and self.four:
                self.policy["four-phases"].same("status", now, status)
            if now not in served:
                raise paging.lie(f"nothing can be computed for {name}: {now}")
            request.start, request.kv = start, end
            lengths.append(end)
            if end > request.n_tokens:
                raise paging.lie(f"{name}: K and V of {end} tokens, it has {request.n_tokens}")
            if end > room:
                raise paging.lie(f"{name}: {end} tokens in {room} slots")
            if now == "running":
                if count != 1 or end != request.n_tokens:
                    paging.same("tokens computed", count, 1)
                    paging.same("kv length", end, request.n_tokens)
                decoding.append(name)
            else:
                self.to_note.append(name)
        self.to_answer += decoding
        self.computed += sum(counts)
        self.policy["four-phases"].held("status", len(names) if self.four else 0)
        for what in ("status", "write length", "length fits its pages"):
            paging.held(what, len(names))
        for what in ("tokens computed", "kv length"):
            paging.held(what, len(decoding))
        paging.same("tasks of a pass", len(set(names)), len(names))
        budget = self.settings["max_tokens_per_step"]
        message = f"{self.computed} tokens computed in a step of at most {budget}"
        kept.true("token budget", budget is None or self.computed <= budget, message)
        if decoding:
            anywhere = self.settings["decode_policy"] == "all"
            one = anywhere or len({self.requests[name].start for name in decoding}) == 1
            kept.true("decode policy", one, "tasks at several positions decode under the policy same-position")
        self._as_planned(names, counts)
        self.phase_tasks += names
        return lengths

    def _decoded(self, names: list[str]) -> list[int]:
        """A token of each task, up to the first of which not all is as it must be: lengths in the cache then."""
        lengths = []
        for request in map(self.requests.__getitem__, names):
            start = request.kv
            end = start + 1
            if end != request.n_tokens or end > request.room or request.status != "running":
                break
            request.start, request.kv = start, end
            lengths.append(end)
        return lengths

    def _as_planned(self, names: list[str], counts: list[int]) -> None:
        """Of the plan only who was preempted is left out, or finds no page while finished tasks still hold some."""
        rule, planned = self.policy["passes-planned"], self.plan
        if planned == (names, counts):
            rule.held("plan of the pass", 1)
            return
        computed = set(names)
        stuck = self.requests.finished and not (self.pool.free.count or self.pool.lru)
        plan = [
            (name, count)
            for name, count in zip(*planned, strict=True)
            if name in computed or self.phase == "prefill" or not (stuck or self.requests[name].status == "preempted")
        ]
        rule.same("plan of the pass", [*zip(names, counts, strict=True)], plan)

    def on_kv_lengths(self, event: Event) -> None:
        prefill = self.requests[event.tasks[0]].status == "prefilling" if event.tasks else False
        lengths = self._computed(event.tasks, event.counts)
        self.told(self.paging, "lengths", event.lengths, numbers_digest(lengths))
        self.time.forward(event, sum(lengths), prefill)
