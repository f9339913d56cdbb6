"""What storyboards ask a run for: numbers with names, which `scenes.truth` can work out again.

A measure of a state has `at`, the event after which it holds. Names are those of the measures:
`ask.pool_free(at)` gives `pool.free(at=…)`.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from functools import cached_property, lru_cache
from statistics import median

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.header import DTYPES
from scenes.measures import Measure, measure
from scenes.story.history import Request, history_of


class _Asked:
    """The trace that is asked, and what its measures have in common."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.history = history_of(trace)
        self.scenario = trace.header.scenario
        self.state = lru_cache(8)(trace.state_at)
        self.n_pages: int = self.scenario.cache.n_pages
        self.size: int = self.scenario.cache.page_size

    def request(self, task: str) -> Request:
        return self.history.requests[task]

    # of any measures

    def count(self, items: Sized, name: str, /, **args: object) -> Measure:
        """How many `items` there are, as the measure `name`."""
        return measure(name, len(items), "count", **args)

    def less(self, of: Measure, less: Measure) -> Measure:
        """`of` minus `less`, in the form of `of`."""
        return measure("less", of.value - less.value, of.form, of=of, less=less)

    def total(self, *parts: Measure) -> Measure:
        """The sum of `parts`, in the form of the first."""
        return measure("total", sum(part.value for part in parts), parts[0].form, parts=parts)

    def ratio(self, of: Measure, to: Measure, form: str = "times") -> Measure:
        """`of` by `to`, as `times`, `share` or `percent`."""
        return measure("ratio", of.value / to.value, form, of=of, to=to)

    # names and places

    def name(self, task: str) -> Measure:
        return measure("task.name", task, "name", task=task)

    def names(self, tasks: Sequence[str]) -> list[Measure]:
        return [self.name(task) for task in tasks]

    def page(self, page: int) -> Measure:
        return measure("page.number", int(page), "plain", page=int(page))

    def pages(self, pages: Sequence[int]) -> list[Measure]:
        return [self.page(page) for page in pages]

    def position(self, position: int) -> Measure:
        return measure("token.position", position, "plain", position=position)

    def step(self, step: int) -> Measure:
        return measure("step.number", step, "plain", step=step)

    def first_token_of(self, logical: int) -> Measure:
        return measure("table.first_token", logical * self.size + 1, "count", logical=logical)

    def entry_of(self, position: int) -> Measure:
        return measure("table.place", position // self.size, "plain", position=position)

    def slot_of(self, position: int) -> Measure:
        return measure("slot.place", position % self.size, "plain", position=position)


class _Pool(_Asked):
    """Sizes, from the header."""

    def pool_pages(self, form: str = "count") -> Measure:
        return measure("pool.pages", self.n_pages, form)

    def free_bit(self) -> Measure:
        """The bit of the free mask that says that a page is free."""
        return measure("state.bit", 1, "plain", state="free")

    def free_ref(self) -> Measure:
        """The refcount of a free page."""
        return measure("state.least_ref", 0, "plain", state="free")

    def page_size(self) -> Measure:
        return measure("pool.page_size", self.size, "plain")

    def pool_slots(self) -> Measure:
        return measure("pool.slots", self.n_pages * self.size)

    def max_batch(self) -> Measure:
        return measure("scheduler.max_batch", self.scenario.scheduler.max_batch)

    def model(self, name: str) -> Measure:
        """A size of the model: n_layers, n_kv_heads, head_dim."""
        return measure("model.size", getattr(self.scenario.model, name), "plain", name=name)

    def kv_layer(self) -> Measure:
        return measure("header.kv_layer", self.trace.header.kv_layer, "plain")

    def header(self, text: str) -> Measure:
        """A text of the header's, as it stands there: dtype, name of a model or of its weights."""
        return measure("header.text", text, "name", text=text)

    def source(self, text: str) -> Measure:
        """Words of the recorded source code."""
        return measure("source.text", text, "name", text=text)

    def cost(self, name: str) -> Measure:
        return measure("cost", getattr(self.trace.header.cost, name), "seconds", name=name)

    def bytes_of(self, what: str) -> Measure:
        """Bytes for K and V of a `slot`, a `page` or the `pool`."""
        model = self.scenario.model
        slot = 2 * model.n_layers * model.n_kv_heads * model.head_dim * DTYPES[self.trace.header.dtype]
        slots = {"slot": 1, "page": self.size, "pool": self.size * self.n_pages}
        return measure(f"{what}.bytes", slot * slots[what], "bytes")


class _Moments(_Asked):
    """What holds after event `at`."""

    def pool_free(self, at: int) -> Measure:
        return measure("pool.free", self.state(at).n_free, at=at)

    def pool_in_use(self, at: int) -> Measure:
        return measure("pool.in_use", self.state(at).n_in_use, at=at)

    def pool_cached(self, at: int) -> Measure:
        return measure("pool.cached", self.state(at).n_cached, at=at)

    def pool_available(self, at: int) -> Measure:
        return self.total(self.pool_free(at), self.pool_cached(at))

    def ref(self, page: int, at: int) -> Measure:
        return measure("page.ref", int(self.state(at).refs[page]), "plain", page=page, at=at)

    def filled_of(self, page: int, at: int) -> Measure:
        return measure("page.filled", int(self.state(at).fill()[page]), "plain", page=page, at=at)

    def filled(self, at: int) -> Measure:
        return measure("slots.filled.total", self.state(at).kv_slots, at=at)

    def reserved(self, at: int) -> Measure:
        return measure("slots.reserved.total", self.state(at).n_in_use * self.size, at=at)

    def waiting(self, at: int) -> Measure:
        return self.count(self.state(at).waiting, "queue.waiting", at=at)

    def in_memory(self, at: int) -> Measure:
        return self.count(self.state(at).tables, "requests.in_memory", at=at)

    def ended(self, at: int) -> Measure:
        done = [task for task in self.state(at).tasks.values() if task.status == "finished"]
        return self.count(done, "requests.finished", at=at)

    def entries(self, at: int) -> Measure:
        return measure("table.entries", sum(map(len, self.state(at).tables.values())), at=at)

    def tokens(self, task: str, at: int) -> Measure:
        return measure("task.tokens", self.state(at).tasks[task].n_tokens, task=task, at=at)

    def stored(self, task: str, at: int) -> Measure:
        return measure("task.cached", self.state(at).tasks[task].kv_len, task=task, at=at)

    def answered(self, task: str, at: int) -> Measure:
        return measure("task.generated", self.state(at).tasks[task].generated, task=task, at=at)

    def needed(self, task: str, at: int) -> Measure:
        return measure("task.needs", -(-self.state(at).tasks[task].n_tokens // self.size), task=task, at=at)

    def table(self, task: str, at: int) -> Measure:
        return measure("table", tuple(self.state(at).tables.get(task, ())), "table", task=task, at=at)

    def table_pages(self, task: str, at: int) -> Measure:
        return self.count(self.state(at).tables.get(task, ()), "table.pages", task=task, at=at)

    def entry(self, task: str, logical: int, at: int) -> Measure:
        page = self.state(at).tables[task][logical]
        return measure("table.entry", page, "plain", task=task, logical=logical, at=at)

    def held(self, page: int, at: int) -> tuple[Measure, Measure]:
        """First and last position of the text in `page` before event `at`."""
        contents = self.history.pages.contents
        row = np.flatnonzero((contents.page == page) & (contents.begin < at) & (contents.end >= at))[-1]
        _, first, last = self.history.pages.text_of(int(row))
        args = {"page": page, "at": at}
        return measure("page.text.first", first, "plain", **args), measure("page.text.last", last, "plain", **args)


class _Requests(_Asked):
    """Lives of requests; `at` is the event that a measure is about."""

    def prompt(self, task: str) -> Measure:
        return measure("request.prompt", self.request(task).prompt, task=task)

    def max_tokens(self, task: str) -> Measure:
        return measure("request.max_tokens", self.request(task).submitted.max_tokens, task=task)

    def longest(self, task: str) -> Measure:
        return self.total(self.prompt(task), self.max_tokens(task))

    def prompt_pages(self, task: str) -> Measure:
        return measure("request.prompt_pages", -(-self.request(task).prompt // self.size), task=task)

    def prompt_slots(self, task: str) -> Measure:
        return measure("request.prompt_slots", -(-self.request(task).prompt // self.size) * self.size, task=task)

    def generated(self, task: str) -> Measure:
        return measure("request.generated", self.request(task).generated, task=task)

    def ttft(self, task: str) -> Measure:
        return measure("request.ttft", self.request(task).ttft_ns, "time", task=task)

    def took(self, task: str) -> Measure:
        life = self.request(task)
        return measure("request.took", life.finished.ns - life.submitted.ns, "time", task=task)

    def found(self, task: str, at: int) -> Measure:
        return measure("admission.cached", self.request(task).admission(at).cached_tokens, task=task, at=at)

    def computed(self, task: str, at: int) -> Measure:
        done, admitted = self._prefill(task, at)
        return measure("prefill.tokens", done.end - admitted.cached_tokens, task=task, at=at)

    def again(self, task: str, at: int) -> Measure:
        _, admitted = self._prefill(task, at)
        life = self.request(task)
        before = [stored for event, stored in zip(life.preempted, life.stored, strict=True) if event.seq < admitted.seq]
        twice = max(0, max(before, default=0) - admitted.cached_tokens)
        return measure("prefill.again", twice, task=task, at=at)

    def _prefill(self, task: str, at: int):
        life = self.request(task)
        return life.prefilled(at), [event for event in life.admitted if event.seq < at][-1]


class _Phases(_Asked):
    """Steps and phases."""

    def duration(self, phase_end: int) -> Measure:
        return measure("phase.duration", self.trace[phase_end].duration_ns, "time", at=phase_end)

    def phase_tokens(self, phase_end: int) -> Measure:
        slots = self.history.slots
        rows = slots.between(self.history.steps.phase_begin(phase_end), phase_end)
        return measure("phase.tokens", int(slots.written.count[rows].sum()), at=phase_end)

    def phase_time(self, phase: str, step: int) -> Measure:
        steps = self.history.steps
        row = steps.row(phase, step)
        ns = 0 if row is None else int(steps.phases.ended[row] - steps.phases.began[row])
        return measure("phase.time", ns, "time", phase=phase, step=step)

    def step_took(self, step: int) -> Measure:
        return measure("step.duration", int(self.history.steps.ns[step]), "time", step=step)

    def budget(self, step: int) -> Measure:
        value = self.scenario.scheduler.max_tokens_per_step
        begin = int(self.history.steps.begin[step])
        for event in self.history.events("setting", before=begin, name="max_tokens_per_step"):
            value = event.value
        return measure("scheduler.budget", value, step=step)

    def decoded(self, step: int) -> Measure:
        log = self.history.requests.log
        return measure("step.decoded", int(np.count_nonzero((log.step == step) & (log.decode == 1))), step=step)

    def prefilled(self, step: int) -> Measure:
        spans = (event for life in self.history.requests.values() for event in life.computed if event.step == step)
        return measure("step.prefilled", sum(event.end - event.start for event in spans), step=step)


class _Run(_Asked):
    """The whole run."""

    def requests(self) -> Measure:
        return self.count(self.history.requests, "run.requests")

    def finished(self) -> Measure:
        return measure("run.finished", self.history.count("task_finished"))

    def steps(self) -> Measure:
        return self.count(self.history.steps, "run.steps")

    def all_generated(self) -> Measure:
        return self.count(self.history.requests.log, "run.generated")

    def preemptions(self) -> Measure:
        return measure("run.preemptions", self.history.count("task_preempted"))

    def allocs(self) -> Measure:
        return measure("run.allocs", self.history.pages.allocs)

    def frees(self) -> Measure:
        return measure("run.frees", self.history.pages.frees)

    def evictions(self) -> Measure:
        return self.count(self.history.pages.evicted, "run.evictions")

    def kept(self) -> Measure:
        return self.count(self.history.pages.kept, "run.kept")

    def most_in_use(self) -> Measure:
        return measure("pool.in_use.peak", self.history.pages.most_in_use)

    def most_cached(self) -> Measure:
        return measure("pool.cached.peak", self.history.pages.most_cached)

    def most_shared(self) -> Measure:
        return measure("page.ref.peak", int(self.history.pages.holds.refs.max(initial=0)))

    def prompts(self) -> Measure:
        return measure("run.prompts", sum(life.prompt for life in self.history.requests.values()))

    def asked(self) -> Measure:
        return measure("run.asked", sum(event.tokens for event in self._admissions()))

    def all_found(self) -> Measure:
        return measure("run.found", sum(event.cached_tokens for event in self._admissions()))

    def _admissions(self):
        return (event for life in self.history.requests.values() for event in life.admitted)

    def recomputed(self) -> Measure:
        return measure("run.recomputed", int(self.history.slots.written.again.sum()))

    def lost(self) -> Measure:
        lives = self.history.requests.values()
        return measure("run.lost", sum(life.finished.generated - life.generated for life in lives if life.finished))

    def median_phase(self, phase: str) -> Measure | None:
        """None where no such phase worked on a request."""
        phases = self.history.steps.phases
        ns = phases.ns[np.searchsorted(phases.end, self.history.steps.ends(phase, -1, self.history.last + 1))]
        return measure("phase.median", float(median(ns.tolist())), "time", phase=phase) if len(ns) else None

    def median_prompt(self) -> Measure:
        return measure("prompt.median", int(np.median([life.prompt for life in self.history.requests.values()])))

    def median_ttft(self) -> Measure | None:
        """None where no request got a token."""
        waits = [life.ttft_ns for life in self.history.requests.values() if life.generated]
        return measure("ttft.median", float(np.median(waits)), "time") if waits else None

    def empty_share(self) -> Measure:
        series = self.history.series
        held, filled = int(series.reserved_slots.sum()), int(series.kv_slots.sum())
        return measure("run.empty", 1 - filled / held, "percent")

    def filled_share(self) -> Measure:
        series = self.history.series
        return measure("run.filled", float(series.kv_slots.sum() / series.reserved_slots.sum()), "share")

    def steps_done(self) -> Measure:
        ended = [life.finished.step for life in self.history.requests.values() if life.finished]
        return measure("run.steps_done", max(ended, default=-1) + 1)

    def between(self, kind: str, after: int, until: int) -> Measure:
        """Events of `kind` between two, the second included: `task_finished`, `task_preempted`, …"""
        events = self.history.events(kind, after, until + 1)
        return measure("events.between", sum(1 for _ in events), kind=kind, after=after, until=until)

    def time_between(self, start: int, until: int) -> Measure:
        """Time of the run from event `start` (-1: its beginning) to event `until`, both ends of steps."""
        ns = self.state(until).ns - (self.state(start).ns if start >= 0 else 0)
        return measure("run.time", ns, "span", after=start, until=until)


class Ask(_Pool, _Moments, _Requests, _Phases, _Run):
    """Everything that storyboards ask a trace for."""

    @cached_property
    def last(self) -> int:
        """The last event."""
        return self.history.last
