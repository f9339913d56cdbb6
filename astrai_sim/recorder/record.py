"""Recording a whole scenario into a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.recorder import Recorder
from astrai_sim.scenario import Run, Scenario, build
from astrai_sim.trace import TraceWriter


def record(
    scenario: Scenario,
    path: Path,
    device: torch.device,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> str:
    """Run `scenario` on `device` and write its trace to `path`; returns the SHA-256.

    `progress` is told after each step how many tokens are generated, of how many
    at most. Raises ValueError before anything is written when a request can never
    fit. An exception or interrupt in mid-run leaves the file as far as it got.
    """
    built = build(scenario, device)
    for task in built.tasks:
        built.scheduler.check(task)
    chosen = scenario.record
    writer = TraceWriter(path, make_header(scenario, device, built))
    recorder = Recorder(
        writer,
        built.scheduler,
        kv_layer=chosen.kv_layer,
        snapshot_every=chosen.snapshot_every,
        line_calls=chosen.line_calls,
        line_steps=chosen.line_steps,
    ).attach()
    try:
        run = Run(built.scheduler, built.tasks, scenario.stop, scenario.changes)
        for _ in run.steps():
            progress(run.generated, run.total_tokens)
        recorder.snapshot()
        return writer.finish(run.stopped)
    except BaseException:
        writer.flush()
        writer.abandon()
        raise
    finally:
        recorder.detach()
