"""What attention layers see of a cache on a device that works behind the host: they wait for nothing."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch

from astrai_sim.engine.cache.view import CacheView, check_room, padded


class Slots(Protocol):
    """What of a `PagedCache` is used here: K and V by slot, counted over the whole pool."""

    page_size: int
    k_cache: torch.Tensor

    def put(self, layer: int, slot: torch.Tensor, token: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> None: ...

    def take(self, layer: int, slot: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...


def sent(numbers: torch.Tensor, device: torch.device) -> torch.Tensor:
    """`numbers` on `device`, without waiting until they are there: what comes after them in its queue finds them.

    A CUDA device copies by itself from pinned memory only.
    """
    if device.type == "cuda":
        numbers = numbers.pin_memory()
    return numbers.to(device, non_blocking=True)


class QueuedView(CacheView):
    """A `CacheView` that never waits for the device, and works out once a pass, for all layers, where tokens lie.

    The host knows the lengths, `ends`, so it asks the device for none. `new` has the slot of each of the pass's tokens,
    counted over the whole pool, and `token` its row of K and V; `slots` has those of all tokens so far, one sequence
    after the other. All three are int64 and on the device. Raises IndexError as `check_room` does.
    """

    # Films of runs on such a device show this function line by line.
    def __init__(
        self, cache: Slots, tables: Sequence[Sequence[int]], starts: Sequence[int], counts: Sequence[int]
    ) -> None:
        check_room(tables, starts, counts, cache.page_size)
        self.cache, device = cache, cache.k_cache.device
        self.counts = list(counts)
        self.ends = list(map(sum, zip(starts, counts, strict=True)))
        self.page_table = sent(padded(tables), device)
        start, count = sent(torch.tensor([starts, counts]), device)
        self.lengths = start + count
        offset = torch.arange(max(counts), device=device)
        position = start[:, None] + offset
        self.positions = position.where(offset < count[:, None], -1)
        row, col = spread(count, sum(counts))
        self.token = row * max(counts) + col
        self.new = self._slot(row, start[row] + col)
        self.slots = self._slot(*spread(self.lengths, sum(self.ends)))

    def _slot(self, row: torch.Tensor, pos: torch.Tensor) -> torch.Tensor:
        """Where position `pos` of sequence `row` lies, counted over the pool's slots."""
        size = self.cache.page_size
        page = self.page_table[row, pos // size]
        return page * size + pos % size

    def write(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Store k, v of shape [B, S, n_kv_heads, head_dim] for this pass's tokens."""
        self.cache.put(layer, self.new, self.token, k, v)

    def gather(self, layer: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """K and V so far of each sequence: two tensors of shape [its length, n_kv_heads, head_dim]."""
        k, v = self.cache.take(layer, self.slots)
        return zip(k.split(self.ends), v.split(self.ends), strict=True)

    def masks(self) -> list[torch.Tensor]:
        """Causal mask of each sequence, bool [its count, its length]: True where a query may look."""
        key = torch.arange(max(self.ends), device=self.lengths.device)
        rows = zip(self.positions, self.counts, self.ends, strict=True)
        return [key[:end] <= position[:count, None] for position, count, end in rows]


def spread(counts: torch.Tensor, total: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Row and column of each item of rows that have so many, `total` in all: 0 0 0 1 1, and 0 1 2 0 1, of 3 and 2.

    The sum is handed in because the device would have to be asked for it.
    """
    row = torch.repeat_interleave(counts, output_size=total)
    first = counts.cumsum(0) - counts
    return row, torch.arange(total, device=counts.device) - first[row]
