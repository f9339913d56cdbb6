"""A plain contiguous KV cache: the reference that the paged one is compared with."""

from __future__ import annotations

from collections.abc import Iterator

import torch


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
