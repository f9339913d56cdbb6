"""Watching live objects: wrapping their methods, time, events that are held back, and executed lines."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from astrai_sim.engine.clock import Clock
from astrai_sim.recorder.lines import WATCHED, LineTracer
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.header import RecordPart

Original = Callable[..., Any]


class Watcher:
    """Puts wrappers over methods of live objects, and writes what they see to `writer`, timed by `clock`.

    Time that it spends on reading back and writing does not pass on the clock. `asked` says how many first calls of
    each shown function are recorded line by line, with the attributes of `self` that are `watched`. `step` and `phase`
    are where the engine is, `task` and `logical` what pages that come and go are for.
    """

    watched: Sequence[str] = WATCHED

    def __init__(self, writer: TraceWriter, clock: Clock, asked: RecordPart) -> None:
        self.writer, self.clock, self.asked = writer, clock, asked
        self.step = -1
        self.phase: str | None = None
        self.task: str | None = None
        self.logical: int | None = None
        self._queues: list[list[dict[str, Any]]] = []
        self._undo: list[Callable[[], None]] = []
        self._traced: Counter = Counter()
        self._most_traced = asked.traced_calls

    def detach(self) -> None:
        """Stop watching and leave the objects as they were."""
        while self._undo:
            self._undo.pop()()

    def _wrap(self, owner: Any, name: str, handler: Callable) -> None:
        """Have `handler` called instead of a method of `owner`, with the method first."""
        original, before = getattr(owner, name), vars(owner).get(name)
        setattr(owner, name, partial(handler, original))
        self._undo.append(partial(delattr, owner, name) if before is None else partial(setattr, owner, name, before))

    def _wrap_class(self, owner: Any, name: str, handler: Callable) -> None:
        """As `_wrap`, on the class of `owner`, for attributes that the instance itself replaces and deletes."""
        kind = next(kind for kind in type(owner).__mro__ if name in vars(kind))
        original = vars(kind)[name]

        def wrapper(instance: Any, *args: Any, **kwargs: Any) -> Any:
            method = original.__get__(instance, kind)
            return handler(method, *args, **kwargs) if instance is owner else method(*args, **kwargs)

        setattr(kind, name, wrapper)
        self._undo.append(partial(setattr, kind, name, original))

    def _emit(self, event: str, at: int | None = None, **fields: Any) -> None:
        with self.clock.aside:
            now = self.clock.now_ns() if at is None else at
            self._put({"step": self.step, "phase": self.phase, "ns": now, "event": event, **fields})

    def _put(self, data: dict[str, Any]) -> None:
        if self._queues:
            self._queues[-1].append(data)
        else:
            self._write(data)

    def _write(self, data: dict[str, Any]) -> None:
        self.writer.event(data)

    @contextmanager
    def _held(self) -> Iterator[list[dict[str, Any]]]:
        """Hold events back until the end; on an exception they are dropped, and their lines not counted."""
        queue: list[dict[str, Any]] = []
        traced = self._traced.copy()
        self._queues.append(queue)
        try:
            yield queue
        except BaseException:
            queue.clear()
            self._traced = traced
            raise
        finally:
            self._queues.pop()
            with self.clock.aside:
                for data in queue:
                    self._put(data)

    @contextmanager
    def _about(self, task: str | None, logical: int | None = None) -> Iterator[None]:
        """Page events in here are of `task`, at `logical` in its table."""
        before = self.task, self.logical
        self.task, self.logical = task, logical
        try:
            yield
        finally:
            self.task, self.logical = before

    def _to_tell(self, name: str, key: Any = None) -> bool:
        """Whether a call of `name` now is one of the first, which are recorded line by line."""
        until = self.asked.line_steps
        return (until is None or self.step < until) and self._traced.get((name, key), 0) < self._most_traced

    def _lines(
        self,
        name: str,
        function: Callable,
        *args: Any,
        key: Any = None,
        keep: Callable[[Any], bool] | None = None,
        inside: Callable | None = None,
    ) -> Any:
        """Call `function`; the first calls also give a `lines` event, ahead of their effects.

        `keep` decides by the result whether this call is worth a `lines` event; `inside` as for `LineTracer`.
        """
        if not self._to_tell(name, key):
            return function(*args)
        began = self.clock.now_ns()
        with self.clock.aside:
            tracer = LineTracer(function, self.clock.aside, inside, self.watched)
        with self._held() as queue:
            result = tracer.run(*args)
            if keep is None or keep(result):
                self._traced[name, key] += 1
                self.told(name, tracer, began)
                queue.insert(0, queue.pop())
        return result

    def told(self, name: str, tracer: LineTracer, at: int | None = None) -> None:
        """Record the lines of a call of function `name` that began `at` nanoseconds: now, where that is None."""
        call = {"args": tracer.args, "steps": tracer.steps, "result": tracer.result}
        self._emit("lines", at, function=name, task=self.task, **call)
