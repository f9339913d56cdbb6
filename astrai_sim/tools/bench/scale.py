"""What a large trace costs: recording a drawn load, verifying it, opening it, and the state at any event."""

import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify

if TYPE_CHECKING:
    from astrai_sim.workload import Workload

PER_REQUEST = 50
"""Events that a request of the load makes, at least."""
RATE, N_PAGES, PAGE_SIZE = 8.0, 16_384, 16
"""Requests a second, and the pool: that of the scenario `pool_at_scale`."""
ASKED = 200
"""States that are asked for."""


@dataclass(frozen=True)
class Stage:
    """What was done in a process of its own: seconds of its processor and on the wall, and its memory at most, in
    bytes, with all that it imports."""

    name: str
    cpu: float
    wall: float
    peak: int
    told: str


def scale(events: int) -> Iterator[Stage]:
    """A trace of at least so many events of bulk detail: each stage in turn, one process and thread each."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "large.jsonl.gz")
        for name, work in (("recorded", _record), ("verified", _verify), ("opened, gone through once", _open)):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, context) as pool:
                yield pool.submit(_stage, name, work, path, -(-events // PER_REQUEST)).result()


def _stage(name: str, work: Callable[[str, int], str], path: str, requests: int) -> Stage:
    cpu, wall = time.process_time(), time.perf_counter()
    told = work(path, requests)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Stage(name, time.process_time() - cpu, time.perf_counter() - wall, peak, told)


def _record(path: str, requests: int) -> str:
    import torch

    from astrai_sim.recorder import record
    from astrai_sim.scenario.schema import CachePart, ModelPart, RecordPart, Scenario, SchedulerPart, WorkloadPart

    scenario = Scenario(
        name="scale",
        model=ModelPart(n_layers=32, n_kv_heads=8, head_dim=128, vocab_size=128256, kind="none"),
        cache=CachePart(N_PAGES, PAGE_SIZE),
        requests=(),
        scheduler=SchedulerPart(max_batch=256, max_tokens_per_step=4096),
        record=RecordPart(detail="bulk"),
        workload=WorkloadPart("azure", "drawn.csv"),
    )
    record(scenario, Path(path), torch.device("cpu"), workload=_load(requests))
    return f"{requests:,} requests, {Path(path).stat().st_size / 1e6:.0f} MB"


def _load(requests: int) -> "Workload":
    """Requests with prompts and answers as skewed as those of a chat service."""
    from astrai_sim.workload import LoadRequest, Workload

    source, at, drawn = random.Random(0), 0.0, []
    for _ in range(requests):
        at += source.expovariate(RATE)
        prompt = min(8000, round(source.lognormvariate(6.6, 1.0)) + 1)
        drawn.append(LoadRequest(round(at, 4), prompt, min(1000, round(source.lognormvariate(4.9, 0.9)) + 1)))
    return Workload("azure", Path("drawn.csv"), "0" * 64, tuple(drawn), requests, 0, 0)


def _verify(path: str, requests: int) -> str:
    report = verify(Trace.open(path))
    return f"{report.events:,} events, {sum(report.checks.values()):,} comparisons"


def _open(path: str, requests: int) -> str:
    trace = Trace.open(path)
    trace.state_at(len(trace) - 1)
    source, taken = random.Random(0), []
    for seq in source.choices(range(len(trace)), k=ASKED):
        began = time.perf_counter()
        trace.state_at(seq)
        taken.append(time.perf_counter() - began)
    return f"then the state at any event: {1e3 * median(taken):.0f} ms, of {ASKED} at most {1e3 * max(taken):.0f} ms"
