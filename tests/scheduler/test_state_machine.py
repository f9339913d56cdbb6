"""Cache and scheduler driven at random, compared with the reference after every move."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from astrai_sim.engine.cache import OutOfPages
from astrai_sim.engine.scheduler import POLICIES, SETTINGS, InferenceScheduler, Task
from tests.scheduler.context_model import ContextModel, context_cache, generate
from tests.scheduler.reference import Reference

VOCAB = 3


class Engine(RuleBasedStateMachine):
    """Submit, step, abort, reset, change, hold pages from outside, exhaust, drain.

    Few token ids and small pages make shared prefixes, duplicates and evictions frequent.
    """

    @initialize(
        n_pages=st.integers(3, 12),
        size=st.integers(1, 3),
        max_batch=st.integers(1, 5),
        prefix_caching=st.sampled_from([True, True, False]),
        preemption=st.sampled_from([True, True, False]),
        policy=st.sampled_from(["all", "same-position"]),
        spare=st.none() | st.integers(0, 6),
        aging=st.none() | st.integers(1, 6),
    )
    def start(self, n_pages, size, max_batch, prefix_caching, preemption, policy, spare, aging):
        budget = None if spare is None else max_batch + spare
        self.cache = context_cache(n_pages, size, prefix_caching)
        self.scheduler = InferenceScheduler(
            ContextModel(VOCAB),
            self.cache,
            max_batch=max_batch,
            decode_policy=policy,
            max_tokens_per_step=budget,
            preemption=preemption,
            aging_steps=aging,
        )
        self.reference = Reference(n_pages, size, VOCAB, max_batch, prefix_caching, budget, preemption, policy, aging)
        self.tasks: dict[str, Task] = {}
        self.held: list[int] = []
        self.count = 0

    def send(self, prompt: list[int], max_tokens: int) -> None:
        name = f"t{self.count}"
        self.count += 1
        task = Task(name, prompt, max_tokens)
        if self.reference.submit(name, prompt, max_tokens):
            self.scheduler.submit(task)
            self.tasks[name] = task
        else:
            with pytest.raises(ValueError, match="can never fit"):
                self.scheduler.submit(task)

    def advance(self) -> None:
        self.reference.step()
        self.scheduler.step()

    @rule(prompt=st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=12), max_tokens=st.integers(1, 9))
    def submit(self, prompt, max_tokens):
        self.send(prompt, max_tokens)

    @precondition(lambda self: self.tasks)
    @rule(data=st.data(), extra=st.lists(st.integers(0, VOCAB - 1), max_size=5), max_tokens=st.integers(1, 6))
    def submit_a_continuation(self, data, extra, max_tokens):
        tokens = self.tasks[data.draw(st.sampled_from(sorted(self.tasks)))].tokens
        kept = data.draw(st.integers(1, len(tokens)))
        self.send([*tokens[:kept], *extra], max_tokens)

    @rule(
        stem=st.lists(st.integers(0, VOCAB - 1), min_size=3, max_size=7),
        ends=st.lists(st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=3), min_size=2, max_size=4),
    )
    def submit_sharers(self, stem, ends):
        """Tasks with one start, each when the one before has computed it."""
        for end in ends:
            self.send([*stem, *end], 4)
            self.advance()
            self.compare()

    @rule()
    def step(self):
        self.advance()

    @rule(n=st.integers(2, 8))
    def steps(self, n):
        for _ in range(n):
            self.advance()
            self.compare()

    @precondition(lambda self: self.reference.all())
    @rule(data=st.data())
    def abort(self, data):
        name = data.draw(st.sampled_from([r.name for r in self.reference.all()]))
        self.reference.abort(name)
        self.scheduler.abort(name)

    @precondition(lambda self: len(self.reference.keys) > 3)
    @rule()
    def reset_prefix_cache(self):
        if self.reference.reset():
            self.cache.reset_prefix_cache()
        else:
            with pytest.raises(RuntimeError, match="pages are in use"):
                self.cache.reset_prefix_cache()

    @rule(name=st.sampled_from(SETTINGS), data=st.data())
    def change_setting(self, name, data):
        reference = self.reference
        if name == "decode_policy":
            reference.policy = value = data.draw(st.sampled_from(sorted(POLICIES)))
        elif name == "max_tokens_per_step":
            spare = data.draw(st.none() | st.integers(0, 6))
            reference.budget = value = None if spare is None else reference.max_batch + spare
        else:
            value = bool(self.held) or data.draw(st.booleans())
            needed = sum(reference.most_pages(r) for r in reference.running)
            if not value and needed > reference.n_pages:
                with pytest.raises(ValueError, match="cannot be switched off now"):
                    self.scheduler.change_setting(name, value)
                return
            reference.preemption = value
        self.scheduler.change_setting(name, value)

    @precondition(lambda self: self.reference.preemption)
    @rule(n=st.integers(1, 9))
    def hold(self, n):
        if n > self.reference.available():
            with pytest.raises(OutOfPages):
                self.cache.alloc_n(n)
        else:
            pages = [self.reference.take() for _ in range(n)]
            assert self.cache.alloc_n(n) == pages
            self.held += pages

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def let_go(self, data):
        page = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        self.reference.drop(page)
        self.cache.free(page)
        with pytest.raises(ValueError, match="not in use"):
            self.cache.free(page)

    @precondition(lambda self: self.reference.preemption)
    @rule(prompt=st.lists(st.integers(0, VOCAB - 1), min_size=1, max_size=4))
    def exhaust(self, prompt):
        """As many tasks of the longest length that fits as the batch takes, for some steps."""
        most = self.reference.n_pages * self.reference.size + 1 - len(prompt)
        for first in range(VOCAB):
            if most > 0:
                self.send([first, *prompt[1:]], min(most, 12))
        for _ in range(6):
            self.advance()
            self.compare()

    @rule()
    def drain(self):
        while self.held:
            self.reference.drop(page := self.held.pop())
            self.cache.free(page)
        for _ in range(2000):
            if self.scheduler.idle:
                break
            self.advance()
        assert self.scheduler.idle, "it comes to an end"
        assert not self.reference.all()
        assert not any(self.cache.refs)
        for task in self.tasks.values():
            if task.finish_reason == "length":
                assert task.output == generate(task.prompt, task.max_tokens, VOCAB)

    @rule()
    def stop(self):
        for request in [*self.reference.waiting, *self.reference.running]:
            self.reference.abort(request.name)
        while self.reference.finished:
            self.reference.release(self.reference.finished.pop(0))
        self.scheduler.stop()
        assert self.scheduler.idle

    @invariant()
    def compare(self):
        if not hasattr(self, "reference"):
            return
        cache, reference, scheduler = self.cache, self.reference, self.scheduler
        free = {page for page in range(cache.n_pages) if cache.free_mask >> page & 1}
        assert free == set(reference.free_pages())
        assert cache.refs == reference.refs
        assert cache.lru == reference.lru
        assert cache.tables == reference.tables
        assert cache.n_available == reference.available()
        for queue in ("waiting", "running", "finished"):
            assert [(t.id, str(t.status), t.tokens, t.kv_len) for t in getattr(scheduler, queue)] == [
                (r.name, r.status, r.tokens, r.kv) for r in getattr(reference, queue)
            ]
        held = [*self.held, *(page for table in cache.tables.values() for page in table)]
        assert cache.refs == [held.count(page) for page in range(cache.n_pages)]
        for page in range(cache.n_pages):
            in_use, cached = cache.refs[page] > 0, page in cache.lru
            assert [page in free, in_use, cached].count(True) == 1
            known = cache._prefix.keyed(page)
            assert (known is not None) == (page in reference.keys)
            if known is not None:
                assert page not in free, "what is free has no key"
                assert known.tokens == reference.keys[page][-cache.page_size :]


QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def test_random_use_matches_the_reference():
    run_state_machine_as_test(
        Engine,
        settings=settings(
            max_examples=100,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=QUIET,
        ),
    )


@pytest.mark.slow
def test_much_random_use_matches_the_reference():
    run_state_machine_as_test(
        Engine, settings=settings(max_examples=1500, stateful_step_count=60, deadline=None, suppress_health_check=QUIET)
    )
