"""How requests are served: admission, passes, tokens, preemption, and their end."""

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
        self.requests.submit(Tracked(event.task, length, event.max_tokens, ids, length))

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
        self.prefilled.difference_update(names)
        checks.true("token ids", (ids is None) == self.counts_only, "ids go with a model, and only with one")
        if ids is not None:
            checks.same("token ids", len(ids), len(names))
        self._turns(names, self.to_answer)
        requests = [*map(self.requests.__getitem__, names)]
        after = [self._token(request, None if ids is None else ids[i]) for i, request in enumerate(requests)]
        self.paging.held("kv length", len(after))
        checks.held("max tokens", len(after))
        self.texts.check(ids or [], event.texts)
        if self.detail == "full":
            checks.same("token position", event.position, after[0] - 1)
            checks.same("token index", event.index, requests[0].generated - 1)
        else:
            self.told(checks, "token counts", event.counts, numbers_digest(after))

    def _token(self, request: Tracked, token: int | None) -> int:
        """One token more for a task: returns how many it has then."""
        n_tokens = request.n_tokens + 1
        if request.kv != n_tokens - 1:
            self.paging.same("kv length", request.kv, n_tokens - 1)
        if request.ids is not None:
            checks = self.format
            known = checks.number("token id", token, 0, self.vocab_size)
            if self.header.token_rule == RULE and self.vocab_size:
                expected = (48271 * request.ids[-1] + n_tokens - 1) % self.vocab_size
                checks.same("token by the rule", token, expected)
            request.ids.append(known)
        request.n_tokens, request.last = n_tokens, self.step
        most, generated = request.max_tokens, n_tokens - request.prompt
        if generated > most:
            raise self.format.lie(f"more than {most} tokens generated")
        if generated == most or (token is not None and token in self.eos):
            self.to_finish.add(request.name)
        return n_tokens

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

    def _computed(self, names: list[str], counts: list[int]) -> None:
        """A forward pass over `counts` tokens of each task: of the prompts of those that are prefilling, one of others.

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
        starts, computed, decoding = set(), set(names), []
        tables, size, told = self.pool.tables, self.size, [*zip(names, counts, strict=True)]
        for (name, count), request in zip(told, map(self.requests.__getitem__, names), strict=True):
            now, start, room = request.status, request.kv, len(tables.get(name, ())) * size
            if count == 1 and now == "running" == status and start + 1 == request.n_tokens <= room:
                request.start, request.kv = start, start + 1
                starts.add(start)
                decoding.append(name)
                continue
            if count < 1:
                self.format.number("tokens computed", count, 1)
            if now != status and self.four:
                self.policy["four-phases"].same("status", now, status)
            if now not in served:
                raise paging.lie(f"nothing can be computed for {name}: {now}")
            request.start, request.kv = start, start + count
            if start + count > request.n_tokens:
                raise paging.lie(f"{name}: K and V of {request.kv} tokens, it has {request.n_tokens}")
            if start + count > room:
                raise paging.lie(f"{name}: {request.kv} tokens in {room} slots")
            if now == "running":
                starts.add(start)
                if count != 1 or start + count != request.n_tokens:
                    paging.same("tokens computed", count, 1)
                    paging.same("kv length", request.kv, request.n_tokens)
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
        paging.same("tasks of a pass", len(computed), len(names))
        budget = self.settings["max_tokens_per_step"]
        message = f"{self.computed} tokens computed in a step of at most {budget}"
        kept.true("token budget", budget is None or self.computed <= budget, message)
        if starts:
            message = "tasks at several positions decode under the policy same-position"
            kept.true("decode policy", self.settings["decode_policy"] == "all" or len(starts) == 1, message)
        # Of the plan only who was preempted is left out, or finds no page while finished tasks still hold some.
        plan = self.plan
        if plan != told:
            stuck = self.requests.finished and not (self.pool.free.count or self.pool.lru)
            plan = [
                (name, count)
                for name, count in plan
                if name in computed
                or self.phase == "prefill"
                or not (stuck or self.requests[name].status == "preempted")
            ]
        self.policy["passes-planned"].same("plan of the pass", told, plan)
        self.phase_tasks += names

    def on_kv_lengths(self, event: Event) -> None:
        prefill = self.requests[event.tasks[0]].status == "prefilling" if event.tasks else False
        self._computed(event.tasks, event.counts)
        lengths = [self.requests[name].kv for name in event.tasks]
        self.told(self.paging, "lengths", event.lengths, numbers_digest(lengths))
        self.time.forward(event, sum(lengths), prefill)
