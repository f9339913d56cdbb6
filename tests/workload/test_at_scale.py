"""A production load on a big pool: the shipped recording, and ten thousand requests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from astrai_sim.recorder import record
from astrai_sim.scenario import find_scenario, load_requests, load_scenario
from astrai_sim.trace import RequestTimes, Series, Trace
from astrai_sim.trace.verify import verify

ROOT = Path(__file__).resolve().parents[2]
AZURE_SLICE = ROOT.parent / "shared" / "workloads" / "AzureLLMInferenceTrace_conv.csv"


def test_the_shipped_run_fills_the_pool_and_drains_it():
    trace = Trace.open(ROOT / "assets" / "traces" / "pool_at_scale.jsonl.gz")
    header = trace.header
    assert (header.model, header.clock, header.detail) == ("none", "cost-model", "bulk")
    assert not header.engine.commit.endswith("+")
    series = Series.of(trace)
    share = series.in_use / header.scenario.cache.n_pages
    assert share.max() == 1.0 and share[share.argmax() :].min() < 0.3
    assert series.waiting.max() > 100 and series.preemptions.sum() > 100
    assert (series.waiting[-1], series.running[-1]) == (0, 0)
    requests = RequestTimes.of(trace)
    assert len(requests) == header.workload.requests > 1000
    assert (requests.finished_ns > 0).all()


@pytest.mark.slow
@pytest.mark.skipif(not AZURE_SLICE.exists(), reason=f"the Azure trace is not at {AZURE_SLICE}")
def test_ten_thousand_requests_over_65536_pages(tmp_path: Path):
    path = find_scenario("pool_at_scale")
    scenario = load_scenario(path)
    scenario = replace(
        scenario,
        cache=replace(scenario.cache, n_pages=65536),
        scheduler=replace(scenario.scheduler, max_batch=1024),
        workload=replace(scenario.workload, window=None, limit=10_000, time_scale=0.5),
    )
    scenario, workload = load_requests(scenario, path, AZURE_SLICE)
    record(scenario, tmp_path / "big.jsonl.gz", torch.device("cpu"), workload=workload)
    trace = Trace.open(tmp_path / "big.jsonl.gz")
    verify(trace)
    assert sum(1 for _ in trace.find("task_finished")) == 10_000
