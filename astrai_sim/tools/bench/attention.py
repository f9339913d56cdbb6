"""Attention over gathered pages against attention over one contiguous tensor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch

from astrai_sim.engine.cache import CacheView, PagedCache, pages_for
from astrai_sim.model.layers import attend
from astrai_sim.tools.bench.measure import Comparison, compare, timed

N_HEADS, N_KV_HEADS, HEAD_DIM, PAGE_SIZE = 8, 4, 64, 64
CASES = ((1, 256), (1, 1024), (8, 256), (8, 1024))


def attention(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """One layer's decode step for batches and lengths of `CASES`, in the dtype of the films."""
    generator = torch.Generator().manual_seed(0)
    dtype = torch.bfloat16
    for batch, length in CASES:
        per_task = pages_for(length, PAGE_SIZE)
        cache = PagedCache(1, batch * per_task, PAGE_SIZE, N_KV_HEADS, HEAD_DIM, device, dtype)
        order = torch.randperm(batch * per_task, generator=generator).view(batch, per_task)
        view = CacheView(cache, order.tolist(), [0] * batch, [length] * batch)
        shape = (batch, length, N_KV_HEADS, HEAD_DIM)
        keys, values = (torch.randn(shape, generator=generator).to(device, dtype) for _ in range(2))
        view.write(0, keys, values)
        query = torch.randn(batch, 1, N_HEADS, HEAD_DIM, generator=generator).to(device, dtype)
        runs = {
            "dense": timed(lambda q=query, k=keys, v=values: attend_all(q, zip(k, v, strict=True)), device),
            "paged": timed(lambda q=query, view=view: attend_all(q, view.gather(0)), device),
        }
        yield from compare(f"{batch} × {length} tokens", runs, rounds)


@torch.inference_mode()
def attend_all(query: torch.Tensor, rows: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Attention of one new token of each sequence over its K and V, as the decoder calls it."""
    return torch.stack([attend(q, keys, values) for q, (keys, values) in zip(query, rows, strict=True)])
