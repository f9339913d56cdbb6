"""What all measures of a trace have in common, and those that are made of others."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from functools import lru_cache

from astrai_sim.trace import Trace
from scenes.measures import Measure, measure
from scenes.story.history import Request, history_of


class AskedMeasures:
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

    def largest(self, *parts: Measure) -> Measure:
        """The largest of `parts`, in the form of the first."""
        return measure("largest", max(part.value for part in parts), parts[0].form, parts=parts)

    def ratio(self, of: Measure, to: Measure, form: str = "times") -> Measure:
        """`of` by `to`, as `times`, `share` or `percent`."""
        return measure("ratio", of.value / to.value, form, of=of, to=to)

    # names and places

    def name(self, task: str) -> Measure:
        return measure("task.name", task, "name", task=task)

    def names(self, tasks: Sequence[str] | None) -> list[Measure]:
        return [self.name(task) for task in tasks or ()]

    def page(self, page: int) -> Measure:
        return measure("page.number", int(page), "plain", page=int(page))

    def pages(self, pages: Sequence[int] | None) -> list[Measure]:
        return [] if pages is None else [self.page(page) for page in pages]

    def position(self, position: int) -> Measure:
        return measure("token.position", position, "plain", position=position)

    def step(self, step: int) -> Measure:
        return measure("step.number", step, "plain", step=step)

    def first_token_of(self, logical: int) -> Measure:
        return measure("table.first_token", logical * self.size + 1, "count", logical=logical)
