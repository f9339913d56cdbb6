"""Leaks: pages held by nobody that never come back."""

from collections import defaultdict

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.run import Run
from astrai_sim.doctor.words import listed, of_pages
from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev

LATE = 2
"""Steps that must have ended after the one in which a request is finished, until its pages count as lost."""


class Leaks(Kind):
    """At the end a page is neither free nor cached, and no request that goes on has it in its table."""

    name = "leak"
    looks_for = "pages that are neither free nor cached at the end, and that no request holds that goes on"
    asks, shows = "Why does the pool get smaller?", "Never given back: {pages}."

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.read: ev.Snapshot | None = None
        self.steps = -1

    def on_snapshot(self, event: ev.Snapshot) -> None:
        """What was read back."""
        self.read = event

    def on_step_end(self, event: ev.StepEnd) -> None:
        """A step is over."""
        self.steps = event.step

    def end(self, trace: Trace) -> None:
        run = self.run
        taken = [page for page, log in run.pages.items() if log.came >= 0 and not self._back(page)]
        groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for page in taken:
            holders = tuple(dict.fromkeys(run.holders.get(page, ())))
            if all(self._over(task) for task in holders) and not self._on_its_way(page):
                groups[holders].append(page)
        for holders, pages in groups.items():
            logs = [run.page(page) for page in pages]
            finished = [run.task(task).finished for task in holders]
            whose = f": {listed(holders)} had them, and is over" if holders else ""
            says = f"{of_pages(sorted(pages))} {'are' if len(pages) > 1 else 'is'} never given back{whose}"
            events = (min(log.came for log in logs), max(log.went for log in logs), *finished)
            self.tell(says, events, sorted(pages), holders)

    def _back(self, page: int) -> bool:
        """Whether a page is free or cached at the end."""
        if self.run.state.page_state(page) == "cached":
            return True
        if self.read is not None and self.read.seq > max(self.run.page(page).came, self.run.page(page).went):
            return bool(self.read.mask >> page & 1) or page in (self.read.lru or ())
        return self.run.state.page_state(page) == "free"

    def _over(self, task: str) -> bool:
        """Whether a request was finished long enough before the end."""
        log = self.run.task(task)
        return log.finished >= 0 and self.steps >= log.finished_step + LATE

    def _on_its_way(self, page: int) -> bool:
        """Whether the step has not ended in which a page was taken."""
        return self.run.state.phase is not None and self.run.page(page).came > self._began()

    def _began(self) -> int:
        return -1 if self.read is None else self.read.seq
