"""What pages hold: which tokens were computed into them, after which others."""

from collections.abc import Mapping, Sequence

from astrai_sim.trace import events as ev
from astrai_sim.trace.state import State
from astrai_sim.trace.verify.prefixes import Prefixes

PARTLY = -1
"""Content of a page into which less than all was computed since it held something else."""


class Contents:
    """Numbers for what full pages hold: two have the same one exactly when their tokens, and all before, are the same.

    `of` has the number of each page that was computed to its end; it outlasts letting the page go, as the content does.
    """

    def __init__(self, state: State, page_size: int) -> None:
        self.of: dict[int, int] = {}
        self._state, self._size = state, page_size
        self._prefixes = Prefixes(page_size)
        self._chains: dict[str, list[int]] = {}
        self._alone: dict[int, int] = {}

    def chain(self, task: str, full_pages: int) -> list[int]:
        """Numbers of a request's first `full_pages`, as far as its tokens fill them; none where ids are not told."""
        known = self._state.tasks.get(task)
        ids = known.log.ids if known else None
        if ids is None:
            return []
        chain, size = self._chains.setdefault(task, []), self._size
        known_before = len(chain)
        self._prefixes.extend(chain, ids, min(full_pages, len(ids) // size))
        for i in range(known_before, len(chain)):
            self._alone[chain[i]] = self._prefixes.extend([], ids[i * size : (i + 1) * size], 1)[0]
        return chain[:full_pages]

    def alone(self, content: int) -> int | None:
        """The number of the tokens in a page with this content, whatever is before them."""
        return self._alone.get(content)

    def forget(self, task: str) -> None:
        """A request is over: its tokens are not needed any more."""
        self._chains.pop(task, None)
        if (known := self._state.tasks.get(task)) and known.status == "finished":
            known.log.ids = None

    def take(self, event: ev.Event, tables: Mapping[str, Sequence[int]]) -> None:
        """Take in what an event says of contents, with the `tables` and the state before it."""
        if isinstance(event, ev.KvWrite):
            for span in event.spans:
                for i, (page, _, high) in enumerate(span.slots):
                    self._wrote(page, span.task, span.start // self._size + i, high == self._size)
        elif isinstance(event, ev.KvLengths):
            for task, count in zip(event.tasks, event.counts, strict=True):
                known = self._state.tasks[task]
                if known.log.ids is None:
                    continue
                start = known.stored
                for logical, page in enumerate(tables.get(task, ())[start // self._size :], start // self._size):
                    end = start + count - logical * self._size
                    if end > 0:
                        self._wrote(page, task, logical, end >= self._size)

    def _wrote(self, page: int, task: str, logical: int, whole: bool) -> None:
        chain = self.chain(task, logical + 1) if whole else ()
        if not whole:
            self.of[page] = PARTLY
        elif logical < len(chain):
            self.of[page] = chain[logical]
        else:
            self.of.pop(page, None)
