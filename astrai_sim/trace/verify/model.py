"""What holds in traces of both levels of detail: order, queues, lengths, tokens."""

from __future__ import annotations

from collections import deque
from typing import Any

from msgspec.structs import asdict

from astrai_sim.trace.digests import numbers_digest
from astrai_sim.trace.events import PHASES, Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.checks import Checks, Lie
from astrai_sim.trace.verify.pool import Pool
from astrai_sim.trace.verify.prefixes import Prefixes
from astrai_sim.trace.verify.requests import Request, Requests
from astrai_sim.trace.verify.texts import Texts
from astrai_sim.trace.verify.time import Time

SNAPSHOT_STEPS = {"full": 16, "bulk": 512}
RULE = "(48271 * last + position) mod vocab_size"
REASONS = ("length", "eos", "aborted")


class Model:
    """Takes in one event after the other; raises Lie at the first that cannot be.

    What a phase must still bring before it ends: `to_gather` tasks whose writes were
    not read yet, `to_note` prefilled ones that no event names yet, `to_answer` tasks
    that must get a token, `to_finish` those with as many as they may have, `to_release`
    those whose pages must go.
    """

    def __init__(self, header: Header) -> None:
        scenario = header.scenario
        cache = scenario.cache
        self.header = header
        self.checks = Checks()
        self.detail = header.detail
        self.model_free = header.model == "none"
        self.counts_only = self.model_free and header.detail == "bulk"
        self.caching = cache.prefix_caching
        self.settings: dict[str, Any] = asdict(scenario.scheduler)
        self.eos = None if self.model_free else self.settings.get("eos")
        self.vocab_size = scenario.model.vocab_size
        self.snapshot_steps = scenario.record.snapshot_every or SNAPSHOT_STEPS[self.detail]
        self.pool = Pool(self.checks, cache.n_pages, cache.page_size)
        self.requests = Requests(self.checks)
        self.prefixes = Prefixes(cache.page_size)
        self.time = Time(self.checks, header)
        self.texts = Texts(self.checks, header.tokenizer is not None and self.detail == "full")
        self.size = self.pool.size
        self.seq = 0
        self.step = -1
        self.phase: str | None = None
        self.in_step = False
        self.last_snapshot = -1
        self._last_end = -1
        self._before = 0
        self.seen_phases: list[str] = []
        self.computed = 0
        self.phase_tasks: list[str] = []
        self.to_gather: list[str] = []
        self.to_note: deque[str] = deque()
        self.to_answer: deque[str] = deque()
        self.to_finish: set[str] = set()
        self.to_release: set[str] = set()
        self.hits: dict[str, list[int]] = {}
        self.missed: set[str] = set()

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

    def end(self) -> None:
        """Check that the recording may end here."""
        self._due("")
        if self.in_step or self.phase:
            raise Lie("the recording ends inside a step")
        if self.last_snapshot != self.seq - 1:
            raise Lie("the recording does not end with a snapshot")

    def _common(self, event: Event) -> None:
        kind = event.event
        self.checks.same("seq", event.seq, self.seq)
        if kind == "step_begin":
            self.checks.same("step", event.step, self.step + 1)
        else:
            self.checks.same("step", event.step, self.step)
        if kind == "phase_begin":
            self._begin_phase(event)
        self.checks.same("phase", event.phase, self.phase)

    # steps and phases

    def _begin_phase(self, event: Event) -> None:
        name = event.phase
        if name not in PHASES[1:]:
            raise Lie(f"unknown phase {name!r}")
        if self.phase is not None:
            raise Lie(f"the phase {self.phase} has not ended")
        self.checks.true("phase", self.in_step or name == "cleanup", f"the phase {name} outside a step")
        late = PHASES.index(name)
        self.checks.true(
            "phase order",
            all(PHASES.index(p) < late for p in self.seen_phases),
            f"the phase {name} after {', '.join(self.seen_phases)}",
        )
        if self.in_step:
            self.seen_phases.append(name)
        self.phase = name
        self.phase_tasks = []

    def on_phase_begin(self, event: Event) -> None:
        self.time.begin(event)

    def on_phase_end(self, event: Event) -> None:
        if self.phase is None:
            raise Lie("no phase has begun")
        self.time.end(event)
        if self.phase == "cleanup":
            self._cleaned_up()
        self._phase_tasks(event)
        self._due(f"by the end of {self.phase}")
        if self.caching and self.phase in ("prefill", "decode"):
            for name in self.phase_tasks:
                self._all_keyed(self.requests[name])
        self.pool.check_touched()
        self.phase = None

    def _phase_tasks(self, event: Event) -> None:
        raise NotImplementedError

    def _cleaned_up(self) -> None:
        """All that were finished are gone, their pages let go."""
        for name in self.requests.finished:
            if name in self.pool.tables:
                raise Lie(f"{name} is finished, but still holds pages after cleanup")
            self.requests[name].status = "gone"
        self.phase_tasks = self.requests.finished
        self.requests.finished = []

    def _due(self, when: str) -> None:
        """Nothing may be left of what had to come."""
        for names, what in (
            (self.to_gather, "is written, but not gathered"),
            (self.to_note, "is computed, but neither chunk nor task_prefilled says so"),
            (self.to_answer, "is computed, but got no token"),
            (self.to_finish, "got its last token, but is not finished"),
            (self.to_release, "is preempted, but still holds pages"),
        ):
            for name in names:
                raise Lie(f"{name} {what} {when}".rstrip())

    def on_step_begin(self, event: Event) -> None:
        if self.in_step:
            raise Lie(f"step {self.step} has not ended")
        missing = self.step >= 0 and (self.step + 1) % self.snapshot_steps == 0
        if missing and self.last_snapshot != self._last_end + 1:
            raise Lie(f"the snapshot after step {self.step} is missing")
        self.step = event.step
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
        self.checks.same("waiting", event.waiting, len(self.requests.waiting))
        self.checks.same("running", event.running, len(self.requests.running))
        self.time.end(event)
        self.pool.check_touched()
        self.in_step = False
        self.seen_phases = []
        self._last_end = self.seq

    def on_setting(self, event: Event) -> None:
        name, value = event.name, event.value
        self.checks.true("setting", self.phase is None and not self.in_step, "a setting is changed inside a step")
        if name == "decode_policy":
            self.checks.true("setting", value in ("all", "same-position"), f"unknown policy {value!r}")
        elif name == "max_tokens_per_step":
            if value is not None:
                self.checks.number(name, value, 1)
        elif name == "preemption":
            self.checks.true("setting", type(value) is bool, f"{name} cannot be {value!r}")
        else:
            raise Lie(f"unknown setting {name!r}")
        self.settings[name] = value

    # requests

    def on_task_submitted(self, event: Event) -> None:
        checks = self.checks
        checks.true("task", self.phase is None and not self.in_step, "a task is submitted inside a step")
        prompt, length = event.prompt, event.prompt_len
        checks.true("prompt", prompt is not None or self.counts_only, "the prompt's token ids are missing")
        if prompt is not None:
            for token in prompt:
                checks.number("prompt", token, 0, self.vocab_size)
        checks.number("prompt length", length, 1)
        if prompt is not None:
            checks.same("prompt length", length, len(prompt))
        self.texts.check(prompt or [], event.texts)
        checks.number("max tokens", event.max_tokens, 1)
        checks.true(
            "arrival",
            event.arrival_step <= self.step + 1,
            f"{event.task} arrives before step {event.arrival_step}, but is submitted before step {self.step + 1}",
        )
        needed = -(-(length + event.max_tokens - 1) // self.size)
        checks.true("fits at all", needed <= self.pool.n_pages, f"{event.task} can never fit: it needs {needed} pages")
        queues = self.requests
        idle = not (queues.waiting or queues.running or queues.finished)
        self.time.submitted(event, self._before, idle)
        ids = None if prompt is None else list(prompt)
        queues.submit(Request(event.task, length, event.max_tokens, ids, length))

    def on_task_admitted(self, event: Event) -> None:
        checks = self.checks
        request = self.requests[event.task]
        checks.same("phase of admission", self.phase, "refill")
        checks.same("tokens", event.tokens, request.n_tokens)
        self.requests.admit(request)
        most = self.settings.get("max_batch")
        checks.true("batch", most is None or len(self.requests.running) <= most, f"more than {most} tasks run")
        table = self.pool.tables.get(event.task, [])
        checks.same("pages for tokens", len(table), -(-event.tokens // self.size))
        self._table_of(event, table)
        hits = self.hits.pop(event.task, [])
        checks.same("cached tokens", event.cached_tokens, len(hits) * self.size)
        checks.same("hit pages in the table", table[: len(hits)], hits)
        more = self.caching and len(hits) < (event.tokens - 1) // self.size
        checks.same("miss", event.task in self.missed, more)
        self.missed.discard(event.task)
        request.kv = event.cached_tokens
        self.phase_tasks.append(event.task)

    def _table_of(self, event: Event, table: list[int]) -> None:
        """What the event says of a task's table."""
        raise NotImplementedError

    def on_task_prefilled(self, event: Event) -> None:
        request = self._noted(event)
        self.checks.same("prefill end", event.end, request.n_tokens)
        request.status = "running"
        self.to_answer.append(event.task)

    def on_chunk(self, event: Event) -> None:
        request = self._noted(event)
        self.checks.same("tokens", event.total, request.n_tokens)
        self.checks.true("chunk", event.start < event.end < event.total, "a chunk must end before the prompt does")

    def _noted(self, event: Event) -> Request:
        request = self.requests[event.task]
        self._next(event.task, self.to_note)
        self.checks.same("kv length", event.end, request.kv)
        self.checks.same("prefill start", event.start, request.start)
        return request

    def _next(self, name: str, batch: deque[str]) -> None:
        """A task's turn in the order of the pass that computed something for it."""
        self.checks.same("next in the batch", name, batch[0] if batch else None)
        batch.popleft()

    def _token(self, name: str, token: int | None) -> Request:
        """One token more for a task."""
        request = self.requests[name]
        checks = self.checks
        self._next(name, self.to_answer)
        checks.same("kv length", request.kv, request.n_tokens)
        if request.ids is not None:
            checks.number("token id", token, 0, self.vocab_size)
            if self.header.token_rule == RULE and self.vocab_size:
                expected = (48271 * request.ids[-1] + request.n_tokens) % self.vocab_size
                checks.same("token by the rule", token, expected)
            request.ids.append(token)
        request.n_tokens += 1
        checks.true(
            "max tokens", request.generated <= request.max_tokens, f"more than {request.max_tokens} tokens generated"
        )
        ends = request.generated == request.max_tokens
        if ends or (token is not None and token == self.eos):
            self.to_finish.add(name)
        return request

    def on_task_finished(self, event: Event) -> None:
        request = self.requests[event.task]
        checks = self.checks
        checks.same("tokens", event.tokens, request.n_tokens)
        checks.same("generated", event.generated, request.generated)
        if event.reason not in REASONS:
            raise Lie(f"unknown reason {event.reason!r}")
        if event.reason == "length":
            checks.same("generated", event.generated, request.max_tokens)
        elif event.reason == "eos" and request.ids is not None:
            checks.same("last token", request.ids[-1], self.eos)
        self.to_finish.discard(event.task)
        self.requests.finish(request)

    def on_task_preempted(self, event: Event) -> None:
        request = self.requests[event.task]
        checks = self.checks
        checks.same("phase of preemption", self.phase, "decode")
        checks.same("tokens", event.tokens, request.n_tokens)
        checks.true("preemption", bool(self.settings.get("preemption", True)), "preemption is switched off")
        checks.same("free pages at preemption", self.pool.free.count, 0)
        checks.same("cached pages at preemption", len(self.pool.lru), 0)
        self._table_of(event, self.pool.tables.get(event.task, []))
        self.requests.preempt(request)
        self.to_release.add(event.task)

    def _receiver(self, name: str, logical: int) -> None:
        """Pages go to the end of a table: of who is being admitted, or of who decodes."""
        checks = self.checks
        request = self.requests[name]
        if self.phase == "refill":
            checks.same("first in the queue", name, self.requests.waiting[0] if self.requests.waiting else None)
        else:
            checks.same("phase of growth", self.phase, "decode")
            checks.same("status", request.status, "running")
        checks.same("logical page", logical, len(self.pool.tables.get(name, ())))

    def _shared(self, name: str, logical: int, pages: list[int]) -> None:
        """Only pages that a lookup found are shared or revived."""
        found = self.hits.get(name, [])[logical : logical + len(pages)]
        self.checks.same("hit pages", pages, found)

    # contents

    def _computed(self, event: Event, names: list[str], counts: list[int]) -> None:
        """A forward pass over `counts` tokens of each task."""
        checks = self.checks
        checks.true("pass", self.phase in ("prefill", "decode"), f"a forward pass in the phase {self.phase}")
        checks.true("pass", not self.phase_tasks, f"a second forward pass in {self.phase}")
        status = "prefilling" if self.phase == "prefill" else "running"
        starts = set()
        for name, count in zip(names, counts, strict=True):
            request = self.requests[name]
            checks.number("tokens computed", count, 1)
            checks.same("status", request.status, status)
            starts.add(request.kv)
            request.start = request.kv
            request.kv += count
            checks.true(
                "write length",
                request.kv <= request.n_tokens,
                f"{name}: K and V of {request.kv} tokens, it has {request.n_tokens}",
            )
            room = len(self.pool.tables.get(name, ())) * self.size
            checks.true("length fits its pages", request.kv <= room, f"{name}: {request.kv} tokens in {room} slots")
            if self.phase == "decode":
                checks.same("tokens computed", count, 1)
                checks.same("kv length", request.kv, request.n_tokens)
                self.to_answer.append(name)
            else:
                self.to_note.append(name)
            self.computed += count
        checks.same("tasks of a pass", len(set(names)), len(names))
        budget = self.settings.get("max_tokens_per_step")
        checks.true(
            "token budget",
            budget is None or self.computed <= budget,
            f"{self.computed} tokens computed in a step of at most {budget}",
        )
        if self.phase == "decode":
            checks.true(
                "decode policy",
                self.settings.get("decode_policy") == "all" or len(starts) == 1,
                "tasks at several positions decode under the policy same-position",
            )
        self.phase_tasks = list(names)

    def on_kv_lengths(self, event: Event) -> None:
        names, counts = event.tasks, event.counts
        self._computed(event, names, counts)
        lengths = [self.requests[name].kv for name in names]
        self.checks.same("lengths", event.lengths, numbers_digest(lengths))
        self.time.forward(event, self._before, counts, sum(lengths))

    # prefix cache

    def _hit(self, name: str, pages: list[int], tokens: int) -> None:
        """A lookup that found pages: the longest prefix that is there."""
        checks = self.checks
        request = self.requests[name]
        self._looking(name)
        checks.same("hit tokens", tokens, len(pages) * self.size)
        checks.true(
            "hit tokens",
            0 < tokens < request.n_tokens,
            f"{tokens} tokens found of {request.n_tokens}: one must be left to compute",
        )
        for page in pages:
            checks.true("hit page keyed", page in self.pool.keys, f"page {page} has no key")
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, request.n_tokens // self.size)
            for page, chain in zip(pages, request.chain, strict=False):
                checks.same("content of a hit", self.prefixes.chain_on(page), chain)
            self._missed(request, len(pages))
        self.hits[name] = pages

    def _looking(self, name: str) -> None:
        """A lookup is for the one who is being admitted."""
        self.checks.true("prefix caching", self.caching, "prefix caching is off")
        self.checks.same("phase of a lookup", self.phase, "refill")
        self.checks.same("first in the queue", name, self.requests.waiting[0] if self.requests.waiting else None)

    def _missed(self, request: Request, logical: int) -> None:
        """No page holds the prefix that ends with full page `logical`."""
        if logical < (request.n_tokens - 1) // self.size:
            page = self.prefixes.page_of.get(request.chain[logical])
            self.checks.true(
                "longest hit", page is None, f"page {page} holds the next {self.size} tokens of {request.name}"
            )

    def on_prefix_miss(self, event: Event) -> None:
        request = self.requests[event.task]
        checks = self.checks
        self._looking(event.task)
        checks.same("missed page", event.logical, len(self.hits.get(event.task, ())))
        checks.true("missed page", event.logical < (request.n_tokens - 1) // self.size, "no full page is left to miss")
        self.missed.add(event.task)
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, request.n_tokens // self.size)
            self._missed(request, event.logical)

    def _keyed(self, name: str, logical: int, page: int, key: str | None) -> None:
        """A full page of a task gets its key (None where it is not told)."""
        checks = self.checks
        request = self.requests[name]
        checks.true("prefix caching", self.caching, "prefix caching is off")
        table = self.pool.tables.get(name, [])
        checks.same("table entry", page, table[logical])
        checks.true("full page", request.kv >= (logical + 1) * self.size, f"page {page} is not full")
        if request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, logical + 1)
            chain = request.chain[logical]
            if key is not None:
                checks.same("key of the content", key, self.prefixes.key(chain))
            checks.true(
                "one page for a content",
                chain not in self.prefixes.page_of,
                f"page {self.prefixes.page_of.get(chain)} holds the same already",
            )
            self.prefixes.put(page, chain)
        self.pool.set_key(page, key)

    def _all_keyed(self, request: Request) -> None:
        """Pages that the last pass filled are keyed, unless another has the same content."""
        if request.ids is None:
            return
        table = self.pool.tables[request.name]
        full = request.kv // self.size
        self.prefixes.extend(request.chain, request.ids, full)
        for logical in range(request.start // self.size, full):
            keyed = table[logical] in self.pool.keys
            self.checks.true(
                "full pages keyed",
                keyed or request.chain[logical] in self.prefixes.page_of,
                f"page {table[logical]} is full, but got no key",
            )

    def _parent(self, name: str, logical: int, parent: str) -> None:
        """The key of the page before, or of the one that stands for the same content."""
        if logical == 0:
            self.checks.same("parent key", parent, "")
            return
        request = self.requests[name]
        expected = self.pool.keys.get(self.pool.tables[name][logical - 1])
        if expected is None and request.ids is not None:
            self.prefixes.extend(request.chain, request.ids, logical)
            expected = self.prefixes.key(request.chain[logical - 1])
        if expected is not None:
            self.checks.same("parent key", parent, expected)

    def _evicted(self, page: int) -> str | None:
        self.checks.true("prefix caching", self.caching, "prefix caching is off")
        key = self.pool.evict(page)
        self.prefixes.drop(page)
        return key

    def on_prefix_reset(self, event: Event) -> None:
        self.pool.reset()
        self.prefixes.clear()
        self.checks.same("mask", event.mask, self.pool.free.whole())

    # snapshots

    def on_snapshot(self, event: Event) -> None:
        lengths = {name: self.requests[name].kv for name in self.pool.tables}
        self.checks.same("snapshot mask", event.mask, self.pool.free.whole())
        self._snapshot(event, lengths)
        self.pool.sweep()
        self.last_snapshot = self.seq

    def _snapshot(self, event: Event, lengths: dict[str, int]) -> None:
        raise NotImplementedError
