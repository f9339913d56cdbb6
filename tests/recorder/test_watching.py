"""The recorder watches and leaves no trace of itself behind."""

from __future__ import annotations

import errno
from dataclasses import replace
from functools import partial
from types import FunctionType

import pytest
import torch

from astrai_sim.engine.cache import paged_cache
from astrai_sim.engine.scheduler import InferenceScheduler
from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.record import make_recorder, record
from astrai_sim.scenario import CannotRun, Run, build
from astrai_sim.scenario.schema import ChangePart, StopPart
from astrai_sim.trace import Trace, TraceError, TraceWriter
from astrai_sim.trace.verify import verify
from astrai_sim.trace.verify.policy import RULES
from tests.trace.recording import crowd, lines_of, recorded

CPU = torch.device("cpu")
DETAILS = ("full", "bulk")


def wrapped(*owners) -> list[str]:
    """Methods that instances have of their own, over those of their class."""
    return [
        name for owner in owners for name, value in vars(owner).items() if isinstance(value, FunctionType | partial)
    ]


@pytest.fixture(params=DETAILS)
def watched(request, tmp_path):
    """A scenario's live objects and a recorder that is not attached."""
    scenario = crowd("random", request.param)
    built = build(scenario, CPU)
    writer = TraceWriter(tmp_path / "run.jsonl", make_header(scenario, CPU, built))
    return scenario, built, make_recorder(scenario, writer, built)


def finish(recorder) -> Trace:
    recorder.snapshot()
    recorder.writer.finish("idle")
    return Trace.open(recorder.writer.path)


def test_without_a_recorder_nothing_is_wrapped(watched):
    scenario, built, _ = watched
    pages_for = paged_cache.pages_for
    for _ in Run(built.scheduler, built.tasks, scenario.stop, clock=built.clock).steps():
        assert not wrapped(built.scheduler, built.cache)
    assert paged_cache.pages_for is pages_for


def test_detaching_leaves_all_as_it_was(watched):
    _, built, recorder = watched
    before = dict(vars(built.cache)), dict(vars(built.scheduler)), paged_cache.pages_for
    recorder.attach()
    assert {"alloc", "free", "step"} <= set(wrapped(built.cache, built.scheduler))
    with pytest.raises(RuntimeError, match="attached already"):
        recorder.attach()
    recorder.detach()
    assert (vars(built.cache), vars(built.scheduler), paged_cache.pages_for) == before


def test_recording_changes_nothing(watched):
    """The same tokens, tables and masks with and without a recorder."""
    scenario, built, recorder = watched
    recorder.attach()
    for _ in Run(built.scheduler, built.tasks, scenario.stop, clock=built.clock).steps():
        pass
    recorder.detach()
    other = build(scenario, CPU)
    for _ in Run(other.scheduler, other.tasks, scenario.stop, clock=other.clock).steps():
        pass
    assert [task.output for task in built.tasks] == [task.output for task in other.tasks]
    assert built.cache.lru == other.cache.lru and built.cache.refs == other.cache.refs
    assert built.cache.free_mask == other.cache.free_mask


def test_aborts_resets_and_settings_between_steps(watched, tmp_path):
    """What no scenario asks for, but an engine may do."""
    scenario, built, _ = watched
    by_hand = [rule for rule in RULES if rule not in ("scenario-kept", "arrivals-in-time", "stop-when-due")]
    header = {**make_header(scenario, CPU, built), "policy": by_hand}
    recorder = make_recorder(scenario, TraceWriter(tmp_path / "by_hand.jsonl", header), built)
    scheduler = built.scheduler
    recorder.attach()
    for task in built.tasks[:6]:
        task.arrival_step = 0
        scheduler.submit(task)
    scheduler.step()
    scheduler.change_setting("max_tokens_per_step", 5)
    scheduler.step()
    running, waiting = scheduler.running[0], scheduler.waiting[-1]
    scheduler.abort(running.id)
    scheduler.abort(waiting.id)
    scheduler.step()
    scheduler.stop()
    built.cache.reset_prefix_cache()
    scheduler.submit(built.tasks[6])
    scheduler.step()
    recorder.detach()
    trace = finish(recorder)
    assert verify(trace).unclaimed == ("scenario-kept", "arrivals-in-time", "stop-when-due")
    kinds = {event.event for event in trace}
    assert {"setting", "prefix_reset"} <= kinds
    reasons = {e.task: e.reason for e in trace.find(event="task_finished")}
    assert reasons[running.id] == reasons[waiting.id] == "aborted"
    last = trace.state_at(len(trace) - 1)
    assert last.refs.tolist() == built.cache.refs and last.mask == built.cache.free_mask


@pytest.mark.parametrize("detail", DETAILS)
def test_two_recordings_differ_in_nothing_but_time(tmp_path, detail):
    """With a model: the same events, ids and norms; without, the same times too."""
    one, other = (lines_of(recorded(crowd("random", detail), tmp_path / f"{n}.jsonl")) for n in "ab")
    for lines in (one, other):
        for line in lines:
            for name in ("ns", "duration_ns", "started", "sha256"):
                line.pop(name, None)
    assert one == other


class Broken(Exception):
    pass


@pytest.mark.parametrize("failure", [Broken, ValueError])
@pytest.mark.parametrize("detail", DETAILS)
def test_a_crash_leaves_what_was_recorded(tmp_path, monkeypatch, detail, failure):
    """Also one by a ValueError of the engine's, which is no fault of the scenario."""
    forward = InferenceScheduler._forward

    def crash(self, batch):
        if self.step_index == 9:
            raise failure
        return forward(self, batch)

    monkeypatch.setattr(InferenceScheduler, "_forward", crash)
    path = tmp_path / "run.jsonl.gz"
    with pytest.raises(failure):
        record(crowd("random", detail), path, CPU)
    assert not path.exists()
    trace = Trace.open(path.with_name("run.jsonl.gz.partial"))
    with pytest.raises(TraceError, match=f"incomplete at event {len(trace)}"):
        verify(trace)
    assert trace[-1].step == 9


def test_bad_input_leaves_no_file(tmp_path):
    """A change that cannot be made when it is due is found in mid-run."""
    scenario = replace(crowd(), changes=(ChangePart(4, preemption=False),))
    path = tmp_path / "run.jsonl"
    with pytest.raises(CannotRun, match="preemption cannot be switched off now"):
        record(scenario, path, CPU)
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_can_never_fit_leaves_no_file(tmp_path):
    scenario = crowd()
    big = replace(scenario.requests[0], max_tokens=500)
    path = tmp_path / "run.jsonl"
    with pytest.raises(CannotRun, match="can never fit"):
        record(replace(scenario, requests=(big,)), path, CPU)
    assert not path.exists()


def test_what_stops_a_run_is_recorded(tmp_path):
    for stop, reason in [
        (StopPart(max_steps=3), "max_steps"),
        (StopPart(), "idle"),
        (StopPart(task="r0", tokens=5), "task"),
    ]:
        trace = recorded(replace(crowd("none"), stop=stop), tmp_path / "run.jsonl")
        assert trace.footer.stopped == reason and verify(trace)


def test_progress_reaches_the_end(tmp_path):
    told = []
    record(crowd("none"), tmp_path / "run.jsonl", CPU, lambda done, total: told.append((done, total)))
    total = sum(request.max_tokens for request in crowd().requests)
    assert told[-1] == (total, total)


@pytest.mark.parametrize(
    ("n_pages", "function"), [(16_000, "PagedCache.alloc"), (20_000, "LargePagedCache.alloc")], ids=["integer", "tree"]
)
def test_a_mask_too_long_to_print_is_recorded_by_its_bits(tmp_path, n_pages, function):
    """Lines over a pool of so many pages: Python prints no number of so many digits."""
    scenario = crowd("none")
    scenario = replace(scenario, cache=replace(scenario.cache, n_pages=n_pages))
    trace = recorded(scenario, tmp_path / "run.jsonl")
    assert verify(trace)
    alloc = next(e for e in trace.find(event="lines") if e.function == function)
    masks = [s.values["self._free_mask"] for s in alloc.steps if "self._free_mask" in s.values]
    assert masks == [{"bits": n_pages, "set": n_pages - 1}]
    word = next(trace.find(event="pages_alloc"))
    assert word.mask is None and word.word == (0, 2**64 - 2)


def test_a_file_that_cannot_be_written_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        record(crowd("none"), tmp_path / "file" / "run.jsonl", CPU)


def test_a_flushed_file_ends_at_an_event(tmp_path):
    writer = TraceWriter(tmp_path / "run.jsonl.gz", lines_of(recorded(crowd("none"), tmp_path / "whole.jsonl"))[0])
    for number in range(5):
        writer.event({"step": -1, "phase": None, "ns": number, "event": "phase_begin"})
    writer.flush()
    trace = Trace.open(writer.partial)
    assert len(trace) == 5 and not trace.complete
    writer.abandon()


def test_what_was_there_stays_until_the_new_trace_is_whole(tmp_path):
    path = tmp_path / "run.jsonl"
    before = recorded(crowd("none"), path).content
    header = lines_of(Trace.open(path))[0]
    for end in (TraceWriter.abandon, TraceWriter.discard):
        writer = TraceWriter(path, header)
        with pytest.raises(OSError, match="another recording is being written there"):
            TraceWriter(path, header)
        end(writer)
        assert path.read_bytes() == before
    assert [place.name for place in tmp_path.iterdir()] == ["run.jsonl"]
    TraceWriter(path, header).finish("idle")
    assert path.read_bytes() != before and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "run.jsonl"
    before = recorded(crowd("none"), path).content

    def full(self):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(TraceWriter, "flush", full)
    with pytest.raises(OSError, match="No space left"):
        record(crowd("none"), path, CPU)
    assert path.read_bytes() == before
