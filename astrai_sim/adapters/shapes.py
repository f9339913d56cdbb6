"""Duck typing: what an adapter needs of an engine, and the first thing that it lacks, in words."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

Needs = Mapping[str, str]
"""Attributes, separated by blanks, of each object that is reached from the engine by a dotted path ("" is itself)."""


def found(engine: Any, needs: Needs) -> tuple[int, str | None]:
    """How many of the attributes are there before the first that is missing, and that one, in words."""
    count = 0
    for path, names in needs.items():
        owner = attrgetter(path)(engine) if path else engine
        for name in names.split():
            if not hasattr(owner, name):
                where = f" at .{path}" if path else ""
                return count, f"the {type(owner).__name__}{where} has no attribute {name!r}"
            count += 1
    return count, None
