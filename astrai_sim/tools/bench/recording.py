"""What recording costs, and what the recorder leaves behind where it is not used: nothing."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import torch

from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.record import make_recorder
from astrai_sim.scenario import Run, Scenario, build
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.schema import CachePart, ModelPart, RecordPart, RequestPart, SchedulerPart
from astrai_sim.tools.bench.measure import Comparison, Timed, compare, timed
from astrai_sim.trace import TraceWriter

MODEL = ModelPart(n_layers=4, n_heads=8, n_kv_heads=4, head_dim=32, ffn_dim=704, vocab_size=2048)


def scenario_of(detail: str, line_calls: int | None) -> Scenario:
    """Four requests over 32 pages: prefix hits, growth, cached pages."""
    start = tuple(range(40))
    return Scenario(
        name="bench",
        model=MODEL,
        cache=CachePart(n_pages=32, page_size=16, prefix_caching=True),
        scheduler=SchedulerPart(max_batch=4),
        requests=tuple(
            RequestPart(f"r{i}", 16, prompt_ids=(*start, *range(100 * i, 100 * i + 20)), arrival_step=i)
            for i in range(4)
        ),
        record=RecordPart(detail=detail, line_calls=line_calls),
    )


def recording(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """The same run never recorded; after a recorder was put on and taken off; recorded."""
    full, plain, bulk = (scenario_of(*record) for record in (("full", None), ("full", 0), ("bulk", None)))
    runs = {
        "no recorder": _run(full, device, None),
        "recorder taken off": _run(full, device, _taken_off),
        "bulk recording": _run(bulk, device, _left_on),
        "recording": _run(plain, device, _left_on),
        "recording with lines": _run(full, device, _left_on),
    }
    yield from compare("4 requests of 16 tokens", runs, rounds)


Watch = Callable[[Scenario, TraceWriter, Built], AbstractContextManager]


@contextmanager
def _left_on(scenario: Scenario, writer: TraceWriter, built: Built) -> Iterator[None]:
    recorder = make_recorder(scenario, writer, built)
    recorder.attach()
    try:
        yield
    finally:
        recorder.detach()


@contextmanager
def _taken_off(scenario: Scenario, writer: TraceWriter, built: Built) -> Iterator[None]:
    with _left_on(scenario, writer, built):
        pass
    yield


def _run(scenario: Scenario, device: torch.device, watch: Watch | None) -> Timed:
    def run() -> float:
        built = build(scenario, device)
        steps = Run(built.scheduler, built.tasks, scenario.stop, clock=built.clock).steps()
        serve = timed(lambda: list(steps), device)
        if watch is None:
            return serve()
        with tempfile.TemporaryDirectory() as folder:
            header = make_header(scenario, device, built)
            writer = TraceWriter(Path(folder) / "trace.jsonl.gz", header)
            with watch(scenario, writer, built):
                seconds = serve()
            writer.discard()
            return seconds

    return run
