"""Ctrl-C and a kill while recording: the file ends at an event."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from astrai_sim.recorder.record import Interrupt
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from tests.conftest import ROOT

LONG = """
[model]
kind = "none"
n_layers = 2
n_kv_heads = 1
head_dim = 8
vocab_size = 100

[cache]
n_pages = 64
page_size = 4

[record]
detail = "{detail}"

[[request]]
name = "endless"
prompt_tokens = 5
max_tokens = 240
"""


def recording(tmp_path, detail: str, name: str) -> subprocess.Popen:
    """A run that goes on until it is stopped: `sleep` makes each step take 50 ms."""
    scenario = tmp_path / f"{name}.toml"
    scenario.write_text(LONG.format(detail=detail))
    code = (
        "import time, sys\n"
        "from astrai_sim.engine.scheduler import ModelFreeScheduler as S\n"
        "step = S.step\n"
        "S.step = lambda self: (time.sleep(0.05), step(self))\n"
        "from astrai_sim.tools.cli import main\n"
        f"main(['record', {str(scenario)!r}, '-o', {str(tmp_path / name)!r}])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until_written(path, process) -> None:
    """Wait until events are in the file."""
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        if path.exists():
            try:
                if len(Trace.open(path)) > 20:
                    return
            except TraceError:
                pass
        time.sleep(0.1)
    raise AssertionError(f"nothing was written: {process.stderr.read()}")


def test_interrupts_and_kills_leave_an_incomplete_trace(tmp_path):
    """Both at once, in full and in bulk, plain and packed."""
    runs = {
        name: recording(tmp_path, detail, name)
        for name, detail in (("int.jsonl.gz", "full"), ("kill.jsonl.gz", "bulk"))
    }
    for name, process in runs.items():
        until_written(tmp_path / f"{name}.partial", process)
        stop = signal.SIGINT if name.startswith("int") else signal.SIGKILL
        process.send_signal(stop)
    said = {name: process.communicate(timeout=60)[1] for name, process in runs.items()}
    assert runs["int.jsonl.gz"].returncode == 130
    assert "interrupted" in said["int.jsonl.gz"] and "Traceback" not in said["int.jsonl.gz"]
    assert runs["kill.jsonl.gz"].returncode == -signal.SIGKILL
    for name in runs:
        assert not (tmp_path / name).exists()
        trace = Trace.open(tmp_path / f"{name}.partial")
        with pytest.raises(TraceError, match=f"incomplete at event {len(trace)}"):
            verify(trace)
        trace.state_at(len(trace) - 1)
    assert Trace.open(tmp_path / "int.jsonl.gz.partial")[-1].event in ("step_end", "snapshot")


@pytest.fixture
def usual_handler():
    """As if Ctrl-C were not ignored where the tests were started."""
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, handler)


def test_ctrl_c_is_put_off_once(usual_handler):
    with Interrupt() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.5)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_nothing_happens_is_not_put_off(usual_handler):
    with Interrupt(lambda: True), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.5)


def test_another_handler_stays():
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGINT)
            interrupt.check()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, handler)
