"""What is known to be there."""

from typing import TypeVar

T = TypeVar("T")


def sure(value: T | None) -> T:
    """`value`, which a trace is known to have where it is asked for."""
    assert value is not None
    return value
