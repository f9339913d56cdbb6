"""What of paging there is in a run: who comes first and second, growth, release, reuse, the most scattered table."""

from dataclasses import dataclass
from functools import cached_property

from astrai_sim.trace.events import Gather, KvWrite, PagesAlloc, PagesFree, Table, TaskAdmitted
from scenes.story.history import History
from scenes.story.limits import LARGEST
from scenes.story.measures import Ask

FEW, MOST = 16, 4
"""Pages that are shown of a pool too large to show all, and of one request's those that are pointed at."""
PASSES = 64
"""Passes that are looked at for one with tables of different lengths."""


@dataclass(frozen=True)
class Scattered:
    """A page table as it is from event `seq` on."""

    task: str
    seq: int
    pages: tuple[int, ...]

    @property
    def score(self) -> int:
        """How far its pages are from lying one after another."""
        return sum(abs(after - page - 1) for page, after in zip(self.pages, self.pages[1:], strict=False))


class Paging:
    """The events of a run that tell of paging: `first` is the first admission, `filled` the first write after it."""

    def __init__(self, ask: Ask, first: TaskAdmitted, filled: KvWrite) -> None:
        self.ask = ask
        self.history = ask.history
        self.first, self.filled = first, filled

    @cached_property
    def freed(self) -> PagesFree | None:
        """The first release of a page that nobody holds then."""
        return next((e for e in self.history.events(PagesFree, work="cleanup") if e.refs == [0]), None)

    @property
    def until(self) -> int | None:
        """The event up to which nobody has left; None for the run's end."""
        return None if self.freed is None else self.freed.seq

    @cached_property
    def second(self) -> TaskAdmitted | None:
        """The admission of another request, before anybody leaves."""
        later = self.history.events(TaskAdmitted, self.filled.seq, self.until)
        return next((event for event in later if event.task != self.first.task), None)

    @cached_property
    def scattered(self) -> Scattered:
        """The table whose pages are farthest from lying one after another, of those that can be shown."""
        tables = (Scattered(e.task, e.seq, tuple(e.pages)) for e in self.history.events(Table) if e.pages)
        return max(tables, key=lambda table: (len(table.pages) <= LARGEST, table.score, len(table.pages)))

    @cached_property
    def grown(self) -> PagesAlloc | None:
        """The first page that comes for a decoded token."""
        return self.history.first(PagesAlloc, (self.second or self.filled).seq, work="decode")

    @cached_property
    def passed(self) -> KvWrite | None:
        """The first pass then with tables of different lengths; else with two, else any."""
        after = (self.grown or self.second or self.filled).seq

        def worth(event: KvWrite) -> tuple[bool, bool]:
            tables = self.ask.state(event.seq).tables
            return len({len(tables[span.task]) for span in event.spans}) > 1, len(event.spans) > 1

        return max([*self.history.events(KvWrite, after, self.until)][:PASSES], key=worth, default=None)

    @cached_property
    def reused(self) -> tuple[PagesAlloc, str] | None:
        """The first free page that is taken after the first release and has another's content, and whose."""
        had: dict[int, str] = {}
        for event in self.history.events(PagesAlloc):
            page, task = event.pages[0], str(event.task)
            if self.freed is not None and event.seq > self.freed.seq and had.get(page, task) != task:
                if self.ask.state(event.seq - 1).mask >> page & 1:
                    return event, had[page]
            had[page] = task
        return None

    def read(self, longest: int) -> Gather | None:
        """The last gather of the most scattered table, of at most so many tokens."""
        table = self.scattered
        for event in reversed([*self.history.events(Gather, table.seq)]):
            row = next((row for row in event.rows if row.task == table.task), None)
            if row and tuple(row.pages) == table.pages and row.length <= longest:
                return event
        return None

    def pages(self) -> tuple[int, ...]:
        """The pages to show of a large pool: those that are spoken of; of a small one all, and none is named."""
        if self.ask.n_pages <= LARGEST:
            return ()
        taken = [*self.history.events(PagesAlloc)]
        first = [e.pages[0] for e in taken if e.task == self.first.task]
        second = [e.pages[0] for e in taken if self.second and e.task == self.second.task]
        freed = [e.pages[0] for e in self.history.events(PagesFree, work="cleanup")]
        single = [event.pages[0] for event in (self.grown, self.reused and self.reused[0]) if event]
        told = (*self.scattered.pages[-MOST:], *first[:1], *first[-1:], *second[:2], *freed[:MOST], *single)
        return tuple(sorted([*dict.fromkeys((*told, *(e.pages[0] for e in taken), *range(FEW)))][:FEW]))


def shared_release(history: History) -> PagesFree | None:
    """The first release of a page that others still hold."""
    return next((e for e in history.events(PagesFree, work="cleanup") if min(e.refs) > 0), None)
