"""Films of five drawn runs each that they can tell are clean and true."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest

from astrai_sim.scenario.schema import (
    CachePart,
    ChangePart,
    PrefixPart,
    RecordPart,
    RequestPart,
    Scenario,
    SchedulerPart,
)
from scenes.film import catalog
from scenes.story.history.history import history_of
from scenes.story.history.prompts import prompts
from tests.film.clean import assert_clean_or_told_why_not
from tests.trace.recording import TINY, recorded

RUNS, MOST = 5, 20
"""Drawn runs that each film tells, and of how many at most."""


def drawn(seed: int, chunks: bool) -> Scenario:
    """Up to 14 requests that each fit a pool of up to 60 pages; with `chunks`, a token budget
    that comes in mid-run."""
    source = random.Random(seed)
    page_size, n_pages = source.choice((4, 8, 16, 32)), source.randint(4, 60)
    slots, style = page_size * n_pages, source.choice(("A", "request-", "r"))
    requests = tuple(
        RequestPart(
            f"{style}{i}",
            source.randint(1, max(2, min(40, slots // 4))),
            prompt_tokens=source.randint(1, max(2, min(120, slots // 3))),
            arrival_step=source.randint(0, 20),
        )
        for i in range(source.randint(2, 14))
    )
    return Scenario(
        name="drawn",
        seed=seed,
        model=replace(TINY, vocab_size=source.choice((16, 64))),
        cache=CachePart(n_pages, page_size, prefix_caching=source.random() < 0.5),
        scheduler=SchedulerPart(max_batch=source.choice((2, 8, 14)), eos=source.choice((None, 0))),
        record=RecordPart(line_calls=0),
        requests=requests,
        changes=(ChangePart(source.randint(2, 12), max_tokens_per_step=16),) if chunks else (),
    )


def shared(seed: int) -> Scenario:
    """Up to six requests that begin with the same tokens, in a pool that little more than one fits into, or more."""
    source = random.Random(seed)
    size, pages = source.choice((4, 8, 16)), source.randint(2, 4)
    start = size * pages + source.randint(0, size - 1)
    apart = source.randint(0, 6)
    requests = tuple(
        RequestPart(
            f"{'Aq'[seed % 2]}{i}",
            source.randint(2, 3 * size),
            prompt_tokens=source.randint(1, 2 * size),
            prefix="start",
            arrival_step=i * apart,
        )
        for i in range(source.randint(2, 6))
    )
    most = max(-(-(start + (one.prompt_tokens or 0) + one.max_tokens) // size) for one in requests)
    return Scenario(
        name="drawn",
        title="A drawn scenario",
        seed=seed,
        model=TINY,
        cache=CachePart(min(33, most + source.randint(1, 12)), size, prefix_caching=True),
        scheduler=SchedulerPart(max_batch=source.choice((2, 4, 8))),
        record=RecordPart(line_calls=source.choice((0, 4))),
        prefixes=(PrefixPart("start", tokens=start),),
        requests=requests,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("Fragmentation", partial(drawn, chunks=False)),
        ("ChunkedPrefill", partial(drawn, chunks=True)),
        *((name, shared) for name in ("PrefixSharing", "Opening", "Eviction")),
    ],
)
def test_films_of_drawn_runs(name, make, tmp_path):
    told = 0
    for seed in range(MOST):
        recorded(make(seed), path := tmp_path / f"{seed}.jsonl")
        told += assert_clean_or_told_why_not(catalog.film(name), path) is not None
        if told == RUNS:
            return
    pytest.fail(f"{name} tells {told} of {MOST}")


def test_a_tape_that_makes_room_for_another_is_still_read(tmp_path):
    recorded(shared(8), path := tmp_path / "run.jsonl")
    assert assert_clean_or_told_why_not(catalog.film("PrefixSharing"), path) is not None


def test_a_prompt_that_gave_way_between_two_chunks_is_none_to_compare(tmp_path):
    history = history_of(recorded(drawn(20, True), tmp_path / "run.jsonl"))
    assert all(prompt.tokens <= history.requests[prompt.task].prompt for prompt in prompts(history))
    assert any(
        life.computed[0].start == life.computed[1].start for life in history.requests.values() if len(life.computed) > 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [18, 20])
def test_sentences_fit_the_time_that_is_left_and_prompts_have_the_tokens_that_came(seed, tmp_path):
    """In the first the clock ends soon after the wait; in the second a prompt gives way between two chunks. Both are
    timed as they run, on a machine that should do nothing else."""
    recorded(drawn(seed, True), path := tmp_path / "run.jsonl")
    assert assert_clean_or_told_why_not(catalog.film("ChunkedPrefill"), path) is not None
