"""What is shown against what the trace says, value by value."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.truth import SHOWN, Witness

CLOSE = 1e-4
"""How near numbers must be that are read back from where something is drawn."""
NAMED = 3


@dataclass(frozen=True)
class Difference:
    """One thing shown that was not recorded so."""

    field: str
    shown: object
    recorded: object


def differences(shown: Mapping[str, Any], witness: Witness, at: int) -> Iterator[Difference]:
    """Everything in `shown`, as `Stage.read` returns it, that differs from what `scenes.truth`
    says of the moment after event `at`.

    A part that is not on stage is absent from `shown` and is not compared. A field that nobody
    knows is a difference: nothing is shown unchecked.
    """
    for field in shown:
        if field not in SHOWN:
            yield Difference(field, "shown", "not compared: add it to scenes.truth")
            continue
        yield from apart(field, shown[field], truth_of(field, shown, witness, at))


def truth_of(field: str, shown: Mapping[str, Any], witness: Witness, at: float) -> Any:
    """What a field should show; in words what is wrong where that cannot be said."""
    try:
        return SHOWN[field](witness, at, shown)
    except LookupError as error:
        return f"nothing: {error}"


def apart(field: str, shown: Any, truth: Any) -> Iterator[Difference]:
    """Where the two differ: entry by entry of a dict, cell by cell of a table of colours."""
    if isinstance(shown, Mapping) and isinstance(truth, Mapping):
        for key in [*shown, *(key for key in truth if key not in shown)]:
            name = ", ".join(map(str, key)) if isinstance(key, tuple) else key
            a, b = shown.get(key, "not shown"), truth.get(key, "nothing")
            if not same(a, b):
                yield Difference(f"{field}[{name}]", _written(a), _written(b))
    elif isinstance(shown, np.ndarray) and isinstance(truth, np.ndarray) and shown.shape == truth.shape:
        wrong = np.flatnonzero(np.any(np.abs(shown - truth) > CLOSE, axis=1))
        for row in wrong[:NAMED]:
            yield Difference(f"{field}[{row}]", _written(shown[row]), _written(truth[row]))
        if len(wrong) > NAMED:
            yield Difference(field, f"{len(wrong)} others", "none")
    elif not same(shown, truth):
        yield Difference(field, _written(shown), _written(truth))


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal, numbers read from a drawing nearly; lists are as good as tuples."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and bool(np.all(np.abs(np.subtract(a, b, dtype=float)) <= CLOSE))
    if isinstance(a, Sequence) and isinstance(b, Sequence) and not isinstance(a, str) and not isinstance(b, str):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, int | float):
        return abs(a - b) <= CLOSE
    return bool(a == b)


def _written(value: Any) -> Any:
    """Slots as ranges, both ends included (`0-55`, `none`), colours in hex; others as they are."""
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype != bool:
        return "#" + bytes(np.rint(value * 255).astype(np.uint8)).hex().upper() if value.ndim == 1 else value.shape
    edges = np.flatnonzero(np.diff(np.concatenate([[0], value.astype(int), [0]])))
    return " ".join(f"{a}-{b - 1}" for a, b in zip(edges[::2], edges[1::2], strict=True)) or "none"
