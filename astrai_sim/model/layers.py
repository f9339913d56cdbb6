"""Sizes of the model; normalisation, rotary positions, attention and feed-forward."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import nn


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of a Llama-style decoder; the hidden size is n_heads x head_dim.

    Raises ValueError where query heads cannot be shared evenly by KV heads or the head size is odd (RoPE turns pairs).
    """

    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    ffn_dim: int
    vocab_size: int
    rope_base: float = 10000.0
    norm_eps: float = 1e-5

    def __post_init__(self) -> None:
        if self.n_heads % self.n_kv_heads:
            raise ValueError(f"n_heads ({self.n_heads}) must be a multiple of n_kv_heads ({self.n_kv_heads})")
        if self.head_dim % 2:
            raise ValueError(f"head_dim ({self.head_dim}) must be even")

    @property
    def hidden(self) -> int:
        """Width of the residual stream."""
        return self.n_heads * self.head_dim


class KVView(Protocol):
    """The cache as attention sees it; see `astrai_sim.engine.cache.CacheView`."""

    positions: torch.Tensor

    def write(self, layer: int, k: torch.Tensor, v: torch.Tensor) -> None: ...

    def gather(self, layer: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]: ...

    def masks(self) -> list[torch.Tensor]: ...


class RMSNorm(nn.Module):
    """x / rms(x) * weight over the last axis, in float32 (Zhang and Sennrich, 2019)."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return wide.to(x.dtype) * self.weight


def rope(x: torch.Tensor, positions: torch.Tensor, base: float) -> torch.Tensor:
    """Rotate the halves of each head by position (Su et al., 2021; Llama's half split).

    x: [B, S, H, D]; positions: [B, S] (padding below 0 counts as 0). Same shape out.
    """
    half = x.shape[-1] // 2
    exponent = torch.arange(half, device=x.device, dtype=torch.float32) / half
    angle = positions.clamp(min=0)[..., None].float() * base**-exponent
    cos, sin = angle.cos()[:, :, None], angle.sin()[:, :, None]
    first, second = x.float().split(half, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1).to(x.dtype)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
    """Grouped-query attention of one sequence (Ainslie et al., 2023).

    q: [S, n_heads, D]; k, v: [L, n_kv_heads, D]; mask: bool [S, L], None where every query may
    look everywhere. Returns [S, n_heads, D].
    """
    q, k, v = (x.transpose(0, 1)[None] for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)[0].transpose(0, 1)


class Attention(nn.Module):
    """Attention through a KV view, sequence by sequence: a short one pays nothing for a long one beside it."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.config = config
        self.layer = layer
        kv = config.n_kv_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden, config.hidden, bias=False)
        self.k_proj = nn.Linear(config.hidden, kv, bias=False)
        self.v_proj = nn.Linear(config.hidden, kv, bias=False)
        self.o_proj = nn.Linear(config.hidden, config.hidden, bias=False)

    def forward(self, x: torch.Tensor, view: KVView, masks: Sequence[torch.Tensor]) -> torch.Tensor:
        """x: [B, S, hidden]; masks: bool [count, length] of each sequence. Returns [B, S, hidden]."""
        c = self.config
        batch, length, _ = x.shape
        projections = (self.q_proj, self.k_proj, self.v_proj)
        q, k, v = (project(x).view(batch, length, -1, c.head_dim) for project in projections)
        q, k = (rope(heads, view.positions, c.rope_base) for heads in (q, k))
        view.write(self.layer, k, v)
        out = torch.zeros_like(q)
        for row, ((keys, values), mask) in enumerate(zip(view.gather(self.layer), masks, strict=True)):
            n = len(mask)
            out[row, :n] = attend(q[row, :n], keys, values, mask if n > 1 else None)
        return self.o_proj(out.view(batch, length, -1))


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)) (Shazeer, 2020)."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.gate = nn.Linear(config.hidden, config.ffn_dim, bias=False)
        self.up = nn.Linear(config.hidden, config.ffn_dim, bias=False)
        self.down = nn.Linear(config.ffn_dim, config.hidden, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down(F.silu(self.gate(x)) * self.up(x))


class DecoderLayer(nn.Module):
    """Pre-norm attention and feed-forward with residuals."""

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(config.hidden, config.norm_eps)
        self.attention = Attention(config, layer)
        self.ffn_norm = RMSNorm(config.hidden, config.norm_eps)
        self.ffn = SwiGLU(config)

    def forward(self, x: torch.Tensor, view: KVView, masks: Sequence[torch.Tensor]) -> torch.Tensor:
        x = x + self.attention(self.attention_norm(x), view, masks)
        return x + self.ffn(self.ffn_norm(x))
