"""A run that ended in an exception: what was under way, and what of it the rules of paging tell."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.run import Run
from astrai_sim.doctor.words import listed, of_pages, of_tokens
from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev

RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt)\b|[A-Z]\w*: ")
"""How a footer's reason begins where an exception was the end."""


class Cause(NamedTuple):
    """Why, in words, and the requests and pages that it is about, the first request that of the cause."""

    why: str
    requests: Sequence[str] = ()
    pages: Sequence[int] = ()


class Exceptions(Kind):
    """The engine raised; who has no room for the next token, and what the next lookup would have found, is told."""

    name = "exception"
    looks_for = "an exception that ended the run"
    asks, shows = "What was under way when the run broke off?", "Here the run broke off, with {pages}."

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.phase: str | None = None
        self.last: list[int] = []

    def on_phase_begin(self, event: ev.PhaseBegin) -> None:
        """What is under way."""
        self.phase = event.phase

    def on_step_end(self, event: ev.StepEnd) -> None:
        """A step is over, if it was not broken off."""
        self.last = [event.seq]

    def end(self, trace: Trace) -> None:
        stopped = trace.footer.stopped if trace.footer else ""
        if not RAISED.match(stopped):
            return
        where = f" in the phase {self.phase} of step {self.run.state.step}" if self.phase else ""
        cause = next(chain(self._without_room(), self._would_hit()), None) or Cause("nothing in the pool tells why")
        logs = [self.run.task(task) for task in cause.requests[:1]]
        events = [seq for log in logs for seq in (log.submitted, log.admitted, log.computed, log.token)]
        events += [seq for page in cause.pages for seq in (self.run.page(page).came, self.run.page(page).keyed)]
        says = f"the run ended with {stopped}{where}: {cause.why}"
        self.tell(says, (*events, *self.last), cause.pages, cause.requests)

    def _without_room(self) -> Iterator[Cause]:
        """Requests whose next token has no slot."""
        run, stuck = self.run, []
        for task, table in run.tables.items():
            known = run.state.tasks[task]
            if known.status != "finished" and known.n_tokens > len(table) * run.size:
                stuck.append(task)
        if not stuck:
            return
        task, free = stuck[0], run.state.n_free + run.state.n_cached
        table, generated = run.tables[task], run.state.tasks[task].generated
        full = f"{of_pages(table)} {'are' if len(table) > 1 else 'is'} full"
        first = (
            f"after {of_tokens(generated)}" if generated else "before its first token: its prompt ends on a page's end"
        )
        came = f"and no page came, though {free} were free" if free else "and no page came, since none was free"
        why = f"{task} has no slot for position {len(table) * run.size}, {first}. {full}, {came}"
        others = f"; so it is with {listed(stuck[1:])}" if stuck[1:] else ""
        yield Cause(why + others, stuck, table)

    def _would_hit(self) -> Iterator[Cause]:
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
                hold, they = "hold" * (len(live) > 1) or "holds", "hold" * (len(holders) > 1) or "holds"
                why = f"{task}, which waits first, begins with what {of_pages(live)} {hold}"
                why = f"{why}, and a lookup finds that while {listed(holders)} {they} it"
                yield Cause(why, [task, *holders], live)
