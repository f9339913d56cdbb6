"""Tables that grow by rows while events are read, and are arrays once they are asked."""

from array import array
from collections.abc import Iterable

import numpy as np


class Columns:
    """Whole numbers in named columns: `table.seq` is int64 [rows].

    Columns are made when they are first read after a change.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self._flat = array("q")
        self._place = {name: place for place, name in enumerate(names)}
        self._read: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._flat) // len(self.names)

    def add(self, *values: int) -> int:
        """Append a row, in the order of `names`; returns its index."""
        row = len(self._flat) // len(values)
        self._flat.extend(values)
        if self._read:
            self._read = {}
        return row

    def extend(self, numbers: Iterable[int]) -> range:
        """Append rows, one number after another; returns their indices."""
        first = len(self)
        self._flat.extend(numbers)
        self._read = {}
        return range(first, len(self))

    def put(self, name: str, row: int, value: int) -> None:
        """Change one number."""
        self._flat[row * len(self.names) + self._place[name]] = value
        if self._read:
            self._read = {}

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in self._place:
            raise AttributeError(name)
        if name not in self._read:
            rows = np.array(self._flat, dtype=np.int64).reshape(-1, len(self.names))
            self._read = dict(zip(self.names, np.ascontiguousarray(rows.T), strict=True))
        return self._read[name]

    def rows(self, places: np.ndarray) -> "Columns":
        """The rows at `places` as a table of its own."""
        some = Columns(*self.names)
        some._flat.frombytes(np.stack([getattr(self, name)[places] for name in self.names], axis=1).tobytes())
        return some
