"""Processes of this machine: they read and write the files where they are."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

from scenes.farm.copies import can_copy, none_of_it_thrown_away
from scenes.farm.task import Current, Done, Stopped, Task, WorkersLost, doing

UNFINISHED = ".rendering-"
"""How folders of what is on its way begin; the id of the process that wants it follows."""
LAST_SECONDS = {True: 1.0, False: 5.0}
"""In which a process that is not wanted any more can end by itself, whether its parent is there to tidy up or not."""
LOOK_S = 0.2

_progress: Queue | None = None
_stopping: Event | None = None


class Local:
    """A pool of `size` processes, started with the first task that is given out; copies of this one, where that is
    safe."""

    def __init__(self, size: int) -> None:
        self.size = size
        context = multiprocessing.get_context("spawn")
        self._reports, self._stopping = context.Queue(), context.Event()
        self._executor: Executor | None = None
        self._folders: set[Path] = set()

    def workers(self) -> int:
        """How many tasks can be done at once."""
        return self.size

    def limit(self, tasks: int) -> None:
        """No more than `tasks` will be given out: so many processes are enough."""
        if self._executor is None:
            self.size = max(1, min(self.size, tasks))

    def submit(self, number: int, task: Task) -> Future[Done]:
        """Have a task done, known by its number in reports."""
        self._folders.add(task.output.parent)
        if self._executor is None:
            context = multiprocessing.get_context("fork" if can_copy() else "spawn")
            self._executor = ProcessPoolExecutor(
                self.size, context, initializer=start, initargs=(self._reports, self._stopping)
            )
        with _without_script(), none_of_it_thrown_away():
            return self._executor.submit(perform, number, task)

    def taken(self, task: Task, future: Future[Done]) -> Done:
        """What came of a task. Raises what it raised, and WorkersLost where its process was killed."""
        try:
            return future.result()
        except BrokenProcessPool:
            raise WorkersLost("a process that renders was killed, maybe for its memory: try --processes 1") from None

    def reports(self) -> Iterator[tuple[int, float]]:
        """The numbers of tasks, and film seconds made of each, as they have come in."""
        while not self._reports.empty():
            yield self._reports.get()

    def stop(self) -> None:
        """End at once what is being done, and leave nothing half done behind."""
        self._stopping.set()
        self.close()
        for folder in self._folders:  # Manim may have written to the last
            for left in folder.glob(f"{UNFINISHED}{os.getpid()}-*"):
                shutil.rmtree(left)

    def close(self) -> None:
        """Let the processes go."""
        if self._executor:
            self._executor.shutdown(cancel_futures=True)


def start(progress: Queue, stopping: Event) -> None:
    """Called once in each process: where to report film seconds as they are rendered, and what says to stop.

    Ctrl-C is the parent's to handle; when that one is gone, so is this. Manim's bars need no lock among processes: one
    that ends at once would leave it behind.
    """
    tqdm.set_lock(threading.RLock())
    global _progress, _stopping
    _progress, _stopping = progress, stopping
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_in_time, args=(stopping,), daemon=True).start()


def _end_in_time(stopping: Event) -> None:
    """What says that the parent is gone is held open by copies of it that began later; whose child this is, is not."""
    parent = multiprocessing.parent_process()
    while parent and os.getppid() == parent.pid and parent.is_alive() and not stopping.is_set():
        parent.join(LOOK_S)
    if parent:
        followed = os.getppid() == parent.pid and parent.is_alive()
        stopping.set()
        time.sleep(LAST_SECONDS[followed])
        os._exit(1)


def perform(number: int, task: Task) -> Done:
    """Do a task in a process of the pool, which ends where it is not wanted any more. What it writes is there whole or
    not at all; OSError names it."""
    reports, stopping = _progress, _stopping
    if reports is None or stopping is None:
        raise RuntimeError("no process of a pool: `start` was not called in it")
    telling = Current(lambda seconds: reports.put((number, seconds)), stopping.is_set)
    began, output = time.monotonic(), task.output
    prefix = f"{UNFINISHED}{os.getppid()}-"
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with doing(telling), tempfile.TemporaryDirectory(prefix=prefix, dir=output.parent) as folder:
            unfinished = Path(folder) / output.name
            value = task.work({one.sha256: one.path for one in task.inputs}, unfinished)
            unfinished.replace(output)
    except Stopped:
        os._exit(1)
    except OSError as error:
        if error.filename and not str(error.filename).startswith(str(output.parent / prefix)):
            raise
        raise OSError(error.errno, error.strerror, str(output)) from None
    return Done(str(os.getpid()), time.monotonic() - began, value)


@contextmanager
def _without_script() -> Iterator[None]:
    """Processes that are started here do not run the program's script again: it may have no `__main__` guard."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
