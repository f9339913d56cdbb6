"""Prefix reuse: chained keys, ids compared on a hit, duplicates, and what is left to compute."""

from __future__ import annotations

import pytest
import torch

from astrai_sim.engine.cache import PagedCache, prefix
from astrai_sim.engine.cache.prefix import Prefix, PrefixIndex, full_pages, page_key


def pool(n_pages: int = 8, page_size: int = 2) -> PagedCache:
    return PagedCache(1, n_pages, page_size, 1, 2, "cpu", torch.float32, prefix_caching=True)


def fill(cache: PagedCache, task: str, tokens: list[int]) -> int:
    cached = cache.admit(task, tokens)
    cache.record_pages(task, tokens)
    return cached


def chain(*pages: tuple[int, ...]) -> Prefix:
    end = None
    for tokens in pages:
        end = Prefix(end, tokens)
    return end


def test_full_pages_leave_out_the_rest():
    assert list(full_pages([1, 2, 3, 4, 5], 2)) == [(1, 2), (3, 4)]
    assert list(full_pages([1, 2, 3, 4, 5], 2, first=1)) == [(3, 4)]
    assert list(full_pages([1], 2)) == []


def test_a_key_stands_for_the_whole_prefix():
    assert page_key("", (1, 2)) != page_key("x", (1, 2))
    assert page_key("", (1, 23)) != page_key("", (12, 3)), "ids are told apart"
    assert chain((1, 2), (3, 4)).key != chain((3, 4), (3, 4)).key
    assert chain((1, 2), (3, 4)).key == chain((1, 2), (3, 4)).key


def test_sameness_is_decided_by_all_ids():
    one = chain((1, 2), (3, 4), (5, 6))
    assert one.same(chain((1, 2), (3, 4), (5, 6)))
    assert not one.same(chain((1, 9), (3, 4), (5, 6)))
    assert not one.same(chain((3, 4), (5, 6)))
    assert not chain((3, 4), (5, 6)).same(one)


def test_a_hash_collision_never_gives_wrong_pages(monkeypatch):
    monkeypatch.setattr(prefix, "page_key", lambda parent, tokens: "same for all")
    cache = pool()
    fill(cache, "a", [1, 2, 7])
    assert cache.lookup([3, 4, 7]) == []
    assert cache.lookup([1, 2, 7]) == [0]
    assert cache.lookup([1, 2, 1, 2, 7]) == [0], "the same ids after another prefix"
    fill(cache, "b", [3, 4, 7])
    assert cache.lookup([3, 4, 7]) == [], "the key is taken: the page stays unkeyed"


def test_collisions_of_two_keys_still_find_each_its_own(monkeypatch):
    real = prefix.page_key
    monkeypatch.setattr(prefix, "page_key", lambda above, ids: real(above, ids)[:1])
    cache = pool(n_pages=64, page_size=2)
    texts = [[a, b, a + b, 3, 9] for a in range(4) for b in range(4)]
    for i, text in enumerate(texts):
        fill(cache, f"t{i}", text)
    for text in texts:
        for logical, page in enumerate(cache.lookup(text)):
            known = cache._prefix.keyed(page)
            assert known.tokens == tuple(text[2 * logical : 2 * logical + 2])
            assert (known.parent is None) == (logical == 0)


def test_lookup_stops_at_the_first_miss():
    cache = pool()
    fill(cache, "a", [1, 2, 3, 4, 5, 6, 7])
    assert cache.lookup([1, 2, 3, 4, 5, 6, 7]) == [0, 1, 2]
    assert cache.lookup([1, 2, 9, 4, 5, 6, 7]) == [0]
    assert cache.lookup([9, 2, 3, 4, 5, 6, 7]) == []


@pytest.mark.parametrize("length", range(1, 10))
def test_at_least_the_last_token_is_left_to_compute(length):
    cache = pool()
    text = list(range(10))
    fill(cache, "a", text)
    cached = cache.admit("b", text[:length])
    assert cached == (length - 1) // 2 * 2
    assert cached < length


def test_a_hit_shares_the_page_and_raises_its_refcount():
    cache = pool()
    fill(cache, "a", [1, 2, 3, 4, 5])
    assert fill(cache, "b", [1, 2, 3, 4, 6]) == 4
    assert cache.tables == {"a": [0, 1, 2], "b": [0, 1, 3]}
    assert cache.refs[:4] == [2, 2, 1, 1]
    cache.release("a")
    assert cache.refs[:4] == [1, 1, 0, 1]
    assert cache.lru == []


def test_the_release_of_a_duplicate_leaves_its_living_twin_known():
    cache = pool()
    cache.admit("a", [1, 2, 3])
    cache.admit("b", [1, 2, 3])  # before a's page has a key: both compute the same
    cache.record_pages("a", [1, 2, 3])
    cache.record_pages("b", [1, 2, 3])
    cache.release("b")
    assert cache.lookup([1, 2, 3]) == [0]
    assert cache.free_mask == 0b11111100
    cache.release("a")
    assert cache.lookup([1, 2, 3]) == [0]
    assert cache.lru == [0]


def test_the_pages_after_a_duplicate_are_found_through_its_twin():
    cache = pool()
    cache.admit("a", [1, 2, 3])
    cache.admit("b", [1, 2, 3, 4, 5])
    cache.record_pages("a", [1, 2, 3])
    cache.record_pages("b", [1, 2, 3, 4, 5])
    assert cache.lookup([1, 2, 3, 4, 5]) == [0, 3]
    assert cache._prefix.keyed(3).parent is cache._prefix.keyed(0)


def test_pages_are_keyed_as_they_fill():
    cache = pool()
    text = [1, 2, 3, 4, 5, 6, 7]
    cache.admit("a", text)
    for n in range(1, 8):
        cache.record_pages("a", text[:n])
        assert cache.lookup(text) == [0, 1, 2][: n // 2]


def test_each_full_page_is_looked_at_once(monkeypatch):
    seen = []
    real = prefix.page_key
    monkeypatch.setattr(prefix, "page_key", lambda above, ids: seen.append(ids) or real(above, ids))
    cache = pool(n_pages=64)
    cache.admit("a", [0])
    cache.admit("twin", [0])
    text = list(range(60))
    for n in range(1, 61):
        for task in ("a", "twin"):
            cache.grow(task, n)
            cache.record_pages(task, text[:n])
    assert len(seen) == 2 * 30


def test_an_index_holds_one_prefix_per_page_and_one_page_per_key():
    index = PrefixIndex()
    assert index.record(3, chain((1, 2)))
    assert not index.record(4, chain((1, 2)))
    with pytest.raises(ValueError, match="page 3 has a key already"):
        index.record(3, chain((5, 6)))
    assert 3 in index and 4 not in index and list(index) == [3]
    index.forget(3)
    assert index.find(chain((1, 2))) is None
    with pytest.raises(KeyError):
        index.forget(3)


def test_a_name_that_is_used_again_starts_without_its_old_prefix():
    cache = pool()
    fill(cache, "a", [1, 2, 3, 4, 5])
    cache.release("a")
    fill(cache, "a", [6, 7, 3, 4, 5, 6, 7])
    assert len(cache.lookup([6, 7, 3, 4, 5, 6, 7])) == 3
    assert cache.lookup([1, 2, 3, 4, 5, 6, 7]) == [0, 1]
