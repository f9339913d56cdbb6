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


@dataclass(frozen=True)
class Load:
    """Requests that come `rate` a second, in a trace of that `detail`, each of which makes `per_request` events or so.

    Prompts and answers are drawn from log-normal distributions, `prompt` and `answer` being mean and deviation of the
    logarithm and the most there may be. `batch` requests run at once, `budget` tokens are computed in a step.
    """

    detail: str
    per_request: int
    rate: float
    prompt: tuple[float, float, int]
    answer: tuple[float, float, int]
    n_pages: int
    batch: int
    budget: int


LOADS = (
    Load("full", 95, 24.0, (3.7, 0.8, 200), (3.2, 0.8, 100), 512, 16, 256),
    Load("bulk", 34, 8.0, (6.6, 1.0, 8000), (4.9, 0.9, 1000), 16_384, 256, 4096),
)
"""Small requests, told page by page and token by token; and requests as skewed as those of a chat service, in the pool
of the scenario `pool_at_scale`, more than it can serve."""
PAGE_SIZE = 16
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


def scale(load: Load, events: int) -> Iterator[Stage]:
    """A trace of about so many events: each stage in turn, one process and thread each."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "large.jsonl.gz")
        for name, work in (("recorded", _record), ("verified", _verify), ("opened, gone through once", _open)):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, context) as pool:
                yield pool.submit(_stage, name, work, path, load, -(-events // load.per_request)).result()


def _stage(name: str, work: Callable[[str, Load, int], str], path: str, load: Load, requests: int) -> Stage:
    cpu, wall = time.process_time(), time.perf_counter()
    told = work(path, load, requests)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Stage(name, time.process_time() - cpu, time.perf_counter() - wall, peak, told)


def _record(path: str, load: Load, requests: int) -> str:
    import torch

    from astrai_sim.recorder import record
    from astrai_sim.scenario.schema import CachePart, ModelPart, RecordPart, Scenario, SchedulerPart, WorkloadPart

    scenario = Scenario(
        name="scale",
        model=ModelPart(n_layers=32, n_kv_heads=8, head_dim=128, vocab_size=128256, kind="none"),
        cache=CachePart(load.n_pages, PAGE_SIZE),
        requests=(),
        scheduler=SchedulerPart(max_batch=load.batch, max_tokens_per_step=load.budget),
        record=RecordPart(detail=load.detail),
        workload=WorkloadPart("azure", "drawn.csv"),
    )
    record(scenario, Path(path), torch.device("cpu"), workload=_drawn(load, requests))
    return f"{requests:,} requests, {Path(path).stat().st_size / 1e6:.0f} MB"


def _drawn(load: Load, requests: int) -> "Workload":
    from astrai_sim.workload import LoadRequest, Workload

    source, at, drawn = random.Random(0), 0.0, []
    for _ in range(requests):
        at += source.expovariate(load.rate)
        prompt, answer = (
            min(most, round(source.lognormvariate(mean, deviation)) + 1)
            for mean, deviation, most in (load.prompt, load.answer)
        )
        drawn.append(LoadRequest(round(at, 4), prompt, answer))
    return Workload("azure", Path("drawn.csv"), "0" * 64, tuple(drawn), requests, 0, 0)


def _verify(path: str, load: Load, requests: int) -> str:
    report = verify(Trace.open(path))
    return f"{report.events:,} events, {sum(report.checks.values()):,} comparisons"


def _open(path: str, load: Load, requests: int) -> str:
    trace = Trace.open(path)
    trace.state_at(len(trace) - 1)
    source, taken = random.Random(0), []
    for seq in source.choices(range(len(trace)), k=ASKED):
        began = time.process_time()
        trace.state_at(seq)
        taken.append(time.process_time() - began)
    return f"then the state at any event: {1e3 * median(taken):.0f} ms, of {ASKED} at most {1e3 * max(taken):.0f} ms"
