"""Which lines a call executed, in order, with the values that they produced."""

import inspect
import sys
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType
from typing import Any

import torch

from astrai_sim.engine.cache.prefix import PrefixIndex
from astrai_sim.engine.scheduler import Task

FIRST = 8
LONGEST = 1024
WATCHED = ("_free_mask", "_refs", "_lru", "_prefix", "running")


def plain(value: Any) -> Any:
    """A value as it goes into the trace.

    Integers, text, lists and tables of them as they are; tasks by their name; tensors as shape and first items (none
    for floating point), data types by their name; of an ordered dict its keys, queues and sets as lists; of a prefix
    index the pages that have a key; anything else by its type's name. Of a mask of more than `LONGEST` bits only how
    many are set, of a longer list only its length and first items, of longer tables nothing.
    """
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return {"bits": value.bit_length(), "set": value.bit_count()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, torch.Tensor):
        shown = {"shape": list(value.shape)}
        if not value.is_floating_point():
            shown["data"] = value.flatten()[:FIRST].tolist()
        return shown
    if isinstance(value, torch.dtype):
        return str(value).removeprefix("torch.")
    if isinstance(value, Task):
        return value.id
    if isinstance(value, (OrderedDict, PrefixIndex, deque, set)):
        value = sorted(value) if isinstance(value, set) else list(value)
    if isinstance(value, list) and value and all(isinstance(item, Task) for item in value):
        return [task.id for task in value]
    if isinstance(value, (list, tuple)) and all(isinstance(item, (int, str)) for item in value):
        if len(value) > LONGEST:
            return {"length": len(value), "data": list(value[:FIRST])}
        return list(value)
    if isinstance(value, list) and all(isinstance(item, list) for item in value) and sum(map(len, value)) <= LONGEST:
        return [plain(item) for item in value]
    if isinstance(value, dict) and not value:
        return {}
    return type(value).__name__


class LineTracer:
    """Runs one call of `function` under `sys.settrace`, looking at its own frame only.

    Or at the frame of `inside`, which the call makes somewhere: a constructor's, say. `steps`
    holds {"line", "values"} for each executed line: the 1-based line in the function's source,
    and the locals (and the `attributes` of `self`, in a constructor all) that it changed;
    `result` is what it returned. What the tracing does happens inside `aside`, a context. A mistake that it makes does
    not go up into the call: `run` raises it afterwards.
    """

    def __init__(
        self,
        function: Callable,
        aside: AbstractContextManager | None = None,
        inside: Callable | None = None,
        attributes: Sequence[str] = WATCHED,
    ) -> None:
        self.aside = nullcontext() if aside is None else aside
        self.attributes = attributes
        watched = inside or function
        self.function = function
        self.code = inspect.unwrap(getattr(watched, "__func__", watched)).__code__
        self.args: dict[str, Any] = {}
        self.result: Any = None
        self.steps: list[dict[str, Any]] = []
        self._known: dict[str, Any] = {}
        self._mistake: Exception | None = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function and note what it does; passes on its result and exceptions."""
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            result = self.function(*args, **kwargs)
        finally:
            sys.settrace(before)
        if self._mistake is not None:
            raise self._mistake
        return result

    @contextmanager
    def _noting(self) -> Iterator[None]:
        with self.aside:
            try:
                yield
            except Exception as error:
                self._mistake = self._mistake or error

    def _enter(self, frame: FrameType, event: str, arg: Any) -> Callable | None:
        if frame.f_code is not self.code:
            return None
        with self._noting():
            self._known = self._values(frame)
            self.args = {k: v for k, v in self._known.items() if not k.startswith("self.")}
        return self._watch

    def _watch(self, frame: FrameType, event: str, arg: Any) -> Callable:
        if event in ("line", "return"):
            with self._noting():
                self._note(frame, event)
                if event == "return":
                    self.result = plain(arg)
        return self._watch

    def _note(self, frame: FrameType, event: str) -> None:
        values = self._values(frame)
        changed = {k: v for k, v in values.items() if k not in self._known or self._known[k] != v}
        self._known = values
        if self.steps:
            self.steps[-1]["values"].update(changed)
        if event == "line":
            self.steps.append({"line": frame.f_lineno - self.code.co_firstlineno + 1, "values": {}})

    def _values(self, frame: FrameType) -> dict[str, Any]:
        values = {k: plain(v) for k, v in frame.f_locals.items() if k != "self"}
        owner = frame.f_locals.get("self")
        for name in list(vars(owner)) if self.code.co_name == "__init__" else self.attributes:
            if hasattr(owner, name):
                values[f"self.{name}"] = plain(getattr(owner, name))
        return values
