"""Pages as they came and went: taken down event by event, and worked out for the whole run at once."""

from array import array
from dataclasses import dataclass

import numpy as np

from astrai_sim.trace.events import Paged
from scenes.story.history.columns import Columns

ALLOC, REF, REVIVED, FREE, CACHED, EVICTED, EMPTIED = range(7)
"""What happens to a page: it comes, is let go, or loses its content."""


@dataclass(frozen=True, eq=False)
class Holds:
    """Who held which page, in the order in which they began, all int64: see `Pages`."""

    page: np.ndarray
    task: np.ndarray
    logical: np.ndarray
    begin: np.ndarray
    shown: np.ndarray
    end: np.ndarray
    taken: np.ndarray
    left: np.ndarray
    decode: np.ndarray

    def __len__(self) -> int:
        return len(self.page)


@dataclass(frozen=True, eq=False)
class Contents:
    """What pages contained, as `Holds`."""

    page: np.ndarray
    task: np.ndarray
    logical: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.page)


@dataclass(frozen=True, eq=False)
class Kept:
    """When pages were cached, as `Holds`."""

    page: np.ndarray
    begin: np.ndarray
    end: np.ndarray

    def __len__(self) -> int:
        return len(self.page)


@dataclass(frozen=True, eq=False)
class Evicted:
    """Pages that lost their content to somebody else: when, and the row of `Contents` it was in, -1 for none."""

    seq: np.ndarray
    page: np.ndarray
    content: np.ndarray

    def __len__(self) -> int:
        return len(self.page)


@dataclass(frozen=True, eq=False)
class Lives:
    """What became of all pages, and most of them in use and cached at once; `allocs` and `frees` count pages."""

    holds: Holds
    contents: Contents
    kept: Kept
    evicted: Evicted
    allocs: int
    frees: int
    most_in_use: int
    most_cached: int


class Moves:
    """Takes down what happened to pages, an entry for each page of an event; `tables` are events that show a table up
    to a last entry."""

    def __init__(self) -> None:
        self._events = Columns("seq", "pages", "how", "task", "logical", "decode")
        self._pages, self._refs = array("q"), array("q")
        self.tables = Columns("seq", "task", "logical")

    def add(self, event: Paged, how: int, refs: list[int], task: int = -1, decode: bool = False) -> None:
        """What happened to the pages of an event, with their refcounts afterwards; task -1: they are in no table."""
        pages, logical = event.pages, event.logical
        self._pages.fromlist(pages)
        self._refs.fromlist(refs)
        self._events.add(event.seq, len(pages), how, task, -1 if logical is None else logical, decode)

    def reset(self, seq: int) -> None:
        """All cached pages lose their content."""
        how, page, ref = self._entries()
        known = np.flatnonzero((how < FREE) | (how >= EVICTED) | (how == CACHED) & (ref == 0))[::-1]
        pages, latest = np.unique(page[known], return_index=True)
        cached = pages[how[known[latest]] == CACHED].tolist()
        self._pages.fromlist(cached)
        self._refs.fromlist([0] * len(cached))
        self._events.add(seq, len(cached), EMPTIED, -1, -1, False)

    def _entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of each entry what happened, int8, the page and its refcount, int32."""
        how = np.repeat(self._events.how.astype(np.int8), self._events.pages)
        return how, np.array(self._pages, np.int32), np.array(self._refs, np.int32)

    def lives(self, last: int) -> Lives:
        """What became of all pages by the last event; what is not over ends after it.

        Raises LookupError where a request lets a page go that it does not have.
        """
        told, (how, page, ref), over = self._events, self._entries(), last + 1
        seq, task, first, start, decode = (
            np.repeat(column.astype(np.int32), told.pages)
            for column in (told.seq, told.task, told.logical, np.cumsum(told.pages) - told.pages, told.decode)
        )
        comes, goes, tabled = how < FREE, (how == FREE) | (how == CACHED), task >= 0
        gone = goes & (ref == 0)
        within = np.arange(len(page), dtype=np.int32) - start
        logical = first + np.where(comes, within, -within)

        rows, moved = comes & tabled, np.flatnonzero((comes | goes) & tabled)
        n_entries = 2 + int(max(logical.max(initial=0), self.tables.logical.max(initial=0)))  # one for none
        entry = task.astype(np.int64) * n_entries + logical
        end, left = np.full(len(page), over, np.int32), np.zeros(len(page), np.int8)
        at, after = neighbours(entry[moved], moved)
        followed = np.zeros(len(page), bool)
        followed[after[comes[at]]] = True
        if not followed[moved[goes[moved]]].all():
            raise LookupError("a page is let go that is not in the table at that place")
        end[at] = seq[after]
        left[at] = np.where(ref[after] > 0, 1, how[after] - 1)
        where = page[rows], task[rows], logical[rows], seq[rows]
        shown = self._shown(entry[rows], n_entries, seq[rows]) if len(self.tables) else seq[rows]
        holds = Holds(*map(_long, (*where, shown, end[rows], how[rows], left[rows], decode[rows])))

        kept = gone & (how == CACHED)
        at, after = neighbours_among(kept | comes | (how >= EVICTED) if kept.any() else kept, page)
        until = np.full(len(page), over, np.int32)
        until[at] = seq[after]

        made, evicted = (how == ALLOC) & tabled, how == EVICTED
        at, after = neighbours_among((how == ALLOC) | gone & (how == FREE) | (how >= EVICTED), page)
        end, content = (np.full(len(page), number, np.int32) for number in (over, -1))
        end[at] = seq[after]
        content[after] = np.where(made, np.cumsum(made, dtype=np.int32) - 1, -1)[at]

        in_use = np.cumsum(comes & (ref == 1), dtype=np.int32) - np.cumsum(gone, dtype=np.int32)
        after_takes = in_use[(np.cumsum(told.pages) - 1)[(told.how < FREE) & (told.pages > 0)]]
        at_once = np.searchsorted(seq[kept], seq[kept], "right")
        at_once -= np.searchsorted(np.sort(until[kept]), seq[kept], "right")
        return Lives(
            holds,
            Contents(*(_long(column[made]) for column in (page, task, logical, seq, end))),
            Kept(*(_long(column[kept]) for column in (page, seq, until))),
            Evicted(*(_long(column[evicted]) for column in (seq, page, content))),
            *(int(np.count_nonzero(how == ALLOC)), int(np.count_nonzero(gone & (how == FREE)))),
            *(int(after_takes.max(initial=0)), int(at_once.max(initial=0))),
        )

    def _shown(self, entry: np.ndarray, n_entries: int, begin: np.ndarray) -> np.ndarray:
        """When tables showed entries, task times `n_entries` plus place, that began at `begin`: at once, where no event
        says so."""
        tables, shown = self.tables, begin.copy()
        keys = np.concatenate([entry, tables.task * n_entries + tables.logical])
        order = np.lexsort((np.concatenate([begin, tables.seq]), keys))
        began = order < len(entry)
        row = order[np.maximum.accumulate(np.where(began, np.arange(len(order)), 0))]
        told = ~began & (keys[row] == keys[order])
        shown[row[told]] = tables.seq[order[told] - len(entry)]
        return shown


def _long(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(np.int64)


def neighbours(keys: np.ndarray, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of things with whole-number `keys` at different `places`: each place with the next one that has the same key."""
    span = 1 + int(places.max(initial=0))
    ordered = keys.astype(np.int64)
    ordered *= span
    ordered += places
    ordered.sort()
    keys = ordered // span
    same = keys[1:] == keys[:-1]
    keys *= span
    ordered -= keys
    return ordered[:-1][same], ordered[1:][same]


def neighbours_among(some: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`neighbours` among those places for which `some`, bool, is true."""
    places = np.flatnonzero(some)
    return neighbours(keys[places], places)
