"""A run that ended in an exception: what was under way, and what of it the rules of paging tell."""

import re
from collections.abc import Iterator

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.run import Run
from astrai_sim.doctor.words import listed, of_pages, of_tokens
from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev

RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b|[A-Z]\w*: ")
"""How a footer's reason begins where an exception was the end."""
LAST = 2


class Exceptions(Kind):
    """The engine raised; who has no room for the next token, and what the next lookup would have found, is told."""

    name = "exception"
    looks_for = "an exception that ended the run"

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.phase: str | None = None
        self.last: list[int] = []

    def on_phase_begin(self, event: ev.PhaseBegin) -> None:
        """What is under way."""
        self.phase = event.phase

    def on_step_end(self, event: ev.StepEnd) -> None:
        """A step is over, if it was not broken off."""
        self.last = [*self.last[1 - LAST :], event.seq]

    def end(self, trace: Trace) -> None:
        stopped = trace.footer.stopped if trace.footer else ""
        if not RAISED.match(stopped):
            return
        where = f" in the phase {self.phase} of step {self.run.state.step}" if self.phase else ""
        causes = [*self._without_room(), *self._would_hit()]
        says = ". ".join((f"the run ended with {stopped}{where}", *(why for why, _, _ in causes)))
        requests = [task for _, tasks, _ in causes for task in tasks]
        pages = [page for _, _, found in causes for page in found]
        logs = [self.run.task(task) for task in requests]
        events = [seq for log in logs for seq in (log.submitted, log.admitted, log.computed, log.token)]
        if requests:
            events += [seq for page in pages for seq in (self.run.page(page).came, self.run.page(page).keyed)]
        self.tell(says, (*events, self.last[-1] if self.last else -1), pages, requests)

    def _without_room(self) -> Iterator[tuple[str, list[str], list[int]]]:
        """Requests whose next token has no slot."""
        run = self.run
        for task, table in run.tables.items():
            known, room = run.state.tasks[task], len(table) * run.size
            if known.status == "finished" or known.n_tokens <= room:
                continue
            first = "before its first token" if not known.generated else f"after {of_tokens(known.generated)}"
            free = run.state.n_free + run.state.n_cached
            why = (
                f"{task} has no slot for position {room}: {of_pages(table)}, of {run.size} slots, are full {first}, "
                f"and no more came, {'though ' + str(free) + ' were free' if free else 'since none was free'}"
            )
            yield why, [task], table

    def _would_hit(self) -> Iterator[tuple[str, list[str], list[int]]]:
        """Who waits first, and the live pages that hold what it begins with."""
        run = self.run
        for task in run.state.waiting[:1]:
            found = []
            for content in run.contents.chain(task, run.n_pages):
                if (page := run.index.with_content(content)) is None:
                    break
                found.append(page)
            live = [page for page in found if run.holders.get(page)]
            if live:
                holders = dict.fromkeys(name for page in live for name in run.holders[page])
                many = "they are" if len(live) > 1 else "it is"
                yield (
                    f"{task}, which waits first, begins with what {of_pages(live)} hold{'s' * (len(live) == 1)}: "
                    f"a lookup finds that while {many} live, held by {listed(holders)}",
                    [task, *holders],
                    live,
                )
