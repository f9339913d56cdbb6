"""write and gather against a loop over single slots; what pads a table touches no page."""

from __future__ import annotations

import random

import pytest
import torch

from astrai_sim.engine.cache import CacheView, PagedCache

LAYERS, PAGES, SIZE, HEADS, DIM = 2, 9, 4, 2, 3
DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")),
]


def pool(device="cpu") -> PagedCache:
    return PagedCache(LAYERS, PAGES, SIZE, HEADS, DIM, device, torch.float32)


class Naive:
    """The same cache, one slot at a time."""

    def __init__(self) -> None:
        self.slots: dict[tuple[str, int, int, int], torch.Tensor] = {}

    def write(self, layer, tables, starts, counts, k, v) -> None:
        for row, (table, start, count) in enumerate(zip(tables, starts, counts, strict=True)):
            for i in range(count):
                page, slot = table[(start + i) // SIZE], (start + i) % SIZE
                self.slots["k", layer, page, slot] = k[row, i].cpu()
                self.slots["v", layer, page, slot] = v[row, i].cpu()

    def tensor(self, which: str) -> torch.Tensor:
        """The whole pool."""
        whole = torch.zeros(LAYERS, PAGES, SIZE, HEADS, DIM)
        for (name, layer, page, slot), value in self.slots.items():
            if name == which:
                whole[layer, page, slot] = value
        return whole

    def gather(self, which: str, layer, table, length) -> torch.Tensor:
        return torch.stack([self.slots[which, layer, table[i // SIZE], i % SIZE] for i in range(length)])


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("seed", range(6))
def test_batches_of_different_lengths_match_the_naive_cache(seed, device):
    source = random.Random(seed)
    generator = torch.Generator().manual_seed(seed)
    cache, naive = pool(device), Naive()
    free = list(range(PAGES))
    source.shuffle(free)
    tables = [[free.pop() for _ in range(n)] for n in (3, 1, 4)]
    lengths = [0, 0, 0]
    room = [len(table) * SIZE for table in tables]
    while rows := [row for row in range(3) if lengths[row] < room[row]]:
        rows = source.sample(rows, source.randint(1, len(rows)))
        starts = [lengths[row] for row in rows]
        counts = [source.randint(1, room[row] - lengths[row]) for row in rows]
        used = [tables[row] for row in rows]
        view = CacheView(cache, used, starts, counts)
        for layer in range(LAYERS):
            shape = (len(rows), max(counts), HEADS, DIM)
            k = torch.randn(shape, generator=generator).to(device)
            v = torch.randn(shape, generator=generator).to(device)
            view.write(layer, k, v)
            naive.write(layer, used, starts, counts, k, v)
        for row, start, count in zip(rows, starts, counts, strict=True):
            lengths[row] = start + count
        for layer in range(LAYERS):
            for row, gathered in zip(rows, view.gather(layer), strict=True):
                for which, found in zip("kv", gathered, strict=True):
                    assert torch.equal(found.cpu(), naive.gather(which, layer, tables[row], lengths[row]))
        assert torch.equal(cache.k_cache.cpu(), naive.tensor("k"))
        assert torch.equal(cache.v_cache.cpu(), naive.tensor("v"))


def test_one_call_serves_a_whole_batch(monkeypatch):
    """Whatever the batch, the tensors are indexed once each way: no loop over pages or tokens."""
    cache = pool()
    calls = []
    monkeypatch.setattr(
        torch.Tensor,
        "__setitem__",
        lambda self, *args, real=torch.Tensor.__setitem__: calls.append(1) or real(self, *args),
    )
    view = CacheView(cache, [[0, 1, 2], [3], [4, 5]], [0, 0, 0], [12, 4, 7])
    blank = torch.zeros(3, 12, HEADS, DIM)
    view.write(0, blank, blank)
    assert len(calls) == 2
    read = []
    real = torch.Tensor.__getitem__
    monkeypatch.setattr(torch.Tensor, "__getitem__", lambda self, at: read.append(self) or real(self, at))
    view.gather(0)
    assert [sum(tensor is whole for tensor in read) for whole in (cache.k_cache, cache.v_cache)] == [1, 1]


def test_the_causal_mask_of_each_sequence_follows_its_positions():
    view = CacheView(pool(), [[0, 1], [2]], [3, 0], [3, 2])
    for mask, start, count in zip(view.masks(), (3, 0), (3, 2), strict=True):
        assert mask.tolist() == [[j <= start + i for j in range(start + count)] for i in range(count)]


def test_padding_of_a_shorter_table_leaves_every_other_slot_alone():
    cache = pool()
    cache.k_cache.fill_(7)
    cache.v_cache.fill_(7)
    view = CacheView(cache, [[0, 1, 2], [3]], [0, 1], [12, 2])
    assert view.page_table[1].tolist() == [3, -1, -1]
    ones = torch.ones(2, 12, HEADS, DIM)
    view.write(1, ones, ones)
    expected = torch.full((PAGES, SIZE), 7.0)
    expected[:3] = 1
    expected[3, 1:3] = 1
    for tensor in (cache.k_cache, cache.v_cache):
        assert torch.equal(tensor[1, :, :, 0, 0], expected)
        assert bool((tensor[0] == 7).all())


def test_gather_reads_no_slot_past_a_length_and_pads_nothing():
    cache = pool()
    slots = torch.arange(PAGES * SIZE, dtype=torch.float32).view(PAGES, SIZE, 1, 1)
    cache.k_cache += slots
    cache.v_cache -= slots
    k, v = cache.gather(0, torch.tensor([[0, 1], [2, -1]]), torch.tensor([6, 3]))
    assert k.shape == v.shape == (9, HEADS, DIM)
    assert k[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 5, 8, 9, 10] and torch.equal(v, -k)
    view = CacheView(cache, [[0, 1], [2]], [0, 0], [6, 3])
    for (keys, values), length in zip(view.gather(0), (6, 3), strict=True):
        assert len(keys) == len(values) == length


def test_the_padding_entry_is_never_written():
    cache = pool()
    table = torch.tensor([[0, 1], [2, -1]])
    positions = torch.tensor([[4], [4]])
    ones = torch.ones(2, 1, HEADS, DIM)
    with pytest.raises(IndexError, match="beyond its page table"):
        cache.write(0, table, positions, ones, ones)
    assert not cache.k_cache.any() and not cache.v_cache.any()


def test_the_padding_entry_is_never_read():
    cache = pool()
    with pytest.raises(IndexError, match="beyond its page table"):
        cache.gather(0, torch.tensor([[0, 1], [2, -1]]), torch.tensor([8, 5]))


def test_a_view_refuses_tokens_beyond_the_table():
    with pytest.raises(IndexError, match="9 tokens do not fit 2 pages"):
        CacheView(pool(), [[0, 1, 2], [3, 4]], [0, 8], [4, 1])
