"""A production-like load over 65,536 pages: small files, all of it checked."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch

from astrai_sim.recorder import record
from astrai_sim.scenario.schema import CachePart, ModelPart, RecordPart, Scenario, SchedulerPart, WorkloadPart
from astrai_sim.trace import RequestTimes, Series, Trace
from astrai_sim.trace.verify import verify
from astrai_sim.workload import LoadRequest, Workload

N_PAGES, PAGE_SIZE = 65_536, 16


def load(n: int, rate: float) -> Workload:
    """`n` requests, `rate` a second: prompts and answers as skewed as a chat service's are."""
    source = random.Random(4)
    at, requests = 0.0, []
    for _ in range(n):
        at += source.expovariate(rate)
        prompt = min(8000, round(source.lognormvariate(6.6, 1.0)) + 1)
        answer = min(1000, round(source.lognormvariate(4.9, 0.9)) + 1)
        requests.append(LoadRequest(round(at, 4), prompt, answer))
    return Workload("azure", Path("drawn.csv"), "0" * 64, tuple(requests), n, 0, 0)


def recorded(path: Path, n: int, rate: float, caching: bool) -> Trace:
    scenario = Scenario(
        name="scale",
        model=ModelPart(32, 8, 128, 1000, kind="none"),
        cache=CachePart(N_PAGES, PAGE_SIZE, prefix_caching=caching),
        requests=(),
        scheduler=SchedulerPart(max_batch=256),
        record=RecordPart(detail="bulk"),
        workload=WorkloadPart("azure", "drawn.csv"),
    )
    record(scenario, path, torch.device("cpu"), workload=load(n, rate))
    return Trace.open(path)


def holds(trace: Trace, n: int) -> None:
    """Everything verifies, everyone is served, and what is held is what is used."""
    assert verify(trace).events == len(trace)
    series, requests = Series.of(trace), RequestTimes.of(trace)
    assert len(requests) == n and (requests.finished_ns > 0).all()
    assert series.generated.sum() == requests.generated.sum()
    assert (series.kv_slots <= series.reserved_slots).all()
    assert (series.reserved_slots - series.kv_slots < PAGE_SIZE * 257).all()
    last = trace.state_at(len(trace) - 1)
    assert last.n_in_use == 0 and last.n_free + last.n_cached == N_PAGES


def test_a_hundred_requests(tmp_path):
    trace = recorded(tmp_path / "run.jsonl.gz", 100, 20, caching=True)
    holds(trace, 100)
    assert trace.path.stat().st_size < 250_000


@pytest.mark.slow
@pytest.mark.parametrize("caching", [False, True])
def test_two_thousand_requests_take_four_megabytes(tmp_path, caching):
    trace = recorded(tmp_path / "run.jsonl.gz", 2000, 5, caching)
    holds(trace, 2000)
    assert trace.path.stat().st_size < 4_000_000
