"""The text is the same with pages cached or not, prompts chunked or not, tasks preempted or not."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from itertools import product

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astrai_sim.engine.cache import PagedCache, pages_for
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.model import Transformer
from tests.model.paged import Dense, small
from tests.scheduler.context_model import ContextModel, context_cache, generate

MARGIN = 2e-3
"""Least gap between the two largest logits; paged and dense ones differ by some 1e-6."""


@dataclass(frozen=True)
class Request:
    prompt: tuple[int, ...]
    max_tokens: int
    arrival_step: int


def most_slots(workload: list[Request]) -> int:
    return max(len(request.prompt) + request.max_tokens - 1 for request in workload)


def serve(model, cache: PagedCache, workload: list[Request], **choices) -> tuple[list, Counter]:
    """Outputs in the order of the workload, and what happened on the way."""
    scheduler = InferenceScheduler(model, cache, **choices)
    happened: Counter = Counter()
    preempt, forward, admit = scheduler._preempt, scheduler._forward, cache.admit

    def counted_preempt(task):
        happened["preempted"] += 1
        preempt(task)

    def counted_forward(batch):
        for task, start, count in batch:
            happened["chunks"] += count > 1 and start + count < task.n_tokens
        return forward(batch)

    def counted_admit(task, tokens):
        cached = admit(task, tokens)
        happened["hit tokens"] += cached
        return cached

    scheduler._preempt, scheduler._forward, cache.admit = (counted_preempt, counted_forward, counted_admit)
    tasks = [Task(f"t{i}", list(r.prompt), r.max_tokens) for i, r in enumerate(workload)]
    pending = sorted(range(len(tasks)), key=lambda i: workload[i].arrival_step)
    for step in range(5000):
        if scheduler.idle and not pending:
            break
        while pending and workload[pending[0]].arrival_step <= step:
            scheduler.submit(tasks[pending.pop(0)])
        scheduler.step()
    assert scheduler.idle
    assert not any(cache.refs)
    return [task.output for task in tasks], happened


def drawn_workload(source: random.Random, vocab: int, n: int) -> list[Request]:
    """Requests of which many begin with what another began with."""
    stems = [[source.randrange(vocab) for _ in range(source.randint(4, 16))] for _ in range(2)]
    workload = []
    for _ in range(n):
        stem = source.choice([*stems, []])
        own = [source.randrange(vocab) for _ in range(source.randint(1, 8))]
        workload.append(Request((*stem, *own), source.randint(1, 12), source.randint(0, 8)))
    return workload


# every logit exact: any wrong slot changes the text

requests = st.builds(
    Request, st.lists(st.integers(0, 2), min_size=1, max_size=14).map(tuple), st.integers(1, 8), st.integers(0, 6)
)


@settings(max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    workload=st.lists(requests, min_size=1, max_size=7),
    size=st.integers(1, 5),
    extra=st.integers(0, 6),
    max_batch=st.integers(1, 5),
    spare=st.none() | st.integers(0, 6),
    policy=st.sampled_from(["all", "same-position"]),
    preemption=st.booleans(),
    prefix_caching=st.booleans(),
)
def test_any_workload_under_any_choice_gives_the_text_of_each_request_alone(
    workload, size, extra, max_batch, spare, policy, preemption, prefix_caching
):
    cache = context_cache(pages_for(most_slots(workload), size) + extra, size, prefix_caching)
    got, _ = serve(
        ContextModel(7),
        cache,
        workload,
        max_batch=max_batch,
        decode_policy=policy,
        max_tokens_per_step=None if spare is None else max_batch + spare,
        preemption=preemption,
    )
    assert got == [generate(request.prompt, request.max_tokens, 7) for request in workload]


# the real model in float32, compared with a contiguous cache that serves one request at a time


def dense_text(model: Transformer, request: Request) -> tuple[list[int], float]:
    """The greedy text, and the least margin by which a token was chosen."""
    dense, tokens, margin = Dense(model), list(request.prompt), float("inf")
    logits = dense.feed(tokens)
    output = []
    for _ in range(request.max_tokens):
        first, second = logits.topk(2).values.tolist()
        margin = min(margin, first - second)
        output.append(int(logits.argmax()))
        logits = dense.feed(output[-1:])
    return output, margin


CHOICES = [
    {"prefix_caching": caching, "tight": tight, "max_tokens_per_step": budget}
    for caching, tight, budget in product((True, False), (True, False), (None, 7))
]


@pytest.mark.parametrize("seed", [1, 3, 6, 9])
def test_the_model_writes_the_same_text_under_every_choice(seed):
    model = Transformer.seeded(small(), seed, "cpu", torch.float32)
    c = model.config
    workload = drawn_workload(random.Random(seed), c.vocab_size, 9)
    expected, margins = zip(*(dense_text(model, request) for request in workload), strict=True)
    assert min(margins) > MARGIN, "two tokens are too close to tell paths apart: another seed"
    for choice in CHOICES:
        n_pages = pages_for(most_slots(workload), 4) + (1 if choice["tight"] else 60)
        for policy in ("all", "same-position"):
            cache = PagedCache(
                c.n_layers,
                n_pages,
                4,
                c.n_kv_heads,
                c.head_dim,
                "cpu",
                torch.float32,
                prefix_caching=choice["prefix_caching"],
            )
            got, happened = serve(
                model,
                cache,
                workload,
                max_batch=5,
                decode_policy=policy,
                max_tokens_per_step=choice["max_tokens_per_step"],
            )
            assert got == list(expected), (choice, policy)
            assert (happened["preempted"] > 0) == choice["tight"]
            assert (happened["hit tokens"] > 0) == choice["prefix_caching"]
            assert (happened["chunks"] > 0) == (choice["max_tokens_per_step"] is not None)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("choice", CHOICES)
def test_the_model_writes_the_same_text_on_cuda(choice):
    model = Transformer.seeded(small(), 10, "cuda", torch.float32)
    c = model.config
    workload = drawn_workload(random.Random(10), c.vocab_size, 9)
    expected, margins = zip(*(dense_text(model, request) for request in workload), strict=True)
    assert min(margins) > MARGIN
    n_pages = pages_for(most_slots(workload), 4) + (1 if choice["tight"] else 60)
    cache = PagedCache(
        c.n_layers, n_pages, 4, c.n_kv_heads, c.head_dim, "cuda", torch.float32, prefix_caching=choice["prefix_caching"]
    )
    got, _ = serve(model, cache, workload, max_batch=5, max_tokens_per_step=choice["max_tokens_per_step"])
    assert got == list(expected)
