"""An error of the recording never reaches the engine that is recorded: the recording ends, the engine goes on."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from astrai_sim.adapters import RecordingFailed, astrai, astrai_before, attach, mini_sglang, nano_vllm
from astrai_sim.adapters.following import Follower
from astrai_sim.adapters.ledger import Slots
from astrai_sim.adapters.stepping import Stepper
from astrai_sim.recorder import lines
from astrai_sim.trace import Trace, TraceWriter
from astrai_sim.trace.verify import verify
from tests.adapters.parts import until_idle
from tests.adapters.standins import TreeScheduler
from tests.adapters.standins_before import FacadeScheduler, PagesScheduler
from tests.adapters.standins_blocks import BlockEngine
from tests.adapters.standins_slots import SlotScheduler
from tests.adapters.test_attach import everything

SHAPES = {
    "tree": (TreeScheduler, astrai.Radix, lambda e: astrai.Radix.paged(e)),
    "facade": (FacadeScheduler, astrai_before.Facade, lambda e: astrai_before.Facade.paged(e)),
    "pages": (PagesScheduler, astrai_before.Pages, lambda e: astrai_before.Pages.paged(e)),
    "blocks": (BlockEngine, nano_vllm.NanoVLLM, lambda e: nano_vllm.Blocks(e.scheduler.block_manager)),
    "slots": (SlotScheduler, mini_sglang.MiniSGLang, lambda e: Slots(e.cache_manager)),
}
ASKED = [([5, 6, 7, 8, 9, 1], 5), ([5, 6, 7, 8, 9, 2], 3), ([4] * 9, 6)]
OURS = "this one is ours"


def run(engine: Any, pool: Callable[[Any], Any]) -> tuple[int, int, list[int]]:
    """Serve some requests: steps, and what is free and what is cached at the end."""
    for number, (prompt, most) in enumerate(ASKED):
        engine.add(f"r{number}", prompt, most)
    turns = 0
    while engine.turn():
        turns += 1
    return turns, pool(engine).free_mask, [*getattr(pool(engine), "lru", ())]


def failing(handler: Callable, early: bool, called: list[str]) -> Callable:
    """`handler`, but raising before or after the engine's method was called."""

    @functools.wraps(handler)
    def fails(self: Any, original: Callable, *args: Any, **kwargs: Any) -> Any:
        called.append(handler.__qualname__)
        if not early:
            original(*args, **kwargs)
        raise RuntimeError(OURS)

    return fails


@pytest.mark.parametrize("early", [True, False], ids=["before the call", "after the call"])
@pytest.mark.parametrize("name", SHAPES)
def test_whichever_handler_fails_the_engine_goes_on_and_nothing_is_kept(
    name: str, early: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, kind, pool = SHAPES[name]
    expected, failed = run(shape(), pool), set()
    for method in [method for method in dir(kind) if method.startswith("_on_")]:
        engine, called = shape(), []
        before = everything(engine)
        with monkeypatch.context() as patch:
            patch.setattr(kind, method, failing(getattr(kind, method), early, called))
            attached = attach(engine, tmp_path / "run.jsonl")
            assert run(engine, pool) == expected, method
            if not called:
                attached.detach()
                attached.path.unlink()
                continue
            left = everything(engine)
            assert {key: known for key, known in left.items() if key in before} == before, method
            with pytest.raises(RecordingFailed, match=r"\._on_\w+, which watches ") as raised:
                attached.detach()
            inner = f"{called[0]}, which" not in str(raised.value)  # one that misses what this one did not do
            assert not (early and inner)
            assert inner or str(raised.value).endswith(f"failed: RuntimeError: {OURS}")
            assert inner or str(raised.value.__cause__) == OURS
            assert not list(tmp_path.iterdir())
            failed.add(method)
    assert len(failed) >= 6


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize(
    "owner, method",
    [(Follower, "came"), (Follower, "went"), (Follower, "computed"), (Stepper, "end_step"), (TraceWriter, "event")],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_so_it_does_where_what_handlers_call_fails(
    name: str, owner: type, method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, kind, pool = SHAPES[name]
    expected, engine = run(shape(), pool), shape()

    def fails(*args: Any, **kwargs: Any) -> Any:
        raise OSError(28, "No space left on device")

    attached = attach(engine, tmp_path / "run.jsonl")
    monkeypatch.setattr(owner, method, fails)
    assert run(engine, pool) == expected
    with pytest.raises(RecordingFailed, match=r"failed: OSError: \[Errno 28\] No space left on device"):
        attached.detach()
    assert not list(tmp_path.iterdir())
    attached.detach()


@pytest.mark.parametrize("name", SHAPES)
def test_so_it_does_where_the_lines_of_its_functions_cannot_be_read(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, kind, pool = SHAPES[name]
    expected = run(shape(), pool)
    monkeypatch.setattr(lines, "plain", lambda value: 1 / 0)
    engine = shape()
    attached = attach(engine, tmp_path / "run.jsonl")
    assert run(engine, pool) == expected
    with pytest.raises(RecordingFailed, match="failed: ZeroDivisionError: division by zero"):
        attached.detach()


def test_a_context_raises_it_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Follower, "computed", lambda *args: 1 / 0)
    engine, told = BlockEngine(), r"the engine has not: NanoVLLM\._on_call, which watches Runner\.call, failed: Zero"
    with pytest.raises(RecordingFailed, match=told), attach(engine, tmp_path / "run.jsonl"):
        run(engine, SHAPES["blocks"][2])


def test_an_exception_of_the_block_goes_up_with_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Follower, "computed", lambda *args: {}["key"])
    engine = BlockEngine()
    with pytest.raises(LookupError, match="mine") as raised, attach(engine, tmp_path / "run.jsonl"):
        run(engine, SHAPES["blocks"][2])
        raise LookupError("mine")
    assert len(raised.value.__notes__) == 1 and raised.value.__notes__[0].endswith("failed: KeyError: 'key'")


def test_what_the_engine_raises_stays_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler's own error, while the engine's goes up, does not take its place."""
    engine = BlockEngine()

    def breaks(*args: Any) -> Any:
        raise ArithmeticError("of the engine")

    monkeypatch.setattr(engine.scheduler, "schedule", breaks)
    attached = attach(engine, tmp_path / "run.jsonl")
    monkeypatch.setattr(Stepper, "end_phase", lambda self: 1 / 0)
    engine.add(0, [1, 2, 3], 2)
    with pytest.raises(ArithmeticError, match="of the engine"):
        engine.step()
    with pytest.raises(RecordingFailed, match="NanoVLLM._on_step"):
        attached.detach()


def test_the_last_snapshot_may_fail_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = BlockEngine()
    attached = attach(engine, tmp_path / "run.jsonl", snapshot_every=1000)
    run(engine, SHAPES["blocks"][2])
    monkeypatch.setattr(Stepper, "snapshot", lambda self: 1 / 0)
    with pytest.raises(RecordingFailed, match=r"NanoVLLM\.close failed: ZeroDivisionError"):
        attached.detach()
    assert not list(tmp_path.iterdir())


def test_an_engine_in_a_thread_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine, waits = TreeScheduler(), threading.Event()
    engine.start()
    attached = attach(engine, tmp_path / "run.jsonl")
    monkeypatch.setattr(Follower, "computed", lambda *args: 1 / 0)
    for number, (prompt, most) in enumerate(ASKED):
        engine.add(f"r{number}", prompt, most)
    for _ in range(500):
        if not (engine._task_mgr.waiting_queue or engine._task_mgr.active_tasks):
            break
        waits.wait(0.01)
    with pytest.raises(RecordingFailed, match=r"Radix\._on_execute_prefill"):
        attached.detach()
    assert engine._loop_thread.is_alive()
    engine.stop()
    assert engine.error is None and not engine._task_mgr.active_tasks


def test_afterwards_another_recording_can_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = PagesScheduler()
    with monkeypatch.context() as patch:
        patch.setattr(Follower, "came", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(RecordingFailed), attach(engine, tmp_path / "run.jsonl"):
            engine.add("a", [1, 2, 3], 2)
            until_idle(engine)
    with attach(engine, tmp_path / "run.jsonl"):
        engine.add("b", [1, 2, 3], 2)
        until_idle(engine)
    assert verify(Trace.open(tmp_path / "run.jsonl")).events > 10
