"""Tables that grow by rows while events are read, and are arrays once they are asked."""

from array import array
from collections.abc import Sequence

import numpy as np


class Columns:
    """Whole numbers in named columns: `table.seq` is int64 [rows].

    Columns are made when they are first read after a change.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self._place = {name: place for place, name in enumerate(names)}
        self._columns = [array("q") for _ in names]
        self._read: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, *values: int) -> int:
        """Append a row, in the order of `names`; returns its index."""
        row = len(self._columns[0])
        for column, value in zip(self._columns, values, strict=True):
            column.append(value)
        if self._read:
            self._read = {}
        return row

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in self._place:
            raise AttributeError(name)
        if name not in self._read:
            self._read[name] = self._array(name)
        return self._read[name]

    def _array(self, name: str) -> np.ndarray:
        return np.array(self._columns[self._place[name]], dtype=np.int64)

    def rows(self, places: np.ndarray) -> "Columns":
        """The rows at `places` as a table of its own."""
        some = Columns(*self.names)
        for name, column in zip(self.names, some._columns, strict=True):
            column.frombytes(getattr(self, name)[places].tobytes())
        return some


class Runs(Columns):
    """A table that grows by runs of rows: of each row its own are the columns `each`, of all of a run the columns
    `same`; the columns `later` begin as a number, or as another column, and are changed afterwards."""

    def __init__(self, each: tuple[str, ...], same: tuple[str, ...], later: dict[str, int | str]) -> None:
        super().__init__(*each, *same, *later)
        self._each, self._same = self._columns[: len(each)], self._columns[len(each) : len(each) + len(same)]
        self._counts, self._later = array("q"), later
        self._changes = {name: (array("q"), array("q"), array("q")) for name in later}

    def extend(self, each: Sequence[Sequence[int]], *same: int) -> range:
        """Append a run of rows: the columns of their own, and what they share; returns their indices."""
        first = len(self)
        for column, values in zip(self._each, each, strict=True):
            column.extend(values)
        for column, value in zip(self._same, same, strict=True):
            column.append(value)
        count = len(self) - first
        self._counts.append(count)
        self._read = {}
        return range(first, first + count)

    def change(self, name: str, rows: Sequence[int], value: int) -> None:
        """Change one number in each of several rows to the same."""
        if rows:
            changed, values, counts = self._changes[name]
            changed.extend(rows)
            values.append(value)
            counts.append(len(rows))
            self._read = {}

    def _array(self, name: str) -> np.ndarray:
        if name not in self._later:
            told = super()._array(name)
            return told if self._place[name] < len(self._each) else np.repeat(told, self._counts)
        begun = self._later[name]
        found = getattr(self, begun).copy() if isinstance(begun, str) else np.full(len(self), begun, np.int64)
        rows, values, counts = self._changes[name]
        found[np.array(rows, np.int64)] = np.repeat(np.array(values, np.int64), counts)
        return found
