"""What recording costs, and what the recorder leaves behind where it is not used: nothing."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.record import make_recorder
from astrai_sim.scenario import Run, Scenario, build
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
        "recorder taken off": _run(full, device, "off"),
        "bulk recording": _run(bulk, device, "on"),
        "recording": _run(plain, device, "on"),
        "recording with lines": _run(full, device, "on"),
    }
    yield from compare("4 requests of 16 tokens", runs, rounds)


def _run(scenario: Scenario, device: torch.device, recorder: str | None) -> Timed:
    """The run with a recorder that is "on", was put on and taken "off", or never was."""

    def run() -> float:
        built = build(scenario, device)
        steps = Run(built.scheduler, built.tasks, scenario.stop, clock=built.clock).steps()
        serve = timed(lambda: list(steps), device)
        if recorder is None:
            return serve()
        with tempfile.TemporaryDirectory() as folder:
            writer = TraceWriter(Path(folder) / "trace.jsonl.gz", make_header(scenario, device, built))
            watching = make_recorder(scenario, writer, built)
            watching.attach()
            if recorder == "off":
                watching.detach()
            seconds = serve()
            watching.detach()
            writer.discard()
            return seconds

    return run
