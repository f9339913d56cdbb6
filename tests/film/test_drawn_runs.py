"""Films of drawn runs are clean and true, or say in one line why there is none."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from astrai_sim.scenario.schema import CachePart, ChangePart, RecordPart, RequestPart, Scenario, SchedulerPart
from scenes.film import catalog
from tests.film.clean import assert_clean_or_told_why_not
from tests.trace.recording import TINY, recorded


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


@pytest.mark.slow
@pytest.mark.parametrize(("name", "chunks"), [("Fragmentation", False), ("ChunkedPrefill", True)])
def test_films_of_drawn_runs(name, chunks, tmp_path):
    told = 0
    for seed in range(10):
        path = tmp_path / f"{seed}.jsonl"
        recorded(drawn(seed, chunks), path)
        told += assert_clean_or_told_why_not(catalog.film(name), path) is not None
    assert told >= 3
