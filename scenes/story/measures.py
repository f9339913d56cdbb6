"""What storyboards ask a run for: numbers with names, which `scenes.truth` can work out again.

A measure of a state has `at`, the event after which it holds. Names are those of the measures:
`ask.pool_free(at)` gives `pool.free(at=…)`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from inspect import signature
from typing import Any, Concatenate, ParamSpec

import numpy as np

from astrai_sim.trace import Trace
from astrai_sim.trace.events import PhaseEnd, SettingChanged, TaskAdmitted, TaskPrefilled
from astrai_sim.trace.header import DTYPES
from scenes.measures import Measure, measure
from scenes.story.contiguous import RULES, Layout, Load, at_step, loads, simulate
from scenes.story.history.history import history_of
from scenes.story.history.prompts import Missed, first_tokens
from scenes.story.history.requests import Request
from scenes.story.history.sure import sure
from scenes.story.history.turns import turns_of

P = ParamSpec("P")
Asking = Callable[Concatenate["Ask", P], Any]


def named(name: str, value: Asking[P], form: str = "count") -> Callable[Concatenate["Ask", P], Measure]:
    """A method that gives the measure `name` of its arguments, whose value `value` says of the same ones."""
    _, *names = signature(value).parameters

    def ask(self: "Ask", *args: P.args, **kwargs: P.kwargs) -> Measure:
        return measure(name, value(self, *args, **kwargs), form, **dict(zip(names, args, strict=False)), **kwargs)

    return ask


def at_end(name: str, value: Callable[[Layout], int]) -> Callable[["Ask", int], Measure]:
    """A method that gives the measure `name` of the pool without pages at the end of a step."""
    return lambda ask, step: measure(name, value(ask.whole(step)), at=ask.moment(step))


class Ask:
    """Everything that storyboards ask a trace for."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.history = history_of(trace)
        self.scenario = trace.header.scenario
        self.state = lru_cache(8)(trace.state_at)
        self.n_pages: int = self.scenario.cache.n_pages
        self.size: int = self.scenario.cache.page_size

    def request(self, task: str) -> Request:
        return self.history.requests[task]

    # of any measures, in the form of the first

    def less(self, of: Measure, less: Measure) -> Measure:
        """`of` minus `less`."""
        return measure("less", of.value - less.value, of.form, of=of, less=less)

    def total(self, *parts: Measure) -> Measure:
        return measure("total", sum(part.value for part in parts), parts[0].form, parts=parts)

    def largest(self, *parts: Measure) -> Measure:
        return measure("largest", max(part.value for part in parts), parts[0].form, parts=parts)

    def ratio(self, of: Measure, to: Measure, form: str = "times") -> Measure:
        """`of` by `to`, as `times`, `share` or `percent`."""
        return measure("ratio", of.value / to.value, form, of=of, to=to)

    # names and places

    name = named("task.name", lambda ask, task: task, "name")

    def names(self, tasks: Sequence[str] | None) -> list[Measure]:
        return [self.name(task) for task in tasks or ()]

    def page(self, page: int) -> Measure:
        return measure("page.number", int(page), "plain", page=int(page))

    def pages(self, pages: Sequence[int] | None) -> list[Measure]:
        return [] if pages is None else [self.page(page) for page in pages]

    position = named("token.position", lambda ask, position: position, "plain")
    step = named("step.number", lambda ask, step: step, "plain")
    first_token_of = named("table.first_token", lambda ask, logical: logical * ask.size + 1)

    # sizes, from the header

    def pool_pages(self, form: str = "count") -> Measure:
        return measure("pool.pages", self.n_pages, form)

    def free_bit(self) -> Measure:
        """The bit of the free mask that says that a page is free."""
        return measure("state.bit", 1, "plain", state="free")

    number_bytes = named("number.bytes", lambda ask: DTYPES[ask.trace.header.dtype])
    page_size = named("pool.page_size", lambda ask: ask.size, "plain")
    pool_slots = named("pool.slots", lambda ask: ask.n_pages * ask.size)
    # A size of the model: n_layers, n_kv_heads, head_dim.
    model = named("model.size", lambda ask, name: getattr(ask.scenario.model, name), "plain")
    kv_layer = named("header.kv_layer", lambda ask: ask.trace.header.kv_layer, "plain")
    # A constant of the cost model's, by its name.
    cost = named("cost.constant", lambda ask, name: getattr(ask.trace.header.cost, name), "seconds")
    # A text of the header's, as it stands there: dtype, name of a model or of its weights.
    header = named("header.text", lambda ask, text: text, "name")
    # Words of the recorded source code.
    source = named("source.text", lambda ask, text: text, "name")

    def weights(self) -> Measure | None:
        """The model's name, which is that of its weights' file; None where there are none."""
        weights = self.trace.header.weights
        if weights is None:
            return None
        name, kind = weights.file.removesuffix(".gguf"), weights.quantization
        return self.header(name.removesuffix(f".{kind}").removesuffix(f"-{kind}"))

    def time_scale(self) -> Measure:
        """In which share of the time that the workload's requests took they come."""
        workload = self.scenario.workload
        return measure("workload.time_scale", 1.0 if workload is None else workload.time_scale, "share")

    def bytes_of(self, what: str) -> Measure:
        """Bytes for K and V of a `slot`, a `page` or the `pool`."""
        model = self.scenario.model
        slot = 2 * model.n_layers * model.n_kv_heads * model.head_dim * DTYPES[self.trace.header.dtype]
        slots = {"slot": 1, "page": self.size, "pool": self.size * self.n_pages}
        return measure(f"{what}.bytes", slot * slots[what], "bytes")

    # lives of requests; `at` is the event that a measure is about

    prompt = named("request.prompt", lambda ask, task: ask.request(task).prompt)
    max_tokens = named("request.max_tokens", lambda ask, task: ask.request(task).submitted.max_tokens)
    prompt_pages = named("request.prompt_pages", lambda ask, task: -(-ask.request(task).prompt // ask.size))
    generated = named("request.generated", lambda ask, task: ask.request(task).generated)
    ttft = named("request.ttft", lambda ask, task: ask.request(task).ttft_ns, "time")
    # As `ttft`, but from durations that leave the recorder's work out.
    first_token = named(
        "request.first_token", lambda ask, task: {t.task: t.ns for t in first_tokens(ask.history)}[task], "time"
    )
    took = named(
        "request.took", lambda ask, task: sure(ask.request(task).finished).ns - ask.request(task).submitted.ns, "time"
    )
    found = named("admission.cached", lambda ask, task, at: sure(ask.request(task).admission(at)).cached_tokens)
    # Tokens of its prompt that were computed before its first token, the steps that did, and those of one of them.
    prompt_tokens = named("prompt.computed", lambda ask, task: sum(e.end - e.start for e in ask._prompt(task)), "plain")
    prompt_passes = named("prompt.passes", lambda ask, task: len(ask._prompt(task)))
    prefilled_of = named(
        "prompt.chunk",
        lambda ask, task, step: sum(e.end - e.start for e in ask.request(task).computed if e.step == step),
        "plain",
    )

    def longest(self, task: str) -> Measure:
        return self.total(self.prompt(task), self.max_tokens(task))

    def wait(self, task: str, since: int, at: int | None = None) -> Measure:
        """From its last token before event `since`, or its arrival, to its next one, to event `at`, or to the end."""
        life, last = self.request(task), self.history.last
        until = at or life.token_after(since) or last
        ns = life.wait(since, until, self.trace[until].ns)
        return measure("wait.since", ns, "exact", task=task, since=since, at=until)

    def outside(self, task: str, since: int) -> Measure:
        """Of such a wait, what was over with the last admission before the token, which has to be there."""
        admitted, token = self.request(task).admitted, sure(self.request(task).token_after(since))
        return self.wait(task, since, [event.seq for event in admitted if event.seq < token][-1])

    def computing(self, task: str, since: int) -> Measure:
        """The rest of such a wait; both as they are written add up to the whole."""
        ns = round(self.wait(task, since).value, -6) - round(self.outside(task, since).value, -6)
        return measure("wait.computing", ns, "exact", task=task, since=since)

    def once_cached(self, missed: Missed) -> Measure:
        return measure("prefix.once", missed.cached, task=missed.task, at=missed.seq)

    def still_cached(self, missed: Missed) -> Measure:
        return measure("prefix.found", missed.found, task=missed.task, at=missed.seq)

    def computed(self, task: str, at: int) -> Measure:
        end = sure(self.request(task).prefilled(at)).end
        return measure("prefill.tokens", end - self._admitted(task, at).cached_tokens, task=task, at=at)

    def _prompt(self, task: str) -> list[TaskPrefilled]:
        life = self.request(task)
        return [event for event in life.computed if event.step <= int(life.tokens.step[0])]

    def again(self, task: str, at: int) -> Measure:
        life, admitted = self.request(task), self._admitted(task, at)
        before = [stored for event, stored in zip(life.preempted, life.stored, strict=True) if event.seq < admitted.seq]
        twice = max(0, max(before, default=0) - admitted.cached_tokens)
        return measure("prefill.again", twice, task=task, at=at)

    def _admitted(self, task: str, at: int) -> TaskAdmitted:
        return [event for event in self.request(task).admitted if event.seq < at][-1]

    # steps and phases

    duration = named("phase.duration", lambda ask, at: ask.history.event(PhaseEnd, at).duration_ns, "time")
    step_took = named("step.duration", lambda ask, step: int(ask.history.steps.ns[step]), "time")
    decoded = named("step.decoded", lambda ask, step: len(ask.history.decoded(step)))
    prefilled = named("step.prefilled", lambda ask, step: sum(count for _, count in ask.history.prefilled(step)))

    def phase_time(self, phase: str, step: int) -> Measure:
        steps = self.history.steps
        row = steps.row(phase, step)
        ns = 0 if row is None else int(steps.phases.ended[row] - steps.phases.began[row])
        return measure("phase.time", ns, "time", phase=phase, step=step)

    def budget(self, step: int) -> Measure:
        begin = int(self.history.steps.begin[step])
        last = self.history.latest(SettingChanged, before=begin, name="max_tokens_per_step")
        value = last.value if last else self.scenario.scheduler.max_tokens_per_step
        return measure("scheduler.budget", value, step=step)

    def usual_wait(self, before: int) -> Measure | None:
        """None where no step before `before` only decoded and ended a wait."""
        gaps = self.history.gaps
        waits = [int(gaps[i]) for i in range(before) if gaps[i] >= 0 and not self.history.prefilled(i)]
        return measure("wait.usual", float(np.median(waits)), "time", before=before) if waits else None

    # what holds after event `at`

    pool_free = named("pool.free", lambda ask, at: ask.state(at).n_free)
    pool_in_use = named("pool.in_use", lambda ask, at: ask.state(at).n_in_use)
    ref = named("page.ref", lambda ask, page, at: int(ask.state(at).refs[page]), "plain")
    filled = named("slots.filled.total", lambda ask, at: ask.state(at).kv_slots)
    reserved = named("slots.reserved.total", lambda ask, at: ask.state(at).n_in_use * ask.size)
    waiting = named("queue.waiting", lambda ask, at: len(ask.state(at).waiting))
    in_memory = named("requests.in_memory", lambda ask, at: len(ask.state(at).tables))
    ended = named(
        "requests.finished", lambda ask, at: sum(task.status == "finished" for task in ask.state(at).tasks.values())
    )
    entries = named("table.entries", lambda ask, at: sum(map(len, ask.state(at).tables.values())))
    tokens = named("task.tokens", lambda ask, task, at: ask.state(at).tasks[task].n_tokens)
    stored = named("task.cached", lambda ask, task, at: ask.state(at).tasks[task].kv_len)
    needed = named("task.needs", lambda ask, task, at: -(-ask.state(at).tasks[task].n_tokens // ask.size))
    # Of the pages that it lost last, those that others hold.
    taken = named("pages.taken", lambda ask, task, at: len(turns_of(ask.history).taken(ask.state(at), task)))
    table = named("table", lambda ask, task, at: tuple(ask.state(at).tables.get(task, ())), "table")
    table_pages = named("table.pages", lambda ask, task, at: len(ask.state(at).tables.get(task, ())))
    entry = named("table.entry", lambda ask, task, logical, at: ask.state(at).tables[task][logical], "plain")

    def held(self, page: int, at: int) -> tuple[Measure, Measure]:
        """First and last position of the text in `page` before event `at`."""
        contents = self.history.pages.contents
        row = np.flatnonzero((contents.page == page) & (contents.begin < at) & (contents.end >= at))[-1]
        _, first, last = self.history.pages.text_of(int(row))
        args = {"page": page, "at": at}
        return measure("page.text.first", first, "plain", **args), measure("page.text.last", last, "plain", **args)

    # the whole run

    requests = named("run.requests", lambda ask: len(ask.history.requests))
    finished = named("run.finished", lambda ask: ask.history.count("task_finished"))
    steps = named("run.steps", lambda ask: len(ask.history.steps))
    steps_done = named(
        "run.steps_done", lambda ask: max((life.finished.step for life in ask._lives if life.finished), default=-1) + 1
    )
    preemptions = named("run.preemptions", lambda ask: ask.history.count("task_preempted"))
    allocs = named("run.allocs", lambda ask: ask.history.pages.allocs)
    frees = named("run.frees", lambda ask: ask.history.pages.frees)
    evictions = named("run.evictions", lambda ask: len(ask.history.pages.evicted))
    kept = named("run.kept", lambda ask: len(ask.history.pages.kept))
    prompts = named("run.prompts", lambda ask: sum(life.prompt for life in ask._lives))
    asked = named("run.asked", lambda ask: sum(event.tokens for event in ask._admissions()))
    all_found = named("run.found", lambda ask: sum(event.cached_tokens for event in ask._admissions()))
    # Tokens whose K and V were computed, each time counted, and those that were computed again.
    all_computed = named("run.computed", lambda ask: ask.history.requests.computed)
    recomputed = named("run.recomputed", lambda ask: ask.history.requests.recomputed)
    lost = named(
        "run.lost", lambda ask: sum(life.finished.generated - life.generated for life in ask._lives if life.finished)
    )
    most_in_use = named("pool.in_use.peak", lambda ask: ask.history.pages.most_in_use)
    most_cached = named("pool.cached.peak", lambda ask: ask.history.pages.most_cached)
    most_longest = named("longest.peak", lambda ask: int(ask.holdings[:, 0].max(initial=0)))
    most_held = named("held.peak", lambda ask: int(ask.holdings[:, 1].max(initial=0)))
    most_filled = named("filled.peak", lambda ask: int(ask.holdings[:, 2].max(initial=0)))
    # Where only cached blocks are known: blocks that came and went, at most cached after a message; messages.
    blocks_stored = named(
        "blocks.stored", lambda ask: sum(len(e.keys) - len(e.again) for e in ask.history.events("block_stored"))
    )
    blocks_removed = named("blocks.removed", lambda ask: int(ask.history.series.evictions.sum()))
    blocks_peak = named("blocks.peak", lambda ask: int(ask.history.series.cached.max(initial=0)))
    messages = named("messages", lambda ask: ask.history.count("message_end"))
    messages_missed = named("messages.missed", lambda ask: sum(e.count for e in ask.history.events("messages_missed")))
    # The shortest time within which that share of the requests that got a token got their first.
    wait_within = named(
        "wait.within", lambda ask, share: int(ask._ttfts[math.ceil(share * len(ask._ttfts)) - 1]), "time"
    )

    @property
    def _lives(self) -> list[Request]:
        return [*self.history.requests.values()]

    @cached_property
    def _ttfts(self) -> np.ndarray:
        """Ascending."""
        return np.sort(self.history.waits[1])

    def _admissions(self) -> Iterator[TaskAdmitted]:
        return (event for life in self._lives for event in life.admitted)

    @cached_property
    def holdings(self) -> np.ndarray:
        """At the end of each step, int64 [steps, 3]: slots that requests with pages would reserve for their
        longest lengths, slots of pages in use, and filled ones."""
        rows = []
        for seq in self.history.steps.end.tolist():
            state = self.state(seq)
            longest = sum(self.longest(task).value for task, pages in state.tables.items() if pages)
            rows.append((longest, state.n_in_use * self.size, state.kv_slots))
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    def median_ttft(self) -> Measure | None:
        """None where no request got a token."""
        return measure("ttft.median", float(np.median(self._ttfts)), "time") if len(self._ttfts) else None

    def between(self, kind: str, after: int, until: int) -> Measure:
        """Events of `kind` between two, the second included: `task_finished`, `task_preempted`, …"""
        low, high = np.searchsorted(self.history.seqs(kind), [after + 1, until + 1])
        return measure("events.between", int(high - low), kind=kind, after=after, until=until)

    def time_between(self, start: int, until: int, form: str = "span") -> Measure:
        """Time of the run from event `start` (-1: its beginning) to event `until`."""
        began, ended = (self.trace[seq].ns if seq >= 0 else 0 for seq in (start, until))
        return measure("run.time", ended - began, form, after=start, until=until)

    # the pool without pages at the end of a step, also of one beyond the recording;
    # a `rule` is one of `scenes.story.contiguous.RULES`, or "pages" for the recorded run

    @cached_property
    def loads(self) -> list[Load]:
        """The requests, in order of submission."""
        return loads(self.trace)

    @cached_property
    def _layouts(self) -> dict[str, list[Layout]]:
        n_slots, most = self.n_pages * self.size, self.scenario.scheduler.max_batch
        return {rule: simulate(self.loads, n_slots, most, rule) for rule in RULES}

    def whole(self, step: int, rule: str = "reserve") -> Layout:
        """The pool at the end of a step."""
        return at_step(self._layouts[rule], step, self.n_pages * self.size)

    def moment(self, step: int) -> int:
        """A step's last event, or as many after the recording's last as steps."""
        last = len(self.history.steps) - 1
        return self.history.steps.seq(step) if step <= last else self.history.last + step - last

    def served(self, rule: str) -> dict[str, int]:
        """At the end of which step each request that ends has ended, the first first."""
        if rule == "pages":
            ended = sorted((life.finished for life in self._lives if life.finished), key=lambda event: event.seq)
            return {event.task: event.step for event in ended}
        found: dict[str, int] = {}
        for layout in self._layouts[rule]:
            found |= {task: layout.step for task in layout.served if task not in found}
        return found

    def steps_of(self, rule: str) -> Measure:
        """Steps until every request has ended."""
        if rule == "pages":
            return self.steps_done()
        return measure("contiguous.steps", len(self._layouts[rule]) - 1, rule=rule)

    whole_free = at_end("contiguous.free", lambda layout: layout.n_slots - layout.reserved)
    whole_inside = at_end("contiguous.inside", lambda layout: len(layout.pieces))
    whole_holes = at_end("contiguous.holes", lambda layout: len(layout.holes()))
    whole_largest = at_end("contiguous.largest", lambda layout: max((size for _, size in layout.holes()), default=0))

    def whole_empty(self, step: int) -> Measure:
        """Slots that no request has filled, held or not."""
        used = measure("contiguous.used", self.whole(step).used, at=self.moment(step))
        return self.less(self.pool_slots(), used)

    def whole_idle(self, step: int) -> Measure:
        """Slots within pieces that are empty."""
        return self.less(self.whole_empty(step), self.whole_free(step))

    def empty(self, step: int) -> Measure:
        """Slots of the recorded run that are held and empty at the end of a step."""
        return self.less(self.reserved(self.moment(step)), self.filled(self.moment(step)))

    def piece(self, what: str, task: str) -> Measure:
        """Slots that a request would have `reserved` in one piece, or `used` of them."""
        load = self.loads[self.request(task).index]
        return measure(f"piece.{what}", getattr(load, what), "plain", task=task)
