"""Tables that grow by rows while events are read, and are arrays once they are asked."""

from array import array

import numpy as np


class Columns:
    """Whole numbers in named columns: `table.seq` is int64 [rows].

    Columns are made when they are first read after a change.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self._place = {name: place for place, name in enumerate(names)}
        self._numbers = array("q")
        self._read: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._numbers) // len(self.names)

    def add(self, *values: int) -> None:
        """Append a row, in the order of `names`."""
        self._numbers.extend(values)
        if self._read:
            self._read = {}

    def __getattr__(self, name: str) -> np.ndarray:
        if name.startswith("_") or name not in self._place:
            raise AttributeError(name)
        if name not in self._read:
            self._read[name] = self._array(name)
        return self._read[name]

    def _array(self, name: str) -> np.ndarray:
        return np.array(self._numbers, dtype=np.int64)[self._place[name] :: len(self.names)].copy()
