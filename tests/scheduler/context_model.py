"""A model whose next token is a hash of all ids before it, as they are read back from the cache.

Exact and cheap: one wrong, missing or misplaced slot changes the text, and no two
logits are ever close.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from astrai_sim.engine.cache import CacheView, PagedCache

PRIME = 1_000_003
BASE = 911


def next_token(context: Sequence[int], vocab_size: int) -> int:
    """The token after `context`, computed without any cache."""
    weight, total = 1, 0
    for token in context:
        total += (token + 1) * weight
        weight = weight * BASE % PRIME
    return total % PRIME % vocab_size


def generate(prompt: Sequence[int], n: int, vocab_size: int) -> list[int]:
    """`n` tokens after `prompt`, computed without any cache."""
    tokens = list(prompt)
    for _ in range(n):
        tokens.append(next_token(tokens, vocab_size))
    return tokens[len(prompt) :]


def context_cache(n_pages: int, page_size: int, prefix_caching: bool = True) -> PagedCache:
    """A pool with room for a token id and its position in each slot."""
    return PagedCache(1, n_pages, page_size, 1, 2, "cpu", torch.float64, prefix_caching=prefix_caching)


class ContextModel:
    """Writes (id, position) as K and its negative as V, and hashes what it gathers."""

    def __init__(self, vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self.weights = torch.tensor([1])

    def __call__(self, tokens: torch.Tensor, view: CacheView, last: torch.Tensor) -> torch.Tensor:
        written = torch.stack((tokens, view.positions), dim=-1)[:, :, None].double()
        view.write(0, written, -written)
        chosen = []
        for (k, v), end in zip(view.gather(0), view.positions[torch.arange(len(last)), last], strict=True):
            assert torch.equal(k, -v)
            ids, positions = k[:, 0].long().unbind(-1)
            assert torch.equal(positions, torch.arange(end + 1))
            while len(self.weights) < len(ids):
                following = self.weights[-1:] * BASE % PRIME
                self.weights = torch.cat((self.weights, following))
            chosen.append(((ids + 1) * self.weights[: len(ids)]).sum() % PRIME % self.vocab_size)
        return torch.nn.functional.one_hot(torch.stack(chosen), self.vocab_size).float()
