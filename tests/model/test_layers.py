"""The parts of the decoder against their definitions."""

from __future__ import annotations

import pytest
import torch

from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.model.layers import RMSNorm, rope
from tests.model.paged import small


def test_rms_norm():
    norm = RMSNorm(6, eps=1e-5)
    norm.weight.data = torch.arange(1.0, 7.0)
    x = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    expected = x / (x.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt() * norm.weight
    torch.testing.assert_close(norm(x), expected)


def test_rope_turns_each_pair_by_its_angle():
    x = torch.randn(1, 3, 1, 4, generator=torch.Generator().manual_seed(1))
    positions = torch.tensor([[0, 1, 7]])
    turned = rope(x, positions, base=100.0)
    for i, position in enumerate([0, 1, 7]):
        for pair, frequency in enumerate([1.0, 0.1]):
            whole = torch.view_as_complex(x[0, i, 0, [pair, pair + 2]])
            angle = torch.tensor(position * frequency)
            expected = whole * torch.polar(torch.tensor(1.0), angle)
            torch.testing.assert_close(torch.view_as_complex(turned[0, i, 0, [pair, pair + 2]].contiguous()), expected)


def test_rope_makes_scores_depend_on_distance_only():
    generator = torch.Generator().manual_seed(2)
    q, k = torch.randn(2, 1, 1, 1, 8, generator=generator)
    at = [(rope(q, torch.tensor([[i]]), 1e4) * rope(k, torch.tensor([[i - 3]]), 1e4)).sum() for i in (3, 10, 200)]
    torch.testing.assert_close(at[0], at[1], rtol=0, atol=1e-4)
    torch.testing.assert_close(at[0], at[2], rtol=0, atol=1e-4)


def test_a_seed_gives_the_same_weights_and_another_seed_others():
    models = [Transformer.seeded(small(), seed, "cpu", torch.float32) for seed in (4, 4, 5)]
    one, two, other = models
    pairs = list(zip(one.parameters(), two.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b in pairs)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    assert not any(weight.requires_grad for weight in one.parameters())


@pytest.mark.parametrize(
    ("sizes", "message"), [((1, 3, 2, 8, 8, 8), "multiple of n_kv_heads"), ((1, 2, 2, 7, 8, 8), "must be even")]
)
def test_sizes_that_cannot_be_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(*sizes)
