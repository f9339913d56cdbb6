"""The pool: which page is handed out, refcounts, all or nothing; mask, refs and LRU agree."""

from __future__ import annotations

import random

import pytest
import torch

from astrai_sim.engine.cache import OutOfPages, PagedCache, pages_for
from astrai_sim.engine.cache.free_tree import LargePagedCache

KIND = PagedCache


@pytest.fixture(autouse=True, params=[PagedCache, LargePagedCache])
def kind(request, monkeypatch):
    """Every test holds for both kinds of pool."""
    monkeypatch.setitem(globals(), "KIND", request.param)


def pool(n_pages: int = 4, page_size: int = 2, prefix_caching: bool = True) -> PagedCache:
    return KIND(1, n_pages, page_size, 1, 2, "cpu", torch.float32, prefix_caching=prefix_caching)


def state(cache: PagedCache) -> tuple:
    tables = {task: list(pages) for task, pages in cache.tables.items()}
    return cache.free_mask, list(cache.refs), cache.lru, tables


def fill(cache: PagedCache, task: str, tokens: list[int]) -> None:
    """Admit a task over `tokens` and key its full pages, as after a prefill."""
    cache.admit(task, tokens)
    cache.record_pages(task, tokens)


def test_the_tensors_hold_the_whole_pool():
    cache = PagedCache(3, 5, 4, 2, 8, "cpu", torch.bfloat16)
    for tensor in (cache.k_cache, cache.v_cache):
        assert tensor.shape == (3, 5, 4, 2, 8)
        assert tensor.dtype == torch.bfloat16
    assert state(cache) == (0b11111, [0] * 5, [], {})


@pytest.mark.parametrize("nth", range(5))
def test_a_size_below_one_is_refused(nth):
    sizes = [2, 2, 2, 2, 2]
    sizes[nth] = 0
    with pytest.raises(ValueError, match="at least 1"):
        PagedCache(*sizes, "cpu", torch.float32)


def test_pages_for_is_the_ceiling():
    for size in (1, 3, 64):
        for n in range(200):
            assert pages_for(n, size) == -(-n // size)


def test_the_lowest_free_page_goes_first():
    cache = pool(5)
    assert [cache.alloc() for _ in range(4)] == [0, 1, 2, 3]
    cache.free(2)
    cache.free(0)
    assert cache.free_mask == 0b10101
    assert [cache.alloc(), cache.alloc(), cache.alloc()] == [0, 2, 4]
    assert cache.refs == [1] * 5
    with pytest.raises(OutOfPages, match="all 5 pages are in use"):
        cache.alloc()


def test_alloc_n_takes_all_or_none():
    cache = pool(4)
    cache.alloc()
    before = state(cache)
    with pytest.raises(OutOfPages, match="4 pages wanted, 3 available"):
        cache.alloc_n(4)
    assert state(cache) == before
    assert cache.alloc_n(3) == [1, 2, 3]
    assert cache.n_available == 0


def test_a_page_is_free_again_only_when_its_last_holder_lets_go():
    cache = pool()
    page = cache.alloc()
    cache.inc_ref(page)
    cache.inc_ref(page)
    for refs in (2, 1):
        cache.free(page)
        assert cache.refs[page] == refs
        assert not cache.free_mask >> page & 1
    cache.free(page)
    assert cache.free_mask == 0b1111


@pytest.mark.parametrize("page", [0, 3, -1])
def test_freeing_what_is_not_in_use_is_refused(page):
    cache = pool()
    before = state(cache)
    with pytest.raises(ValueError, match=f"page {page} is not in use"):
        cache.free(page)
    assert state(cache) == before


@pytest.mark.parametrize("page", [0, -1])
def test_a_free_page_cannot_be_shared(page):
    cache = pool()
    before = state(cache)
    with pytest.raises(ValueError):
        cache.inc_ref(page)
    assert state(cache) == before


def test_a_refused_admission_leaves_everything_as_it_was():
    cache = pool(4)
    fill(cache, "a", [1, 2, 3, 4])
    cache.release("a")
    cache.alloc_n(2)
    before = state(cache)
    assert cache.lru == [1, 0]
    with pytest.raises(OutOfPages, match="1 pages wanted, 0 available"):
        cache.admit("b", [1, 2, 3, 4, 5])  # both cached pages are hits: none is left to evict
    assert state(cache) == before
    assert cache.lookup([1, 2, 3, 4, 5]) == [0, 1]


def test_growth_is_all_or_nothing_and_only_as_far_as_needed():
    cache = pool(4)
    cache.admit("a", [1, 2, 3])
    assert cache.grow("a", 4) == []
    assert cache.grow("a", 5) == [2]
    assert cache.tables["a"] == [0, 1, 2]
    before = state(cache)
    with pytest.raises(OutOfPages, match="a lacks 2 pages"):
        cache.grow("a", 10)
    assert state(cache) == before


def test_one_table_per_task():
    cache = pool()
    cache.admit("a", [1])
    with pytest.raises(ValueError, match="has a page table"):
        cache.admit("a", [1])


def test_released_pages_go_into_the_lru_last_page_first():
    cache = pool(4)
    fill(cache, "a", [1, 2, 3, 4, 5, 6, 7])
    cache.release("a")
    assert cache.lru == [2, 1, 0]
    assert cache.free_mask == 0b1000, "the page that was not full has no key and is free"
    assert cache.n_available == 4


def test_the_least_recently_used_is_evicted_and_only_when_no_page_is_free():
    cache = pool(4)
    fill(cache, "a", [1, 2, 3, 4])
    cache.release("a")
    assert [cache.alloc(), cache.alloc()] == [2, 3]
    assert cache.lru == [1, 0]
    assert cache.alloc() == 1
    assert cache.lookup([1, 2, 3, 4, 5]) == [0], "the head of the prefix outlives its tail"
    assert cache.alloc() == 0
    with pytest.raises(OutOfPages):
        cache.alloc()


def test_a_hit_makes_a_cached_page_the_most_recently_used():
    cache = pool(4)
    for task, tokens in (("a", [1, 2]), ("b", [3, 4]), ("c", [5, 6])):
        fill(cache, task, tokens)
    for task in "abc":
        cache.release(task)
    assert cache.lru == [0, 1, 2]
    cache.admit("d", [1, 2, 9])
    assert cache.lru == [1, 2]
    cache.release("d")
    assert cache.lru == [1, 2, 0]


def test_without_prefix_caching_nothing_is_cached_or_found():
    cache = pool(prefix_caching=False)
    fill(cache, "a", [1, 2, 3, 4])
    assert cache.lookup([1, 2, 3, 4, 5]) == []
    cache.release("a")
    assert state(cache) == (0b1111, [0] * 4, [], {})


def test_reset_frees_what_is_cached_and_is_refused_while_pages_are_in_use():
    cache = pool(4)
    fill(cache, "a", [1, 2, 3, 4, 5])
    with pytest.raises(RuntimeError, match="pages are in use"):
        cache.reset_prefix_cache()
    assert cache.lookup([1, 2, 3, 4, 5]) == [0, 1]
    cache.release("a")
    cache.reset_prefix_cache()
    assert state(cache) == (0b1111, [0] * 4, [], {})
    assert cache.lookup([1, 2, 3, 4, 5]) == []


@pytest.mark.parametrize("seed", range(5))
def test_mask_refcounts_and_lru_agree_through_random_use(seed):
    source = random.Random(seed)
    cache = pool(7)
    held: dict[str, list[int]] = {}
    for i in range(400):
        if held and source.random() < 0.5:
            task = source.choice(sorted(held))
            del held[task]
            cache.release(task)
        else:
            tokens = [source.randrange(2) for _ in range(source.randint(1, 9))]
            try:
                fill(cache, f"t{i}", tokens)
                held[f"t{i}"] = tokens
            except OutOfPages:
                assert f"t{i}" not in cache.tables
        cached = set(cache.lru)
        assert len(cached) == len(cache.lru)
        counts = [sum(table.count(page) for table in cache.tables.values()) for page in range(7)]
        assert cache.refs == counts
        for page, refs in enumerate(cache.refs):
            assert (refs > 0, page in cached, bool(cache.free_mask >> page & 1)).count(True) == 1
