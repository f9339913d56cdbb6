"""What attention sees on a device that works behind the host: the same, and nothing is waited for."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from astrai_sim.engine.cache import CacheView, PagedCache, QueuedView, cache_type
from astrai_sim.engine.cache.free_tree import LargePagedCache
from astrai_sim.engine.cache.paged_cache import wide
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.model import ModelConfig, Transformer

CONFIG = ModelConfig(n_layers=3, n_heads=4, n_kv_heads=2, head_dim=8, ffn_dim=16, vocab_size=50)
PAGES, SIZE = 9, 4
NEEDS_CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=NEEDS_CUDA)])
@pytest.mark.parametrize(
    ("dtype", "dim"), [(torch.bfloat16, 8), (torch.float32, 3), (torch.float64, 1), (torch.float16, 1)]
)
@pytest.mark.parametrize("seed", range(3))
def test_it_writes_and_gathers_what_the_other_view_does(seed: int, dtype: torch.dtype, dim: int, device: str) -> None:
    source, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    here, there = (PagedCache(2, PAGES, SIZE, 1, dim, at, dtype) for at in ("cpu", device))
    pages = source.sample(range(PAGES), 8)
    tables, lengths = [pages[:3], pages[3:4], pages[4:]], [0, 0, 0]
    while rows := [row for row in range(3) if lengths[row] < len(tables[row]) * SIZE]:
        rows = source.sample(rows, source.randint(1, len(rows)))
        starts = [lengths[row] for row in rows]
        counts = [source.randint(1, len(tables[row]) * SIZE - lengths[row]) for row in rows]
        used = [tables[row] for row in rows]
        one, other = CacheView(here, used, starts, counts), QueuedView(there, used, starts, counts)
        for name in ("page_table", "positions", "lengths"):
            assert torch.equal(getattr(one, name), getattr(other, name).cpu())
        for layer in range(2):
            k, v = torch.randn(2, len(rows), max(counts), 1, dim, generator=generator).to(dtype)
            one.write(layer, k, v)
            other.write(layer, k.to(device), v.to(device))
            for pair, same in zip(one.gather(layer), other.gather(layer), strict=True):
                assert all(torch.equal(x, y.cpu()) for x, y in zip(pair, same, strict=True))
        assert torch.equal(here.k_cache, there.k_cache.cpu()) and torch.equal(here.v_cache, there.v_cache.cpu())
        for mask, same in zip(one.masks(), other.masks(), strict=True):
            assert torch.equal(mask, same.cpu())
        for row, count in zip(rows, counts, strict=True):
            lengths[row] += count
    assert here.k_cache.any()


@pytest.mark.parametrize(
    ("dtype", "heads", "dim", "word"),
    [
        (torch.bfloat16, 4, 64, torch.complex128),
        (torch.float32, 1, 2, torch.int64),
        (torch.float16, 3, 2, torch.int32),
        (torch.bfloat16, 1, 3, torch.int16),
    ],
)
def test_tokens_move_in_the_widest_words_that_fit(dtype: torch.dtype, heads: int, dim: int, word: torch.dtype) -> None:
    kv = torch.randn(2, 3, heads, dim).to(dtype)
    rows = wide(kv)
    assert rows.dtype == word and rows.shape[0] == 6 and rows.data_ptr() == kv.data_ptr()
    assert torch.equal(rows.view(dtype).view(kv.shape), kv)


def test_a_view_refuses_tokens_beyond_the_table() -> None:
    with pytest.raises(IndexError, match="9 tokens do not fit 2 pages"):
        QueuedView(PagedCache(1, 9, 4, 1, 1, "cpu", torch.float32), [[0, 1, 2], [3, 4]], [0, 8], [4, 1])


def test_the_device_says_which_view() -> None:
    here, away = (PagedCache(1, 1, 1, 1, 1, device, torch.float32) for device in ("cpu", "meta"))
    assert (here.view_type, away.view_type) == (CacheView, QueuedView)


class Sent(TorchDispatchMode):
    """Notes what was copied to or from the meta device, and which of it the host waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[bool] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        made = func(*args, **given)
        if isinstance(made, torch.Tensor) and args and isinstance(args[0], torch.Tensor):
            if "_copy" in func.__name__ and made.device != args[0].device:
                self.copies.append(bool(given.get("non_blocking")))
        return made


def served(view: type[CacheView], monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Prefills and decodes of three requests on the meta device, which has no values: a look at one raises.

    Only the tokens are made up on the host, as if they had been read.
    """
    monkeypatch.setattr(PagedCache, "view_type", view)
    model = Transformer.seeded(CONFIG, 0, torch.device("meta"), torch.float32)
    cache = PagedCache(3, 32, 4, 2, 8, "meta", torch.float32)

    def chosen(tokens: torch.Tensor, seen: CacheView, last: torch.Tensor) -> torch.Tensor:
        assert model(tokens, seen, last).device.type == "meta"
        return torch.zeros(len(last), 50)

    scheduler = InferenceScheduler(chosen, cache, max_tokens_per_step=8)
    for name, length in (("a", 3), ("b", 7), ("c", 1)):
        scheduler.submit(Task(name, list(range(length)), 9))
    with Sent() as sent:
        while not scheduler.idle:
            scheduler.step()
    return sent


def test_no_step_looks_at_a_value_of_the_device_or_waits_for_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = served(QueuedView, monkeypatch)
    assert sent.copies and all(sent.copies)


def test_the_other_view_would_be_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((RuntimeError, NotImplementedError), match="meta"):
        served(CacheView, monkeypatch)


@contextmanager
def no_waiting():
    """Within, PyTorch raises where the host waits for the device."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@NEEDS_CUDA
def test_a_step_on_cuda_waits_for_its_tokens_only(monkeypatch: pytest.MonkeyPatch) -> None:
    device = torch.device("cuda")
    model = Transformer.seeded(CONFIG, 0, device, torch.bfloat16)
    cache = PagedCache(3, 32, 4, 2, 8, device, torch.bfloat16)
    scheduler = InferenceScheduler(None, cache)
    passes = []

    def chosen(tokens: torch.Tensor, view: CacheView, last: torch.Tensor) -> torch.Tensor:
        logits = model(tokens, view, last)
        torch.cuda.set_sync_debug_mode("default")
        passes.append(tokens.shape)
        return logits

    forward = scheduler._forward

    def watched(batch: list) -> list[int]:
        with no_waiting():
            return forward(batch)

    scheduler.model = chosen
    monkeypatch.setattr(scheduler, "_forward", watched)
    for name, length in (("a", 3), ("b", 7), ("c", 1)):
        scheduler.submit(Task(name, list(range(length)), 9))
    while not scheduler.idle:
        scheduler.step()
    assert len(passes) == 9


def test_large_pools_see_the_same() -> None:
    assert issubclass(cache_type(10**6), LargePagedCache)
    assert LargePagedCache.put is PagedCache.put and LargePagedCache.gather is PagedCache.gather
