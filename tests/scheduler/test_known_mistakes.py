"""Mistakes made in engines like this one; each test fails if its mistake comes back."""

from __future__ import annotations

import pytest
import torch

from astrai_sim.engine.cache import CacheView, OutOfPages
from astrai_sim.engine.scheduler import InferenceScheduler, Status, Task
from tests.scheduler.context_model import ContextModel, context_cache, generate

VOCAB = 13


def scheduler_of(n_pages: int, page_size: int = 2, **choices) -> InferenceScheduler:
    return InferenceScheduler(ContextModel(VOCAB), context_cache(n_pages, page_size), **choices)


def serve(scheduler: InferenceScheduler, *tasks: Task) -> None:
    for task in tasks:
        scheduler.submit(task)
    for _ in range(300):
        if scheduler.idle:
            return
        scheduler.step()
    raise AssertionError("not served in 300 steps")


def test_a_page_is_not_found_after_another_prefix():
    """A key without its parent: [3,4,1,2] hits the pages of [1,2,3,4], swapped."""
    scheduler = scheduler_of(n_pages=12)
    cache = scheduler.cache
    forth, back = [1, 2, 3, 4, 9], [3, 4, 1, 2, 9]
    serve(scheduler, Task("forth", forth, 1))
    assert cache.lookup(forth) == [0, 1]
    assert cache.lookup(back) == []
    swapped = Task("back", back, 3)
    serve(scheduler, swapped)
    assert swapped.output == generate(back, 3, VOCAB)
    pages = cache.lookup(back)
    assert len(pages) == 2, "both orders stay cached, each with keys of its own"
    assert not set(pages) & set(cache.lookup(forth))


def test_a_hit_on_a_page_in_use_is_not_looked_for_in_the_lru():
    """`touch` on a page that is not in the LRU: KeyError in the middle of an admission."""
    scheduler = scheduler_of(n_pages=8)
    cache = scheduler.cache
    first, second = Task("first", [1, 2, 3], 6), Task("second", [1, 2, 4], 2)
    scheduler.submit(first)
    scheduler.step()
    assert cache.lru == []
    scheduler.submit(second)
    scheduler.step()
    assert cache.tables["second"][0] == cache.tables["first"][0] == 0
    assert cache.refs[0] == 2
    serve(scheduler)
    assert [first.output, second.output] == [generate(first.prompt, 6, VOCAB), generate(second.prompt, 2, VOCAB)]


def test_a_revived_page_is_never_handed_out():
    """A cached page handed out while live: the hit must take it out of the LRU first."""
    cache = context_cache(n_pages=4, page_size=2)
    cache.admit("first", [1, 2, 3, 4, 5])
    cache.record_pages("first", [1, 2, 3, 4, 5])
    cache.release("first")
    assert cache.lru == [1, 0]
    cache.admit("second", [1, 2, 3, 4, 6])
    revived = cache.tables["second"][:2]
    assert revived == [0, 1]
    assert cache.lru == []
    taken = []
    with pytest.raises(OutOfPages):
        while True:
            taken.append(cache.alloc())
    assert sorted([*cache.tables["second"], *taken]) == [0, 1, 2, 3]
    assert cache.refs == [1, 1, 1, 1]


def test_pages_of_the_own_prefix_are_not_evicted_during_the_admission():
    """The same in one admission: its new pages must not come out of its own hits."""
    scheduler = scheduler_of(n_pages=5)
    serve(scheduler, Task("first", [1, 2, 3, 4, 5], 1))
    serve(scheduler, Task("other", [7, 8, 9, 10, 11], 1))
    assert scheduler.cache.lru == [1, 0, 3, 2], "the hits to come are the first to be evicted"
    task = Task("second", [1, 2, 3, 4, 6, 7, 8, 9], 3)
    scheduler.submit(task)
    scheduler.refill()
    assert scheduler.cache.tables["second"] == [0, 1, 4, 3]
    serve(scheduler)
    assert task.output == generate(task.prompt, 3, VOCAB)


def test_a_double_free_is_refused():
    """Refcount -1, and the page handed out twice."""
    cache = context_cache(n_pages=3, page_size=2)
    page = cache.alloc()
    cache.free(page)
    with pytest.raises(ValueError, match="page 0 is not in use"):
        cache.free(page)
    assert (cache.refs, cache.free_mask) == ([0, 0, 0], 0b111)
    cache.admit("a", [1, 2, 3])
    cache.record_pages("a", [1, 2, 3])
    cache.release("a")
    assert cache.lru == [0]
    with pytest.raises(ValueError, match="page 0 is not in use"):
        cache.free(0)
    assert (cache.refs, cache.free_mask, cache.lru) == ([0, 0, 0], 0b110, [0])
    assert sorted(cache.alloc_n(3)) == [0, 1, 2]


@pytest.mark.parametrize("preemption", [True, False])
def test_refill_loses_no_task_after_one_that_does_not_fit(preemption):
    """Tasks taken off the queue to look at them, and dropped when the first did not fit."""
    scheduler = scheduler_of(n_pages=4, preemption=preemption)
    scheduler.submit(Task("running", [0, 1, 2, 3, 4], 3))
    scheduler.step()
    late = [Task("large", [1] * 6, 2), Task("small", [2], 2), Task("other", [3], 2)]
    for task in late:
        scheduler.submit(task)
    scheduler.refill()
    assert [task.id for task in scheduler.waiting] == ["large", "small", "other"]
    serve(scheduler)
    assert [task.output for task in late] == [generate(task.prompt, 2, VOCAB) for task in late]


def test_a_page_that_is_used_again_has_lost_its_old_key():
    """A stale key: the evicted page is found for what it held before."""
    scheduler = scheduler_of(n_pages=3)
    cache = scheduler.cache
    old, new = [1, 2, 3], [4, 5, 6, 7, 8]
    serve(scheduler, Task("old", old, 1))
    assert cache.lookup(old) == [0]
    serve(scheduler, Task("new", new, 1))
    assert cache.lookup(old) == []
    assert cache.lookup(new) != []
    again = Task("again", old, 3)
    serve(scheduler, again)
    assert again.output == generate(old, 3, VOCAB)


def test_a_freed_page_has_no_key():
    """The same by way of `free`: a page that is free is found by nobody."""
    cache = context_cache(n_pages=4, page_size=2)
    for task in ("a", "twin"):
        cache.admit(task, [1, 2, 3])
    cache.record_pages("a", [1, 2, 3])
    cache.record_pages("twin", [1, 2, 3])
    cache.release("twin")
    cache.release("a")
    cache.reset_prefix_cache()
    for page in range(4):
        assert cache._prefix.keyed(page) is None
    assert cache.lookup([1, 2, 3]) == []


def test_an_abort_in_the_middle_of_a_prefill_leaks_no_page():
    scheduler = scheduler_of(n_pages=8, max_batch=2, max_tokens_per_step=4)
    scheduler.submit(Task("long", [1] * 11, 4))
    scheduler.step()
    (task,) = scheduler.running
    assert (task.status, task.kv_len) == (Status.PREFILLING, 4)
    scheduler.abort("long")
    scheduler.step()
    assert scheduler.idle
    assert scheduler.cache.tables == {}
    assert scheduler.cache.refs == [0] * 8
    assert len(scheduler.cache.alloc_n(8)) == 8


def test_a_stop_leaks_no_page():
    scheduler = scheduler_of(n_pages=16, max_batch=3, max_tokens_per_step=5)
    for i in range(5):
        scheduler.submit(Task(f"t{i}", [i] * (4 + i), 4))
    for _ in range(3):
        scheduler.step()
    states = {task.status for task in scheduler.tasks()}
    assert {Status.WAITING, Status.PREFILLING, Status.RUNNING} <= states
    scheduler.stop()
    assert scheduler.idle
    assert scheduler.cache.tables == {}
    assert scheduler.cache.refs == [0] * 16
    assert len(scheduler.cache.alloc_n(16)) == 16


def test_the_entry_that_pads_a_table_does_not_write_the_last_page():
    """-1 as an index is the last page: a shorter sequence's padding wrote into it."""
    scheduler = scheduler_of(n_pages=6)
    cache = scheduler.cache
    victim = Task("victim", [7], 4)
    cache.alloc_n(5)
    scheduler.submit(victim)
    scheduler.step()
    assert cache.tables["victim"] == [5], "the last page is somebody's"
    for page in range(5):
        cache.free(page)
    before = cache.k_cache[0, 5].clone()
    for i in range(3):
        scheduler.submit(Task(f"t{i}", [i] * (1 + 2 * i), 1))
    scheduler.refill()
    scheduler.prefill()
    assert torch.equal(cache.k_cache[0, 5], before)
    serve(scheduler)
    assert victim.output == generate(victim.prompt, 4, VOCAB)


def test_a_position_past_a_padded_table_is_refused_and_nothing_written():
    cache = context_cache(n_pages=6, page_size=2)
    table = torch.tensor([[0, 1], [2, -1]])
    positions = torch.tensor([[0, 1, 2], [0, 1, 2]])
    ones = torch.ones(2, 3, 1, 2, dtype=torch.float64)
    with pytest.raises(IndexError):
        cache.write(0, table, positions, ones, ones)
    assert not cache.k_cache.any()
    with pytest.raises(IndexError):
        cache.gather(0, table, torch.tensor([3, 3]))
    with pytest.raises(IndexError):
        CacheView(cache, [[0, 1], [2]], [0, 0], [3, 3])
