"""Logits through the paged cache and through a plain contiguous one, for comparison."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from astrai_sim.engine.cache import CacheView, PagedCache, pages_for
from astrai_sim.model import ModelConfig, Transformer


def small(n_heads: int = 4, n_kv_heads: int = 2, n_layers: int = 2) -> ModelConfig:
    return ModelConfig(n_layers, n_heads, n_kv_heads, head_dim=8, ffn_dim=48, vocab_size=64)


def pool_for(model: Transformer, n_pages: int = 32, page_size: int = 4) -> PagedCache:
    """A pool on the model's device, filled with what must never show up in any logit."""
    weight = model.lm_head.weight
    c = model.config
    cache = PagedCache(c.n_layers, n_pages, page_size, c.n_kv_heads, c.head_dim, weight.device, weight.dtype)
    cache.k_cache.fill_(1e4)
    cache.v_cache.fill_(1e4)
    return cache


class DenseView:
    """KV view of one sequence whose cache is one growing tensor per layer.

    `advance(n)` announces the next n tokens; K and V are then appended in order.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.length = 0
        self._k: dict[int, torch.Tensor] = {}
        self._v: dict[int, torch.Tensor] = {}
        self.positions = torch.zeros((1, 0), dtype=torch.int64, device=device)

    def advance(self, n: int) -> None:
        """Make the next `n` positions current."""
        self.positions = torch.arange(self.length, self.length + n, device=self.device)[None]
        self.length += n

    def write(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Append k, v of shape [1, S, n_kv_heads, head_dim]."""
        if layer in self._k:
            k = torch.cat((self._k[layer], k), dim=1)
            v = torch.cat((self._v[layer], v), dim=1)
        self._k[layer], self._v[layer] = k, v

    def gather(self, layer: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All K and V so far of the one sequence, each [length, n_kv_heads, head_dim]."""
        return zip(self._k[layer], self._v[layer], strict=True)

    def masks(self) -> list[torch.Tensor]:
        """Causal mask of the one sequence, bool [S, length]."""
        key = torch.arange(self.length, device=self.device)
        return [key <= self.positions[0, :, None]]


class Dense:
    """One sequence through `DenseView`, piece by piece."""

    def __init__(self, model: Transformer) -> None:
        self.model = model
        self.device = model.lm_head.weight.device
        self.view = DenseView(self.device)

    def feed(self, tokens: list[int]) -> torch.Tensor:
        """Logits after the last of `tokens`: float32 [vocab_size]."""
        self.view.advance(len(tokens))
        last = torch.tensor([len(tokens) - 1], device=self.device)
        return self.model(torch.tensor([tokens], device=self.device), self.view, last)[0]


class Paged:
    """Several sequences through one `PagedCache`, in batches."""

    def __init__(self, model: Transformer, cache: PagedCache) -> None:
        self.model, self.cache = model, cache
        self.lengths: dict[str, int] = {}

    def feed(self, batch: dict[str, list[int]]) -> torch.Tensor:
        """Append each sequence's tokens in one forward: float32 [B, vocab_size]."""
        device = self.cache.k_cache.device
        starts, counts, tables = [], [], []
        for name, tokens in batch.items():
            start = self.lengths.get(name, 0)
            if name not in self.lengths:
                self.cache.tables[name] = []
            self.lengths[name] = start + len(tokens)
            table = self.cache.tables[name]
            while len(table) < pages_for(self.lengths[name], self.cache.page_size):
                self.cache.extend(name)
            starts.append(start)
            counts.append(len(tokens))
            tables.append(table)
        width = max(counts)
        rows = [[*tokens, *[0] * (width - len(tokens))] for tokens in batch.values()]
        view = CacheView(self.cache, tables, starts, counts)
        last = torch.tensor(counts, device=device) - 1
        return self.model(torch.tensor(rows, device=device), view, last)
