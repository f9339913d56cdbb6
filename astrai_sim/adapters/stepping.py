"""Steps of a live engine: who may look, where steps and phases begin and end, and who came before which."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from astrai_sim.adapters.guarding import Call, RecordingFailed
from astrai_sim.adapters.shapes import Needs
from astrai_sim.adapters.texts import Speech, SpokenStream
from astrai_sim.engine.clock import RealClock
from astrai_sim.recorder.paging import LivePool, PageWatcher
from astrai_sim.recorder.watching import Original
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.events import WHOLE_LRU
from astrai_sim.trace.header import RecordPart

SOON_S, PATIENCE_S = 10.0, 0.1
"""How long is waited for a step that begins or ends in another thread, and how long before looking again."""
QUIET = ("phase_begin", "phase_end")
"""Events of a step in which nothing happens."""


class CannotAttach(Exception):
    """Why an engine cannot be recorded: which attribute of which object is missing, or what stands in the way."""


def begins(handler: Callable) -> Callable:
    """Marks a handler with which a step can begin."""
    handler.begins = True  # type: ignore[attr-defined]
    return handler


Asked = tuple[Any, Sequence[int], int]
"""The engine's own id of a request, its prompt's tokens, and how many it may generate."""


@dataclass
class Followed:
    """A request: its name in the trace, its tokens, how many have K and V (`kv`), and its table as it was recorded.

    `left` are entries of the table that were let go in the release that is under way; `spoken` gives the text of each
    of its tokens, where the engine carries a tokenizer.
    """

    name: str
    tokens: list[int]
    max_tokens: int
    generated: int = 0
    kv: int = 0
    status: str = "waiting"
    table: list[int] = field(default_factory=list)
    left: set[int] = field(default_factory=set)
    spoken: SpokenStream | None = None


def letters(number: int) -> str:
    """A name for each number from 0: A to Z, then AA, AB and so on."""
    return (letters(number // 26 - 1) if number >= 26 else "") + chr(ord("A") + number % 26)


class Stepper(PageWatcher):
    """What adapters of all engines share. Requests are named by letters in the order in which they came.

    A step is held back until it ends: requests that come from other threads while it runs were there before it, as far
    as the engine looks. Steps in which nothing happened are left out. What is wrapped runs under `lock`, so that what
    is read back is of one moment.
    """

    needs: Needs = {}
    """What of the object that it watches it reads or wraps."""
    hints: Mapping[str, str] = {}
    """What to do where an attribute is missing, by its name."""

    def __init__(self, writer: TraceWriter, asked: RecordPart, engine: Any) -> None:
        super().__init__(writer, RealClock(), asked)
        self.engine, self.speech = engine, Speech.of(self.tokenizer(engine))
        self.lock = threading.RLock()
        self.between = threading.Condition(self.lock)
        self.requests: dict[Any, Followed] = {}
        self.named: dict[str, Followed] = {}
        self.running: list[Followed] = []
        self.finished: list[Followed] = []
        self.keys_of: dict[int, str] = {}
        """Recorded key of each page."""
        self.attached, self._begun, self._closing = True, False, False
        self.failed: BaseException | None = None
        """An error of the engine's that went through a method that is watched, or why nothing is recorded."""
        self.broken: RecordingFailed | None = None
        """The first error of ours: nothing is recorded any more."""
        self._arrived = 0
        self._thread: int | None = None
        self._began = self._phase_began = 0
        self._opening: list[dict[str, Any]] = []
        self._waiting: list[str] = []
        self._running: list[str] = []
        self._phase_tasks: list[str] = []

    # what adapters say

    @staticmethod
    def target(engine: Any) -> Any:
        """The object that is watched: the scheduler of an engine, or that it is one itself."""
        return getattr(engine, "scheduler", engine)

    @classmethod
    def tokenizer(cls, engine: Any) -> Any:
        """The tokenizer that the engine carries, or None."""
        return getattr(engine, "tokenizer", None)

    @classmethod
    def in_the_way(cls, engine: Any) -> str | None:
        """Why the engine cannot be recorded now; None where it can."""
        raise NotImplementedError

    @classmethod
    def header(cls, engine: Any, asked: RecordPart, name: str, title: str) -> dict[str, Any]:
        """The trace's header."""
        raise NotImplementedError

    def watch(self) -> None:
        """Start watching."""
        raise NotImplementedError

    def waiting(self) -> list[Asked]:
        """What is in the engine's queue, in its order."""
        raise NotImplementedError

    def tables(self) -> dict[Any, list[int]]:
        """Page table of each request that has one, read from the live objects."""
        raise NotImplementedError

    def live_pool(self) -> LivePool:
        """The pool as snapshots read it: `pool`, where that is the live one."""
        return self.pool

    # watching

    def _wrap(self, owner: Any, name: str, handler: Callable) -> None:
        super()._wrap(owner, name, partial(self._locked, handler))

    def _wrap_class(self, owner: Any, name: str, handler: Callable) -> None:
        super()._wrap_class(owner, name, partial(self._locked, handler))

    def _unlocked(self, owner: Any, name: str, handler: Callable) -> None:
        """As `_wrap`, for a method in which other threads go on; the handler takes the lock where it needs it."""
        super()._wrap(owner, name, partial(self._watched, handler))

    def _locked(self, handler: Callable, original: Original, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return self._watched(handler, original, *args, **kwargs)

    def _watched(self, handler: Callable, original: Original, *args: Any, **kwargs: Any) -> Any:
        """Before the first step begins, and after the end, only what begins a step is looked at.

        What the engine raises goes on to who called it; an error of the handler's does not: it ends the recording.
        """
        begins = getattr(handler, "begins", False)
        if not self.attached or not (self._begun or begins):
            return original(*args, **kwargs)
        call = Call(original)
        try:
            return handler(call, *args, **kwargs)
        except Exception as error:
            if error is call.raised:
                self.failed = error
                raise
            method = getattr(handler, "__qualname__", repr(handler))
            self._break(f"{method}, which watches {getattr(original, '__qualname__', original)},", error)
        return call.went(*args, **kwargs)

    def _break(self, what: str, error: Exception) -> None:
        """`what` of ours has failed: take the wrappers off and the file away; nothing where that is done already."""
        with self.lock:
            if self.broken is not None:
                return
            told = f"{type(error).__name__}: {error}".rstrip(": ")
            self.broken = RecordingFailed(f"the recording has stopped, the engine has not: {what} failed: {told}")
            self.broken.__cause__ = error
            self.attached, self._thread = False, None
            for leave in (self.detach, self.writer.discard):
                try:
                    leave()
                except Exception as more:
                    self.broken.add_note(f"and then {type(more).__name__}: {more}")
            self.between.notify_all()

    def close(self, stopped: str) -> None:
        """Wait for the end of the step, take the wrappers off and write the end of the trace.

        Raises CannotAttach where a request came before the first step, RecordingFailed where the recording has failed.
        """
        try:
            with self.lock:
                self._closing = True
                end = time.monotonic() + SOON_S
                while self._elsewhere() and time.monotonic() < end:
                    self.between.wait(PATIENCE_S)
                try:
                    if self.broken is None:
                        self.end_step()
                        self._settle()
                except Exception as error:
                    self._break(f"{type(self).__qualname__}.close", error)
                finally:
                    self.attached = False
                    self.detach()
        except BaseException:
            self.writer.abandon()
            raise
        if self.broken is not None:
            raise self.broken
        failed = self.failed
        if isinstance(failed, CannotAttach):
            self.writer.discard()
            raise failed
        self.writer.finish(stopped if failed is None else f"{type(failed).__name__}: {failed}")

    def wait(self) -> None:
        """Where the engine runs in a thread, wait until it begins a step: requests that come now are seen."""
        thread = getattr(self.engine, "_loop_thread", None)
        with self.lock:
            if isinstance(thread, threading.Thread) and thread.is_alive():
                self.between.wait_for(lambda: self._begun or not self.attached, SOON_S)

    def _settle(self) -> None:
        """Look no further: the last snapshot, between steps."""
        if self.attached:
            self.attached = False
            self.snapshot()

    def _elsewhere(self) -> bool:
        """Whether a step runs in another thread that is alive."""
        others = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
        return self._thread in others

    # steps and phases

    @property
    def in_step(self) -> bool:
        """Whether a step has begun and not ended."""
        return self._thread is not None

    def begin_step(self) -> None:
        """A step begins, after the one before; not where the recording is to end."""
        self.end_step()
        if self._closing:
            self._settle()
        elif not self._begun and (stands := self.in_the_way(self.engine)):
            self.attached, self.failed = False, CannotAttach(stands)
        if not self.attached:
            return
        self._begun = True
        self.between.notify_all()
        self._synchronize()
        self._began, self._thread = self.clock.now_ns(), threading.get_ident()
        self._opening = []
        known = [self.requests[key] for key, _, _ in self.waiting() if key in self.requests]
        self._waiting = [request.name for request in known if request.status == "waiting"]
        self._running = [request.name for request in self.running]
        self.step += 1
        self._queues.append([])
        self.arrive()

    def begin_phase(self, name: str) -> None:
        """A phase begins, after the one before; nothing where it has begun already."""
        if self.phase == name or not self.in_step:
            return
        self.end_phase()
        self.phase, self._phase_tasks = name, []
        self._emit("phase_begin")
        self._phase_began = self.clock.now_ns()

    def end_phase(self) -> None:
        """The phase ends; a cleanup has served those whose pages are gone."""
        if self.phase is None:
            return
        self._synchronize()
        if self.phase == "cleanup":
            gone = [request for request in self.finished if not request.table]
            self.finished = [request for request in self.finished if request.table]
            self._phase_tasks = [request.name for request in gone]
        tasks = list(dict.fromkeys(self._phase_tasks))
        self._emit("phase_end", duration_ns=self.clock.now_ns() - self._phase_began, tasks=tasks)
        self.phase = None

    def end_step(self) -> None:
        """The step ends, and is written; not where nothing happened in it."""
        if not self.in_step:
            return
        self.end_phase()
        queue, self._thread = self._queues.pop(), None
        assert not self._queues
        self.step -= 1
        with self.clock.aside:
            for data in self._opening:
                self._put(data)
            if any(data["event"] not in QUIET or data.get("tasks") for data in queue):
                self.step += 1
                self._emit("step_begin", self._began, waiting=self._waiting, running=self._running)
                for data in queue:
                    self._put(data)
                counts = {"waiting": len(self._queued()), "running": len(self.running)}
                self._emit("step_end", duration_ns=self.clock.now_ns() - self._began, **counts)
                if (self.step + 1) % self.asked.snapshot_steps == 0:
                    self.snapshot()
                self.writer.flush()
        if self._closing:
            self._settle()
        self.between.notify_all()

    def snapshot(self) -> None:
        """Record mask, refcounts, tables, LRU and lengths, read from the live objects."""
        known = {key: pages for key, pages in self.tables().items() if pages and key in self.requests}
        named = {self.requests[key].name: pages for key, pages in known.items()}
        lengths = {name: self.named[name].kv for name in named}
        pool = self.live_pool()
        refs, mask, lru = list(pool.refs), hex(pool.free_mask), pool.lru
        cached: dict[str, Any] = {"lru": lru} if len(lru) <= WHOLE_LRU else {}
        self._emit("snapshot", mask=mask, refs=refs, tables=named, lengths=lengths, **cached, **self.reached())

    def reached(self) -> dict[str, Any]:
        """Where prefixes are a tree, the pages to which its root leads, for a snapshot."""
        return {}

    # requests

    def _queued(self) -> list[Followed]:
        return [request for request in self.requests.values() if request.status == "waiting"]

    def arrive(self, *more: Asked) -> None:
        """What is in the queue, and `more`, has come before this step, if it was not there before."""
        queue = [*more, *self.waiting()]
        for key, tokens, most in queue:
            if key not in self.requests:
                request = self.requests[key] = Followed(letters(self._arrived), [*tokens], most)
                self._arrived += 1
                self.named[request.name] = request
                asked: dict[str, Any] = {"prompt": [*tokens], "max_tokens": most, "arrival_step": self.step}
                if self.speech is not None:
                    with self.clock.aside:
                        stream = request.spoken = SpokenStream(self.speech)
                        asked["texts"] = [stream.feed(token) for token in tokens]
                at = {"step": self.step - 1, "phase": None, "ns": self._began, "event": "task_submitted"}
                self._opening.append({**at, "task": request.name, **asked})
                self._waiting.append(request.name)
