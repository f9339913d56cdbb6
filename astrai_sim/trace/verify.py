"""Checks a trace against a model of paging of its own.

The model knows the rules (lowest free page first, refcounts, LRU order, which
slot a position has) and replays the events by them; it shares no code with the
engine or with `astrai_sim.trace.state`. The first disagreement is a `TraceError`
with the event's line.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from astrai_sim.trace.digests import numbers_digest
from astrai_sim.trace.errors import TraceError
from astrai_sim.trace.events import COMMON, FIELDS, PHASES, Event
from astrai_sim.trace.reader import Trace


@dataclass
class Report:
    """What was checked, counted."""

    events: int = 0
    checks: Counter = field(default_factory=Counter)
    sha256: str = ""


def verify(trace: Trace) -> Report:
    """Check every event, the invariants and the digest.

    Raises TraceError at the first lie, and for an incomplete recording.
    """
    model = _Model(trace)
    count = 0
    for event in trace:
        model.check(event)
        count += 1
    if trace.footer is None:
        raise TraceError(
            trace.path, count + 2 if trace.torn else count + 1,
            f"incomplete at event {count}: the recording was cut short; record it again",
        )
    line = count + 2
    if trace.footer.events != count:
        raise TraceError(
            trace.path, line, f"the footer says {trace.footer.events} events, there are {count}"
        )
    digest = hashlib.sha256(trace.covered).hexdigest()
    if digest != trace.footer.sha256:
        raise TraceError(
            trace.path, line, f"the digest is {digest}, the footer says {trace.footer.sha256}"
        )
    return Report(count, model.checks, digest)


class _Lie(Exception):
    pass


@dataclass
class _Request:
    prompt: int
    max_tokens: int
    tokens: list[int]
    kv: int = 0
    status: str = "waiting"


class _Model:
    def __init__(self, trace: Trace) -> None:
        cache = trace.header.scenario["cache"]
        self.path = trace.path
        self.n_pages: int = cache["n_pages"]
        self.size: int = cache["page_size"]
        self.layer = trace.header.kv_layer
        self.free = (1 << self.n_pages) - 1
        self.refs = [0] * self.n_pages
        self.lru: list[int] = []
        self.keys: dict[int, tuple[str, str]] = {}
        self.tables: dict[str, list[int]] = {}
        self.requests: dict[str, _Request] = {}
        self.evicted: int | None = None
        self.emptied: set[str] = set()
        self.seq = 0
        self.ns = 0
        self.step = -1
        self.phase: str | None = None
        self.settings: dict[str, Any] = dict(trace.header.scenario["scheduler"])
        self.computed = 0
        self.checks: Counter = Counter()

    def check(self, event: Event) -> None:
        try:
            self._common(event)
            getattr(self, f"on_{event.event}", lambda event: None)(event)
        except _Lie as lie:
            raise TraceError(
                self.path, event.line, f"event {self.seq} ({event.get('event')}): {lie}"
            ) from None
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise TraceError(
                self.path, event.line,
                f"event {self.seq}: malformed ({type(error).__name__}: {error})",
            ) from None
        self.seq += 1

    def same(self, what: str, recorded: Any, expected: Any) -> None:
        self.checks[what] += 1
        if recorded != expected:
            raise _Lie(f"{what} is recorded as {recorded!r}, but it must be {expected!r}")

    def true(self, what: str, holds: bool, message: str) -> None:
        self.checks[what] += 1
        if not holds:
            raise _Lie(message)

    def _common(self, event: Event) -> None:
        for name in COMMON:
            if name not in event.data:
                raise _Lie(f"the field {name!r} is missing")
        if event.event not in FIELDS:
            raise _Lie(f"unknown event {event.event!r}")
        for name in FIELDS[event.event]:
            if name not in event.data:
                raise _Lie(f"the field {name!r} is missing")
        self.same("seq", event.seq, self.seq)
        self.true("ns", event.ns >= self.ns, f"time runs back from {self.ns} to {event.ns} ns")
        self.ns = event.ns
        if event.phase not in PHASES:
            raise _Lie(f"unknown phase {event.phase!r}")
        if event.event == "step_begin":
            self.same("step", event.step, self.step + 1)
            self.step = event.step
        else:
            self.same("step", event.step, self.step)
        if event.event == "phase_begin":
            self.phase = event.phase
        self.same("phase", event.phase, self.phase)
        if event.event == "phase_end":
            self.phase = None
        if self.evicted is not None and event.event not in ("page_alloc", "lines"):
            raise _Lie(f"page {self.evicted} was evicted but not handed out")

    def on_step_begin(self, event: Event) -> None:
        self.computed = 0

    def on_setting(self, event: Event) -> None:
        self.true("setting", self.phase is None, "a setting is changed inside a phase")
        self.true("setting", event.name in ("decode_policy", "max_tokens_per_step", "preemption"),
                  f"unknown setting {event.name!r}")
        self.settings[event.name] = event.value

    def request(self, event: Event) -> _Request:
        if event.task not in self.requests:
            raise _Lie(f"task {event.task!r} was never submitted")
        return self.requests[event.task]

    def live(self, event: Event) -> None:
        """The recorded refcount, mask and LRU against the model's."""
        page = event.page
        self.same("refcount", event.ref, self.refs[page])
        if event.get("mask") is not None:
            self.same("mask", int(event.mask, 16), self.free)
        else:
            index, word = event.word
            self.same("mask", index, page // 64)
            self.same("mask", int(word, 16), self.free >> (64 * index) & 0xFFFFFFFFFFFFFFFF)
        if event.get("lru") is not None:
            self.same("lru", event.lru, self.lru)

    # tasks

    def on_task_submitted(self, event: Event) -> None:
        known = self.requests.get(event.task)
        self.true("task", known is None or known.status == "finished",
                  f"task {event.task!r} was submitted before")
        if event.get("texts") is not None:
            self.same("texts of the prompt", len(event.texts), len(event.prompt))
        self.requests[event.task] = _Request(
            len(event.prompt), event.max_tokens, list(event.prompt)
        )

    def on_task_admitted(self, event: Event) -> None:
        request = self.request(event)
        self.true("task", request.status in ("waiting", "preempted"),
                  f"{event.task} is {request.status} already")
        self.same("tokens", event.tokens, len(request.tokens))
        self.same("table", event.pages, self.tables.get(event.task))
        self.same("pages for tokens", len(event.pages), -(-event.tokens // self.size))
        self.true("cached tokens", event.cached_tokens < event.tokens
                  and event.cached_tokens % self.size == 0,
                  f"{event.cached_tokens} cached tokens of {event.tokens} cannot be")
        request.kv = event.cached_tokens
        request.status = "prefilling"

    def on_task_prefilled(self, event: Event) -> None:
        request = self.request(event)
        self.same("prefill end", event.end, len(request.tokens))
        self.same("kv length", event.end, request.kv)
        request.status = "running"

    def on_chunk(self, event: Event) -> None:
        request = self.request(event)
        self.same("kv length", event.end, request.kv)
        self.same("tokens", event.total, len(request.tokens))
        self.true("chunk", event.start < event.end < event.total, "a chunk must end inside")

    def on_token(self, event: Event) -> None:
        request = self.request(event)
        self.true("task", request.status == "running", f"{event.task} is {request.status}")
        self.same("token position", event.position, len(request.tokens))
        self.same("token index", event.index, len(request.tokens) - request.prompt)
        self.same("kv length", request.kv, len(request.tokens))
        self.same("token source", event.source, self.phase)
        request.tokens.append(event.id)
        self.true("max tokens", len(request.tokens) - request.prompt <= request.max_tokens,
                  f"more than {request.max_tokens} tokens generated")

    def on_task_finished(self, event: Event) -> None:
        request = self.request(event)
        self.same("tokens", event.tokens, len(request.tokens))
        self.same("generated", event.generated, len(request.tokens) - request.prompt)
        if event.reason == "length":
            self.same("generated", event.generated, request.max_tokens)
        request.status = "finished"

    def on_task_preempted(self, event: Event) -> None:
        request = self.request(event)
        self.same("tokens", event.tokens, len(request.tokens))
        self.same("table", event.pages, self.tables.get(event.task))
        self.true("preemption", self.settings["preemption"], "preemption is switched off")
        request.status = "preempted"
        request.kv = 0

    # steps and phases

    def on_step_end(self, event: Event) -> None:
        waiting = sum(r.status in ("waiting", "preempted") for r in self.requests.values())
        running = sum(r.status in ("running", "prefilling") for r in self.requests.values())
        self.same("waiting", event.waiting, waiting)
        self.same("running", event.running, running)
        self.invariants()

    def on_phase_end(self, event: Event) -> None:
        self.invariants()

    def invariants(self) -> None:
        held = Counter(page for table in self.tables.values() for page in table)
        for page in range(self.n_pages) if self.n_pages <= 4096 else held:
            self.same("refcount = tables holding it", self.refs[page], held.get(page, 0))
            cached = page in self.keys and page in self.lru
            free = bool(self.free >> page & 1)
            self.true("mask bit = refcount 0 and not cached",
                      free == (self.refs[page] == 0 and not cached),
                      f"page {page}: refcount {self.refs[page]}, mask bit {int(free)}, "
                      f"cached {cached}")
        for task, table in self.tables.items():
            kv = self.requests[task].kv
            self.true("length fits its pages", kv <= len(table) * self.size,
                      f"{task}: {kv} tokens in {len(table)} pages of {self.size}")

    # pages

    def on_page_alloc(self, event: Event) -> None:
        page = event.page
        if self.evicted is not None:
            self.same("evicted page", page, self.evicted)
            self.evicted = None
        else:
            self.true("free page", self.free != 0, "no page is free")
            lowest = (self.free & -self.free).bit_length() - 1
            self.same("lowest free page", page, lowest)
            self.free &= ~(1 << page)
        self.same("refcount before", self.refs[page], 0)
        self.refs[page] = 1
        self.live(event)

    def on_page_ref(self, event: Event) -> None:
        self.true("refcount before", self.refs[event.page] > 0, "nobody holds the page")
        self.refs[event.page] += 1
        self.live(event)

    def on_page_revived(self, event: Event) -> None:
        self.true("cached before", event.page in self.lru, "the page is not cached")
        self.lru.remove(event.page)
        self.refs[event.page] = 1
        self.live(event)

    def on_page_free(self, event: Event) -> None:
        self._drop(event)
        if self.refs[event.page] == 0:
            self.true("unkeyed", event.page not in self.keys, "a keyed page must stay cached")
            self.free |= 1 << event.page
        self.live(event)

    def on_page_cached(self, event: Event) -> None:
        self._drop(event)
        self.same("refcount", self.refs[event.page], 0)
        self.true("keyed", event.page in self.keys, "only a keyed page can stay cached")
        self.lru.append(event.page)
        self.live(event)

    def _drop(self, event: Event) -> None:
        self.true("refcount before", self.refs[event.page] > 0, "freed at refcount 0")
        self.refs[event.page] -= 1
        if event.task is not None:
            self.same("table entry", event.page, self.tables[event.task][event.logical])

    def on_page_evicted(self, event: Event) -> None:
        self.true("eviction", self.free == 0, "a page is evicted while others are free")
        self.true("eviction", bool(self.lru), "no page is cached")
        self.same("least recently used", event.page, self.lru[0])
        self.same("key", event.key, self.keys[event.page][0])
        self.lru.pop(0)
        del self.keys[event.page]
        if event.get("lru") is not None:
            self.same("lru", event.lru, self.lru)
        self.evicted = event.page

    def on_page_keyed(self, event: Event) -> None:
        self.same("table entry", event.page, self.tables[event.task][event.logical])
        self.true("key", all(event.key != key for key, _ in self.keys.values()),
                  f"the key {event.key} is another page's")
        expected = ""
        if event.logical:
            before = self.tables[event.task][event.logical - 1]
            expected = self.keys[before][0] if before in self.keys else event.parent
        self.same("parent key", event.parent, expected)
        self.true("full page", self.requests[event.task].kv >= (event.logical + 1) * self.size,
                  "the page is not full")
        self.keys[event.page] = (event.key, event.parent)

    def on_prefix_hit(self, event: Event) -> None:
        self.same("hit tokens", event.tokens, len(event.pages) * self.size)
        for page in event.pages:
            self.true("hit page keyed", page in self.keys, f"page {page} has no key")

    def on_prefix_reset(self, event: Event) -> None:
        self.true("reset", not any(self.refs), "pages are in use")
        for page in self.lru:
            self.free |= 1 << page
        self.lru.clear()
        self.keys.clear()
        self.same("mask", int(event.mask, 16), self.free)

    def on_table(self, event: Event) -> None:
        old = self.tables.get(event.task, [])
        if not event.pages:
            self.tables.pop(event.task, None)
            return
        self.same("table", event.pages[:-1], old)
        self.true("table", event.pages[-1] not in old, f"page {event.pages[-1]} is in it twice")
        self.tables[event.task] = list(event.pages)

    # cache contents

    def runs(self, task: str, start: int, count: int) -> list[list[int]]:
        table = self.tables[task]
        found = []
        at = start
        while at < start + count:
            low = at % self.size
            high = min(self.size, low + start + count - at)
            found.append([table[at // self.size], low, high])
            at += high - low
        return found

    def on_kv_write(self, event: Event) -> None:
        self.same("layer", event.layer, self.layer)
        for span in event.spans:
            request = self.requests[span["task"]]
            self.same("write position", span["start"], request.kv)
            request.kv += span["count"]
            self.true("write length", request.kv <= len(request.tokens), "more KV than tokens")
            self.same("written slots", span["slots"],
                      self.runs(span["task"], span["start"], span["count"]))
            self.same("norms", len(span["norms"]), span["count"])
            self.true("norms", all(norm >= 0 for norm in span["norms"]), "a norm below 0")
            self.computed += span["count"]
        budget = self.settings["max_tokens_per_step"]
        if budget is not None:
            self.true("token budget", self.computed <= budget,
                      f"{self.computed} tokens computed in a step of at most {budget}")
        if self.phase == "decode":
            self.true("decode policy", self.settings["decode_policy"] == "all"
                      or len({span["start"] for span in event.spans}) == 1,
                      "tasks at several positions decode under the policy same-position")

    def on_kv_lengths(self, event: Event) -> None:
        counts = event.counts
        counts = [counts] * len(event.tasks) if isinstance(counts, int) else counts
        self.same("counts", len(counts), len(event.tasks))
        for task, count in zip(event.tasks, counts, strict=True):
            request = self.requests[task]
            request.kv += count
            self.true("write length", count > 0 and request.kv <= len(request.tokens),
                      "more KV than tokens")
            self.computed += count
        ends = [self.requests[task].kv for task in event.tasks]
        self.same("lengths", event.lengths, numbers_digest(ends))

    def on_gather(self, event: Event) -> None:
        self.same("layer", event.layer, self.layer)
        for row in event.rows:
            self.same("table", row["pages"], self.tables[row["task"]])
            self.same("gathered length", row["length"], self.requests[row["task"]].kv)
            expected = [
                [page * self.size, high - low]
                for page, low, high in self.runs(row["task"], 0, row["length"])
            ]
            self.same("gathered slots", row["slots"], expected)

    def on_snapshot(self, event: Event) -> None:
        self.same("snapshot mask", int(event.mask, 16), self.free)
        self.same("snapshot refs", event.refs, self.refs)
        self.same("snapshot tables", event.tables, self.tables)
        self.same("snapshot lengths", event.lengths,
                  {task: self.requests[task].kv for task in self.tables})
        if event.get("lru") is not None:
            self.same("snapshot lru", event.lru, self.lru)
