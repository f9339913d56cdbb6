"""Recording a whole scenario into a file; Ctrl-C waits for the end of a step."""

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Self

import torch

from astrai_sim.engine.cache import PagedCache
from astrai_sim.recorder.base import BaseRecorder
from astrai_sim.recorder.bulk import BulkRecorder
from astrai_sim.recorder.full import Recorder
from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.lines import LineTracer
from astrai_sim.scenario import CannotRun, Run, Scenario, build
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.limits import too_much
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.private import PrivateWriter
from astrai_sim.workload import Workload

PROGRESS_S = 0.1


class Interrupt:
    """A context in which Ctrl-C is only noted; `check` raises it. A second one is not put off, nor is one that comes
    while `at_once()` is true.

    Outside the main thread, and where something else handles the signal, all stays as it is.
    """

    def __init__(self, at_once: Callable[[], bool] = lambda: False) -> None:
        self.at_once = at_once
        self.wanted = False

    def __enter__(self) -> Self:
        main = threading.current_thread() is threading.main_thread()
        if main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        if signal.getsignal(signal.SIGINT) == self._note:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.wanted or self.at_once():
            raise KeyboardInterrupt
        self.wanted = True

    def check(self) -> None:
        """Raise KeyboardInterrupt if Ctrl-C was pressed."""
        if self.wanted:
            raise KeyboardInterrupt


def record(
    scenario: Scenario,
    path: Path,
    device: torch.device,
    progress: Callable[[int, int], None] = lambda done, total: None,
    workload: Workload | None = None,
    private: bool = False,
) -> str:
    """Run `scenario` on `device` and write its trace to `path`, if `private` through a `PrivateWriter`; returns the
    SHA-256.

    The requests of `workload` stand instead of the scenario's own. `progress` is told
    now and then how many tokens are generated, of how many at most. A file at `path` is
    replaced by a whole trace only. Raises CannotRun when the scenario turns out to ask for what
    cannot be; another exception or an interrupt in mid-run leaves `path`.partial as far as it got.
    """
    making = LineTracer(build, inside=PagedCache.__init__)
    traced = scenario.record.traced_calls and not scenario.record.bulk
    built = _built(making.run if traced else build, scenario, device, workload)
    run = Run(built.scheduler, built.tasks, scenario.stop, scenario.changes, built.clock)
    writer = (PrivateWriter if private else TraceWriter)(path, make_header(scenario, device, built, workload))
    recorder = make_recorder(scenario, writer, built)
    try:
        with Interrupt(lambda: run.waiting) as interrupt:
            built.clock.restart()
            recorder.attach()
            if isinstance(recorder, Recorder) and traced:
                recorder.told("PagedCache.__init__", making)
            total, told = run.total_tokens, 0.0
            for _ in run.steps():
                interrupt.check()
                if time.monotonic() - told > PROGRESS_S:
                    progress(run.generated, total)
                    told = time.monotonic()
            progress(run.generated, total)
            recorder.snapshot()
            assert run.stopped is not None
            return writer.finish(run.stopped)
    except CannotRun:
        writer.discard()
        raise
    except BaseException:
        writer.abandon()
        raise
    finally:
        recorder.detach()


def _built(make: Callable[..., Built], scenario: Scenario, device: torch.device, workload: Workload | None) -> Built:
    """The live objects, with every request known to fit. Raises CannotRun."""
    if wrong := too_much(scenario, device, workload):
        raise CannotRun(wrong)
    try:
        built = make(scenario, device, workload.requests if workload else None)
        for task in built.tasks:
            built.scheduler.check(task)
    except ValueError as error:
        raise CannotRun(str(error)) from error
    return built


def make_recorder(scenario: Scenario, writer: TraceWriter, built: Built) -> BaseRecorder:
    """The recorder that the scenario's [record] table asks for."""
    return (BulkRecorder if scenario.record.bulk else Recorder)(writer, built, scenario.record)
