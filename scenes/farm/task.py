"""A piece of work that any process can do: it reads files, known by their digests, and writes one."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

Files = Mapping[str, Path]
"""Where files lie for whoever does the work, by the SHA-256 of their bytes."""


class WorkersLost(Exception):
    """Those who work are gone, cannot be reached, or are of other versions; the message says what to do."""


class Stopped(Exception):
    """What is being done is not wanted any more."""


@dataclass(frozen=True)
class Input:
    """A file that a task reads, and the SHA-256 of its bytes."""

    path: Path
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """The file as it is now. Raises OSError where it cannot be read."""
        return cls(path, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True)
class Task:
    """`work(files, output)` reads the `inputs` and writes the file `output`, whole or not at all.

    `seconds` is how much of a film it makes, `cost` how many seconds it is expected to take. `work` is pickled, so it
    is made of functions and values of importable modules; what it gives is small and can be pickled.
    """

    work: Callable[[Files, Path], Any]
    inputs: tuple[Input, ...]
    output: Path
    seconds: float
    cost: float


@dataclass(frozen=True)
class Done:
    """`worker` did a task in `took` seconds; the work gave `value`, and `content` where it cannot write here."""

    worker: str
    took: float
    value: Any = None
    content: bytes | None = None


@dataclass(frozen=True)
class Current:
    """What a task can tell while it is being done, film seconds made so far, and whether it is to end."""

    report: Callable[[float], None] = lambda seconds: None
    stopping: Callable[[], bool] = lambda: False


_current: ContextVar[Current | None] = ContextVar("current", default=None)


def current() -> Current:
    """Of the task that is being done here; without one nobody listens."""
    return _current.get() or Current()


@contextmanager
def doing(task: Current) -> Iterator[None]:
    """Within this, `current` gives `task`."""
    token = _current.set(task)
    try:
        yield
    finally:
        _current.reset(token)
