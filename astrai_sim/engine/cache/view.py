"""Page arithmetic, and what attention layers see of the cache during one forward pass."""

from collections.abc import Iterator, Sequence

import torch


def pages_for(n_tokens: int, page_size: int) -> int:
    """Pages that `n_tokens` slots need: the ceiling of n_tokens / page_size.

    Both are counts of token slots; the result is a count of pages.
    """
    full, rest = divmod(n_tokens, page_size)
    n_pages = full + (rest > 0)
    return n_pages


def padded(tables: Sequence[Sequence[int]]) -> torch.Tensor:
    """Page tables as one rectangle, int64 [B, P]: -1 fills up the shorter ones."""
    width = max(map(len, tables))
    return torch.tensor([[*table, *[-1] * (width - len(table))] for table in tables])


def check_room(tables: Sequence[Sequence[int]], starts: Sequence[int], counts: Sequence[int], page_size: int) -> None:
    """Raise IndexError where a sequence's tokens need more pages than its table has.

    Told here, because an index out of range ends a CUDA context instead of one call.
    """
    for table, start, count in zip(tables, starts, counts, strict=True):
        if start + count > len(table) * page_size:
            raise IndexError(f"{start + count} tokens do not fit {len(table)} pages")


class CacheView:
    """Binds a batch of sequences to the cache: attention writes and gathers by layer only.

    `cache` is the `PagedCache` that holds their K and V; `tables` has each sequence's page table, which may differ in
    length, `starts` and `counts` the position of its first new token and how many there are.
    `page_table` has shape [B, P], -1 beyond a sequence's table; `positions` has shape [B, max(counts)], -1 where a
    sequence has no token; `lengths` has shape [B]: tokens in the cache once this pass has written. All are int64.
    Raises IndexError as `check_room` does.
    """

    # Films show this function line by line.
    def __init__(self, cache, tables, starts, counts):
        check_room(tables, starts, counts, cache.page_size)
        self.cache, device = cache, cache.k_cache.device
        self.page_table = padded(tables).to(device)
        start = torch.tensor(starts, device=device)
        count = torch.tensor(counts, device=device)
        self.lengths = start + count
        offset = torch.arange(max(counts), device=device)
        position = start[:, None] + offset
        self.positions = position.where(offset < count[:, None], -1)

    def write(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Store k, v of shape [B, S, n_kv_heads, head_dim] for this pass's tokens."""
        self.cache.write(layer, self.page_table, self.positions, k, v)

    def gather(self, layer: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """K and V so far of each sequence: two tensors of shape [its length, n_kv_heads, head_dim]."""
        lengths = self.lengths.tolist()
        k, v = self.cache.gather(layer, self.page_table, self.lengths)
        return zip(k.split(lengths), v.split(lengths), strict=True)

    def masks(self) -> list[torch.Tensor]:
        """Causal mask of each sequence, bool [its count, its length]: True where a query may look."""
        key = torch.arange(int(self.lengths.max()), device=self.lengths.device)
        rows = zip(self.positions, self.lengths.tolist(), strict=True)
        return [key[:length] <= row[row >= 0, None] for row, length in rows]
