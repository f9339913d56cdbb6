"""The pool without pages, computed from the same requests."""

from functools import cached_property

from scenes.measures import Measure, measure
from scenes.story.contiguous import RULES, Layout, Load, at_step, loads, simulate
from scenes.story.measures.asked import HeaderMeasures
from scenes.story.measures.lives import MomentMeasures
from scenes.story.measures.run import WholeRun


class ContiguousMeasures(HeaderMeasures, MomentMeasures, WholeRun):
    """The pool without pages at the end of a step, also of one beyond the recording.

    A `rule` is one of `scenes.story.contiguous.RULES`, or "pages" for the recorded run.
    """

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
            ended = {task: life.finished for task, life in self.history.requests.items() if life.finished}
            return {task: event.step for task, event in sorted(ended.items(), key=lambda pair: pair[1].seq)}
        found: dict[str, int] = {}
        for layout in self._layouts[rule]:
            found |= {task: layout.step for task in layout.served if task not in found}
        return found

    def steps_of(self, rule: str) -> Measure:
        """Steps until every request has ended."""
        return self.steps_done() if rule == "pages" else measure("contiguous.steps", self._last(rule), rule=rule)

    def _last(self, rule: str) -> int:
        return len(self._layouts[rule]) - 1

    def whole_free(self, step: int) -> Measure:
        layout = self.whole(step)
        return measure("contiguous.free", layout.n_slots - layout.reserved, at=self.moment(step))

    def whole_empty(self, step: int) -> Measure:
        """Slots that no request has filled, held or not."""
        used = measure("contiguous.used", self.whole(step).used, at=self.moment(step))
        return self.less(self.pool_slots(), used)

    def whole_idle(self, step: int) -> Measure:
        """Slots within pieces that are empty."""
        return self.less(self.whole_empty(step), self.whole_free(step))

    def whole_inside(self, step: int) -> Measure:
        return self.count(self.whole(step).pieces, "contiguous.inside", at=self.moment(step))

    def whole_holes(self, step: int) -> Measure:
        return self.count(self.whole(step).holes(), "contiguous.holes", at=self.moment(step))

    def whole_largest(self, step: int) -> Measure:
        largest = max((size for _, size in self.whole(step).holes()), default=0)
        return measure("contiguous.largest", largest, at=self.moment(step))

    def empty(self, step: int) -> Measure:
        """Slots of the recorded run that are held and empty at the end of a step."""
        return self.less(self.reserved(self.moment(step)), self.filled(self.moment(step)))

    def piece(self, what: str, task: str) -> Measure:
        """Slots that a request would have `reserved` in one piece, or `used` of them."""
        load = self.loads[self.request(task).index]
        return measure(f"piece.{what}", getattr(load, what), "plain", task=task)
