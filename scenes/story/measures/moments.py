"""What holds after an event."""

from __future__ import annotations

import numpy as np

from astrai_sim.trace.events import PrefixHit
from scenes.measures import Measure, measure
from scenes.story.measures.asked import AskedMeasures


class MomentMeasures(AskedMeasures):
    """What holds after event `at`."""

    def pool_free(self, at: int) -> Measure:
        return measure("pool.free", self.state(at).n_free, at=at)

    def pool_in_use(self, at: int) -> Measure:
        return measure("pool.in_use", self.state(at).n_in_use, at=at)

    def pool_cached(self, at: int) -> Measure:
        return measure("pool.cached", self.state(at).n_cached, at=at)

    def ref(self, page: int, at: int) -> Measure:
        return measure("page.ref", int(self.state(at).refs[page]), "plain", page=page, at=at)

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

    def hit_tokens(self, at: int) -> Measure:
        """Tokens that the lookup found whose `prefix_hit` is event `at`."""
        return measure("prefix.hit", self.history.event(PrefixHit, at).tokens, at=at)
