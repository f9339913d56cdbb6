"""What attention layers see of the cache during one forward pass."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from astrai_sim.engine.cache.paged_cache import PagedCache


class CacheView:
    """Binds a batch of sequences to the cache: attention writes and gathers by layer only.

    Parameters
    ----------
    tables
        Page table of each sequence; may differ in length.
    starts, counts
        For each sequence the position of its first new token and how many there are.

    `positions` has shape [B, max(counts)], -1 where a sequence has no token;
    `lengths` has shape [B]: tokens in the cache once this pass has written.

    Raises IndexError where a sequence's tokens need more pages than its table has; told
    here, because an index out of range ends a CUDA context instead of one call.
    """

    def __init__(
        self, cache: PagedCache, tables: Sequence[Sequence[int]], starts: Sequence[int], counts: Sequence[int]
    ) -> None:
        self.cache = cache
        for table, start, count in zip(tables, starts, counts, strict=True):
            if start + count > len(table) * cache.page_size:
                raise IndexError(f"{start + count} tokens do not fit {len(table)} pages")
        device = cache.k_cache.device
        width = max(len(table) for table in tables)
        padded = [[*table, *[-1] * (width - len(table))] for table in tables]
        self.page_table = torch.tensor(padded, dtype=torch.int64, device=device)
        start = torch.tensor(starts, dtype=torch.int64, device=device)[:, None]
        count = torch.tensor(counts, dtype=torch.int64, device=device)[:, None]
        offset = torch.arange(max(counts), device=device)[None, :]
        self.positions = torch.where(offset < count, start + offset, -1)
        self.lengths = (start + count)[:, 0]

    def write(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Store k, v of shape [B, S, n_kv_heads, head_dim] for this pass's tokens."""
        self.cache.write(layer, self.page_table, self.positions, k, v)

    def gather(self, layer: int) -> tuple[torch.Tensor, torch.Tensor]:
        """K and V so far: two tensors of shape [B, max(lengths), n_kv_heads, head_dim]."""
        return self.cache.gather(layer, self.page_table, self.lengths)

    def mask(self) -> torch.Tensor:
        """Causal mask of shape [B, 1, S, max(lengths)]: True where a query may look.

        Queries that are padding may look at position 0, so that no row is empty.
        """
        key = torch.arange(int(self.lengths.max()), device=self.lengths.device)
        query = self.positions.clamp(min=0)
        return (key[None, None, :] <= query[:, :, None])[:, None]
