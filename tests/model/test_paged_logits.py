"""Logits from the paged path equal those of a plain dense-cache forward."""

from __future__ import annotations

import random

import pytest
import torch

from astrai_sim.model import Transformer, layers
from tests.model.paged import Dense, Paged, pool_for, small

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")),
]
TOLERANCE = 1e-4
HEADS = [(4, 4), (4, 2), (4, 1)]


def drawn(source: random.Random, n: int) -> list[int]:
    return [source.randrange(64) for _ in range(n)]


def pieces(source: random.Random, n: int) -> list[int]:
    """A number in random parts."""
    parts = []
    while n:
        parts.append(source.randint(1, n))
        n -= parts[-1]
    return parts


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("n_heads", "n_kv_heads"), HEADS)
def test_prompts_of_several_lengths_then_decode_steps(n_heads, n_kv_heads, device):
    model = Transformer.seeded(small(n_heads, n_kv_heads), 1, device, torch.float32)
    source = random.Random(0)
    paged = Paged(model, pool_for(model, page_size=4))
    texts = {f"t{n}": drawn(source, n) for n in (1, 3, 4, 5, 8, 17)}
    dense = {name: Dense(model) for name in texts}
    batch = texts
    for _ in range(6):
        logits = paged.feed(batch)
        expected = torch.stack([dense[name].feed(tokens) for name, tokens in batch.items()])
        torch.testing.assert_close(logits, expected, rtol=0, atol=TOLERANCE)
        batch = {name: drawn(source, 1) for name in texts}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(4))
def test_chunks_and_decodes_mixed_in_one_batch(seed, device):
    """Pieces of any size, of any of the sequences, together: as if each was alone and whole."""
    model = Transformer.seeded(small(), seed, device, torch.float32)
    source = random.Random(seed)
    paged = Paged(model, pool_for(model, page_size=3))
    texts = {name: drawn(source, source.randint(8, 20)) for name in "abcd"}
    parts = {name: pieces(source, len(text)) for name, text in texts.items()}
    done = dict.fromkeys(texts, 0)
    while left := [name for name in texts if parts[name]]:
        batch = {}
        for name in source.sample(left, source.randint(1, len(left))):
            count = parts[name].pop(0)
            batch[name] = texts[name][done[name] : done[name] + count]
            done[name] += count
        logits = paged.feed(batch)
        for row, name in enumerate(batch):
            whole = Dense(model).feed(texts[name][: done[name]])
            torch.testing.assert_close(logits[row], whole, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("device", DEVICES)
def test_bfloat16_in_ratio_of_norms(device):
    """The paged and the dense path round alike; neither is further from float32 than bf16 is."""
    config = small(8, 4, n_layers=4)
    exact = Transformer.seeded(config, 3, device, torch.float32)
    model = Transformer.seeded(config, 3, device, torch.bfloat16)
    source = random.Random(3)
    texts = {f"t{n}": drawn(source, n) for n in (2, 7, 33)}
    paged = Paged(model, pool_for(model))
    dense = {name: Dense(model) for name in texts}
    reference = {name: Dense(exact) for name in texts}
    batch = texts
    for _ in range(5):
        got = paged.feed(batch)
        same = torch.stack([dense[name].feed(tokens) for name, tokens in batch.items()])
        true = torch.stack([reference[name].feed(tokens) for name, tokens in batch.items()])
        assert (got - same).norm() / same.norm() < 0.02
        assert (got - true).norm() / true.norm() < 0.03
        batch = {name: drawn(source, 1) for name in texts}


def test_logits_do_not_depend_on_where_the_pages_lie():
    model = Transformer.seeded(small(), 5, "cpu", torch.float32)
    text = drawn(random.Random(5), 19)
    one, two = Paged(model, pool_for(model)), Paged(model, pool_for(model))
    for _ in range(7):
        two.cache.alloc()
    two.cache.free(2)
    two.cache.free(5)
    first, second = one.feed({"a": text}), two.feed({"a": text})
    assert one.cache.tables["a"] == [0, 1, 2, 3, 4]
    assert two.cache.tables["a"] == [2, 5, 7, 8, 9]
    assert torch.equal(first, second)


def test_logits_depend_on_every_token_and_on_order():
    model = Transformer.seeded(small(), 6, "cpu", torch.float32)
    text = drawn(random.Random(6), 12)
    base = Dense(model).feed(text)
    for i in range(len(text)):
        other = [*text[:i], (text[i] + 1) % 64, *text[i + 1 :]]
        assert (Dense(model).feed(other) - base).abs().max() > 100 * TOLERANCE
    swapped = [text[1], text[0], *text[2:]]
    assert (Dense(model).feed(swapped) - base).abs().max() > 100 * TOLERANCE


def test_a_short_sequence_pays_nothing_for_a_long_one_beside_it(monkeypatch):
    """Attention of each reads as many K and V as it has tokens, and asks as many queries as are new."""
    seen = []
    real = layers.F.scaled_dot_product_attention
    monkeypatch.setattr(
        layers.F,
        "scaled_dot_product_attention",
        lambda q, k, v, **more: seen.append((q.shape[-2], k.shape[-2], v.shape[-2])) or real(q, k, v, **more),
    )
    config = small(n_layers=1)
    model = Transformer.seeded(config, 0, torch.device("cpu"), torch.float32)
    paged = Paged(model, pool_for(model))
    paged.feed({"short": [1, 2, 3], "long": [*range(40)]})
    paged.feed({"short": [4], "long": [5]})
    assert seen == [(3, 3, 3), (40, 40, 40), (1, 4, 4), (1, 41, 41)]
