"""The pool without pages, computed from the same requests."""

from __future__ import annotations

from functools import cached_property

from scenes.measures import Measure, measure
from scenes.story.contiguous import Layout, Load, at_step, loads, simulate
from scenes.story.measures.asked import AskedMeasures


class ContiguousMeasures(AskedMeasures):
    """The pool without pages at the end of a step, also of one beyond the recording."""

    @cached_property
    def loads(self) -> list[Load]:
        """The requests, in order of submission."""
        return loads(self.trace)

    @cached_property
    def layouts(self) -> list[Layout]:
        """Its state at the end of every step, from the first on."""
        return simulate(self.loads, self.n_pages * self.size, self.scenario.scheduler.max_batch)

    def whole(self, step: int) -> Layout:
        return at_step(self.layouts, step, self.n_pages * self.size)

    def whole_at(self, step: int) -> int:
        """`at` of a step's measures: its last event, or as many after the recording's last as steps."""
        last = len(self.history.steps) - 1
        return self.history.steps.seq(step) if step <= last else self.history.last + step - last

    def whole_reserved(self, step: int) -> Measure:
        return measure("contiguous.reserved", self.whole(step).reserved, at=self.whole_at(step))

    def whole_used(self, step: int) -> Measure:
        return measure("contiguous.used", self.whole(step).used, at=self.whole_at(step))

    def whole_in_memory(self, step: int) -> Measure:
        return self.count(self.whole(step).pieces, "contiguous.in_memory", at=self.whole_at(step))

    def whole_finished(self, step: int) -> Measure:
        return measure("contiguous.finished", self.whole(step).finished, at=self.whole_at(step))

    def whole_holes(self, step: int) -> list[Measure]:
        """Sizes of the stretches that nobody holds, by address."""
        at = self.whole_at(step)
        return [measure("contiguous.hole", size, start=start, at=at) for start, size in self.whole(step).holes()]

    def whole_largest(self, step: int) -> Measure:
        largest = max((size for _, size in self.whole(step).holes()), default=0)
        return measure("contiguous.largest", largest, at=self.whole_at(step))

    def whole_steps(self) -> Measure:
        return measure("contiguous.steps", len(self.layouts) - 1)

    def whole_most(self) -> Measure:
        return measure("contiguous.in_memory.peak", max(len(layout.pieces) for layout in self.layouts))

    def whole_share(self) -> Measure:
        used, reserved = (sum(getattr(x, name) for x in self.layouts) for name in ("used", "reserved"))
        return measure("contiguous.filled", used / reserved, "share")

    def most_in_memory(self) -> Measure:
        return measure("requests.in_memory.peak", int(self.history.steps.held.max(initial=0)))

    def piece(self, what: str, task: str) -> Measure:
        """Slots that a request would have `reserved` in one piece, or `used` of them."""
        load = self.loads[self.request(task).index]
        return measure(f"piece.{what}", getattr(load, what), "plain", task=task)

    def all_reserved(self) -> Measure:
        """Slots that the requests would reserve in one piece each, together."""
        return self.total(*(self.piece("reserved", task) for task in self.history.requests))

    def all_used(self) -> Measure:
        return self.total(*(self.piece("used", task) for task in self.history.requests))
