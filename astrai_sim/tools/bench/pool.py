"""What a page costs to take and to return, by the size of the pool."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from astrai_sim.engine.cache import PagedCache
from astrai_sim.tools.bench.measure import Comparison, Timed, compare, timed

SIZES = (8, 1024, 65536)
TIMES = 2000


def pool(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """`alloc` and `free` in pools of `SIZES` pages of which the lower half is in use.

    Both only touch the pool's bookkeeping, which lives on the CPU whatever the device.
    """
    runs = {f"{size:,} pages": _half_used(size) for size in SIZES}
    yield from compare(f"{TIMES:,} times", runs, rounds)


def _half_used(size: int) -> Timed:
    cache = PagedCache(1, size, 1, 1, 1, "meta", torch.bfloat16)
    cache.alloc_n(size // 2)

    def take_and_return() -> None:
        for _ in range(TIMES):
            cache.free(cache.alloc())

    return timed(take_and_return, torch.device("cpu"))
