"""Tables that grow by rows while events are read, and are arrays once they are asked."""

from array import array
from collections.abc import Iterable, Sequence

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

    def extend(self, count: int, *values: int | Sequence[int]) -> range:
        """Append so many rows: of each column one number that is in all of them, or all; returns their indices."""
        first = len(self._columns[0])
        for column, value in zip(self._columns, values, strict=True):
            if count == 1:
                column.append(value if isinstance(value, int) else value[0])
            else:
                column.extend(array("q", (value,)) * count if isinstance(value, int) else value)
        self._read = {}
        return range(first, first + count)

    def put(self, name: str, row: int, value: int) -> None:
        """Change one number."""
        self._columns[self._place[name]][row] = value
        if self._read:
            self._read = {}

    def fill(self, name: str, rows: Iterable[int], value: int) -> None:
        """Change one number in each of several rows to the same."""
        column = self._columns[self._place[name]]
        for row in rows:
            column[row] = value
        self._read = {}

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
