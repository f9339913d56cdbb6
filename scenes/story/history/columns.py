"""Tables that grow by rows while events are read, and are arrays once they are asked."""

from __future__ import annotations

from array import array

import numpy as np


class Columns:
    """Whole numbers in named columns: `table.seq` is int64 [rows], a column of 64-bit numbers.

    Reading a column is free; rows may still be added afterwards, which makes it anew.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self._data = {name: array("q") for name in names}
        self._read: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._data[self.names[0]])

    def add(self, *values: int) -> int:
        """Append a row, in the order of `names`; returns its index."""
        for column, value in zip(self._data.values(), values, strict=True):
            column.append(value)
        return len(self) - 1

    def put(self, name: str, row: int, value: int) -> None:
        """Change one number."""
        self._data[name][row] = value

    def get(self, name: str, row: int) -> int:
        """One number, while rows are being added."""
        return self._data[name][row]

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in self._data:
            raise AttributeError(name)
        column = self._read.get(name)
        if column is None or len(column) < len(self):
            column = self._read[name] = np.array(self._data[name], dtype=np.int64)
        return column
