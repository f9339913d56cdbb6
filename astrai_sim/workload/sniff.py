"""Which format a workload has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TextIO

from astrai_sim.workload.mooncake import mooncake
from astrai_sim.workload.request import LoadRequest
from astrai_sim.workload.table import AZURE, BURSTGPT, azure, burstgpt

Reader = Callable[[TextIO], Iterator[tuple[int, LoadRequest]]]
KINDS: dict[str, Reader] = {"azure": azure, "burstgpt": burstgpt, "mooncake": mooncake}


def sniff(first: str) -> str | None:
    """The kind of the workload whose first line is `first`; None if it is none of them."""
    if first.lstrip().startswith("{"):
        return "mooncake"
    names = [name.strip() for name in first.split(",")]
    for kind, columns in (("azure", AZURE), ("burstgpt", BURSTGPT)):
        if columns[0] in names:
            return kind
    return None
