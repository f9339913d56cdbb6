"""Pools whose free pages are a tree: the same answers as with one integer, and no counting."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from astrai_sim.engine.cache import OutOfPages, PagedCache, cache_type
from astrai_sim.engine.cache.free_tree import SINGLE_MASK, FreeTree, LargePagedCache

MILLION = 1_048_576


def pool(kind: type[PagedCache], n_pages: int, page_size: int = 2, prefix_caching: bool = True) -> PagedCache:
    return kind(1, n_pages, page_size, 1, 1, "meta", torch.float32, prefix_caching=prefix_caching)


def state(cache: PagedCache) -> tuple:
    tables = {task: list(pages) for task, pages in cache.tables.items()}
    return cache.free_mask, list(cache.refs), cache.lru, cache.n_free, cache.n_available, tables


def answer(function: Callable[..., Any], *args: Any) -> Any:
    """What a call returns, or the error that it raises."""
    try:
        return function(*args)
    except (ValueError, IndexError, KeyError, RuntimeError) as error:
        return type(error), str(error)


def use(cache: PagedCache, steps: list[tuple[str, int, int]]) -> list[Any]:
    """Answers of the cache, and its state after each, for calls that are drawn as (method, number, number)."""
    told = []
    for i, (method, one, other) in enumerate(steps):
        tasks = sorted(cache.tables)
        task = tasks[one % len(tasks)] if tasks else "none"
        tokens = [token % 2 for token in range(one % 40 + 1)]
        args: dict[str, tuple] = {
            "alloc": (),
            "alloc_n": (other,),
            "free": (one - 2,),
            "inc_ref": (one,),
            "admit": (f"t{i}", tokens),
            "grow": (task, other),
            "release": (task,),
            "reset_prefix_cache": (),
        }
        told.append(answer(getattr(cache, method), *args[method]))
        if method == "admit" and f"t{i}" in cache.tables:
            cache.record_pages(f"t{i}", tokens)
        told.append(state(cache))
        assert cache.n_free == cache.free_mask.bit_count()
        assert all(cache.free_word(n) == cache.free_mask >> 64 * n & 2**64 - 1 for n in range(-(-cache.n_pages // 64)))
    return told


METHODS = ("alloc", "alloc_n", "free", "inc_ref", "admit", "grow", "release", "reset_prefix_cache")


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([1, 5, 63, 64, 65, 130]),
    st.lists(st.tuples(st.sampled_from(METHODS), st.integers(0, 140), st.integers(0, 70)), max_size=30),
)
def test_a_large_pool_answers_as_one_integer_does(n_pages: int, steps: list[tuple[str, int, int]]) -> None:
    assert use(pool(LargePagedCache, n_pages), steps) == use(pool(PagedCache, n_pages), steps)


@pytest.mark.parametrize("n_pages", [4097, 8192, 12_289])
def test_words_and_groups_empty_and_fill_as_one_integer_does(n_pages: int) -> None:
    """So many at once that whole words, and groups of 64 of them, run out and come back."""
    source = random.Random(n_pages)
    caches = [pool(kind, n_pages, 1) for kind in (LargePagedCache, PagedCache)]
    held: list[int] = []
    for _ in range(60):
        if held and source.random() < 0.45:
            source.shuffle(held)
            held, gone = held[len(held) // 2 :], held[: len(held) // 2]
            for cache in caches:
                for page in gone:
                    cache.free(page)
        else:
            n = source.choice([1, 64, 700, 5000])
            taken, same = (answer(cache.alloc_n, n) for cache in caches)
            assert taken == same
            held += taken if isinstance(taken, list) else []
        large, single = caches
        assert (large.free_mask, large.n_free, large.refs) == (single.free_mask, single.n_free, single.refs)


@given(st.integers(1, 10_000), st.data())
def test_the_tree_is_a_set_that_gives_up_its_lowest(n: int, data: st.DataObject) -> None:
    tree, pages = FreeTree((1 << n) - 1), set(range(n))
    for page in data.draw(st.lists(st.integers(0, n - 1), max_size=20)):
        if page in pages and pages:
            assert tree.pop_lowest() == min(pages)
            pages.remove(min(pages))
        else:
            tree.add(page)
            pages.add(page)
        assert (page in tree, tree.count) == (page in pages, len(pages))
    assert tree.mask() == sum(1 << page for page in pages)


def test_a_tree_of_any_mask() -> None:
    mask = 1 << 9000 | 1 << 70 | 1 << 64 | 1 << 3
    tree = FreeTree(mask)
    assert (tree.mask(), tree.count, tree.word(1)) == (mask, 4, 1 << 6 | 1)
    assert [tree.pop_lowest() for _ in range(4)] == [3, 64, 70, 9000]
    with pytest.raises(KeyError, match="no page"):
        tree.pop_lowest()
    tree.add(64)
    with pytest.raises(KeyError, match="page 64"):
        tree.add(64)


def test_a_million_pages_go_lowest_first() -> None:
    cache = pool(cache_type(MILLION), MILLION, prefix_caching=False)
    assert isinstance(cache, LargePagedCache)
    assert cache.alloc_n(70_000) == list(range(70_000))
    for page in (69_999, 4096, 12):
        cache.free(page)
    assert cache.free_mask == (1 << MILLION) - (1 << 70_000) | 1 << 69_999 | 1 << 4096 | 1 << 12
    assert [cache.alloc() for _ in range(4)] == [12, 4096, 69_999, 70_000]
    with pytest.raises(OutOfPages, match="1048577 pages wanted, 978575 available"):
        cache.alloc_n(MILLION + 1)


def test_the_kind_of_pool_is_chosen_by_its_size() -> None:
    assert cache_type(SINGLE_MASK) is PagedCache
    assert cache_type(SINGLE_MASK + 1) is LargePagedCache


def test_growing_within_a_page_counts_nothing() -> None:
    """The count is kept for as long as the mask is the same integer."""
    cache = pool(PagedCache, 2000, 16)
    cache.admit("a", list(range(3)))
    cache.grow("a", 4)
    counted = cache._counted
    for n_tokens in range(5, 17):
        cache.grow("a", n_tokens)
        assert cache._counted is counted
    cache.grow("a", 17)
    assert cache.n_available == 1998 and cache._counted is not counted


class Counted(list[int]):
    """Words, and how often one was looked at or written."""

    touched = 0

    def __getitem__(self, index: Any) -> Any:
        self.touched += 1
        return super().__getitem__(index)

    def __setitem__(self, index: Any, word: Any) -> None:
        self.touched += 1
        super().__setitem__(index, word)


def touched_by_a_pair(n_pages: int, last: bool) -> int:
    """Words that one `alloc` and one `free` touch in a tree of which half is in use, or all but the last page."""
    in_use = n_pages - 1 if last else n_pages // 2
    tree = FreeTree((1 << n_pages) - (1 << in_use))
    tree._words, tree._groups = Counted(tree._words), Counted(tree._groups)
    tree.add(tree.pop_lowest())
    return tree._words.touched + tree._groups.touched


@pytest.mark.parametrize("last", [False, True], ids=["half in use", "all but one in use"])
def test_a_pair_touches_as_many_words_at_any_size(last: bool) -> None:
    """With one page left every level of the tree runs empty, and fills again, at each call."""
    touched = {touched_by_a_pair(n_pages, last) for n_pages in (1024, 65_536, MILLION)}
    assert len(touched) == 1 and touched.pop() <= 8
