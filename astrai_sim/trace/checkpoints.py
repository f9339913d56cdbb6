"""States kept on the way through a trace, in few bytes, so that any other is near one of them."""

import zlib
from itertools import chain
from typing import Any

import numpy as np

from astrai_sim.trace.state import State
from astrai_sim.trace.tasks import TaskState

SPACING, MOST = 256, 512
"""Events between two of them at least, and how many are kept at most."""
WHOLE = 32
"""Of so many, one has all requests and the others those that changed since the one before."""
FAST = 1
"""Level of zlib: what is packed is mostly runs of equal numbers."""


class Packed:
    """A state but for its requests, with arrays, tables and LRU packed; `tasks` are requests as they were."""

    def __init__(self, state: State, tasks: dict[str, TaskState]) -> None:
        self.tasks = tasks
        held = {name: value for name, value in vars(state).items() if name != "_tasks"}
        tables: dict[str, list[int]] = held.pop("tables")
        self._entries = [(name, len(pages)) for name, pages in tables.items()]
        self._held = _small(np.fromiter(chain.from_iterable(tables.values()), np.int32))
        self._cached = _small(np.fromiter(held.pop("_cached"), np.int32))
        self._arrays = {name: _pack(value) for name, value in held.items() if isinstance(value, np.ndarray)}
        self._plain = {name: _own(value) for name, value in held.items() if name not in self._arrays}

    def unpacked(self, tasks: dict[str, TaskState]) -> State:
        """The state, with these requests."""
        state = State(self._plain["n_pages"], self._plain["page_size"])
        vars(state).update((name, _own(value)) for name, value in self._plain.items())
        vars(state).update((name, _unpack(packed)) for name, packed in self._arrays.items())
        pages, at = self._held.tolist(), 0
        for name, count in self._entries:
            state.tables[name] = pages[at : at + count]
            at += count
        vars(state).update(_tasks=tasks, _cached=dict.fromkeys(self._cached.tolist()))
        return state


class Checkpoints:
    """States of a trace with so many `events`, `first` being the one before them."""

    def __init__(self, first: State, events: int) -> None:
        self.spacing = max(SPACING, -(-events // MOST))
        self._kept: list[Packed] = []
        self.passed(0, first)

    def passed(self, done: int, state: State) -> None:
        """Keep the state after `done` events, where it is the next that is due."""
        if done != len(self._kept) * self.spacing:
            return
        changed = state.changed()
        whole = len(self._kept) % WHOLE == 0
        self._kept.append(Packed(state, dict(state.tasks) if whole else changed))

    def nearest(self, done: int) -> tuple[int, State]:
        """The latest that is kept up to `done` events, and after how many it is. A state of its own."""
        number = min(done // self.spacing, len(self._kept) - 1)
        tasks: dict[str, TaskState] = {}
        for kept in self._kept[number - number % WHOLE : number + 1]:
            tasks.update(kept.tasks)
        return number * self.spacing, self._kept[number].unpacked(tasks)


def _own(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, set)) else value


def _small(numbers: np.ndarray) -> np.ndarray:
    """The same in as few bytes a number as hold them."""
    if not len(numbers):
        return numbers
    return numbers.astype(np.result_type(np.min_scalar_type(numbers.min()), np.min_scalar_type(numbers.max())))


def _pack(array: np.ndarray) -> tuple[bytes, np.dtype, np.dtype]:
    small = _small(array)
    return zlib.compress(small.tobytes(), FAST), small.dtype, array.dtype


def _unpack(packed: tuple[bytes, np.dtype, np.dtype]) -> np.ndarray:
    content, small, dtype = packed
    return np.frombuffer(bytearray(zlib.decompress(content)), small).astype(dtype, copy=False)
