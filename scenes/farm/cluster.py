"""The workers of a Dask cluster: of the same version as this side, or not used; each gets a file once."""

import asyncio
import logging
import pickle
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any

from astrai_sim.extras import require
from astrai_sim.files import FileError, whole
from scenes.farm import remote
from scenes.farm.remote import Another, Lacks, Order, Version
from scenes.farm.task import Done, Task, WorkersLost

CONNECT_S = 5
LOOK_S = 1.0
"""How often it is looked who is there."""
PATIENCE_S = 60.0
"""How long it is waited for a worker where all are gone."""
TO_DO = "docs/render-farm.md says what workers need"


class Cluster:
    """The workers that a Dask scheduler has at `address`, as `tcp://host:port`, now and later.

    `asks` is a function that gives a version, a text for each of its parts: here, and on each worker when it is asked
    there. A worker where it gives something else is named on standard error and not used. Raises WorkersLost where no
    scheduler answers or no worker can be used, MissingExtra where Dask is not installed.
    """

    def __init__(self, address: str, asks: Callable[[], Version]) -> None:
        distributed = require("distributed", "farm")
        _hush()
        self.address, self._asks = address, asks
        self._run = uuid.uuid4().hex[:12]
        try:
            with ThreadPoolExecutor(1) as aside:  # a notebook has a loop of its own that runs here
                aside.submit(asyncio.run, _knock(address)).result()
            self._client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise WorkersLost(
                f"{address}: no Dask scheduler answers ({_first_line(error)}): start one, or see docs/render-farm.md"
            ) from None
        self._executor: Executor = self._client.get_executor(pure=False)
        self._reports: deque[tuple[int, float]] = deque()
        self._client.subscribe_topic(f"astrai-film-{self._run}", lambda event: self._reports.append(tuple(event[1])))
        self._alive: set[str] = set()
        self._good: set[str] = set()
        self._refused: set[str] = set()
        self._going: dict[Future, frozenset[str]] = {}
        self._looked = self._seen = time.monotonic()
        self._look()
        if not self._good:
            self._client.close()
            none = "no worker there is of this version" if self._alive else "no worker is there: start some"
            raise WorkersLost(f"{address}: {none}; {TO_DO}")

    def workers(self) -> int:
        """How many tasks can be done at once: one by each worker that is there. Raises WorkersLost after a while."""
        now = time.monotonic()
        if now - self._looked > LOOK_S:
            self._look()
        if self._good & self._alive:
            self._seen = now
        elif now - self._seen > PATIENCE_S:
            raise WorkersLost(f"{self.address}: its last worker is gone: start some; {TO_DO}")
        return len(self._good & self._alive)

    def limit(self, tasks: int) -> None:
        """All the workers stay."""

    def submit(self, number: int, task: Task) -> "Future[Done]":
        """Have a task done, known by its number in reports."""
        inputs = tuple((one.sha256, one.path.name) for one in task.inputs)
        order = Order(self._run, number, self._asks(), self._asks, inputs, task.output.name, pickle.dumps(task.work))
        there = frozenset(self._good & self._alive)
        future: Future = self._executor.submit(remote.perform, order, workers=sorted(there))  # type: ignore[call-arg]
        self._going[future] = there
        return future

    def taken(self, task: Task, future: "Future[Done]") -> Done | None:
        """What came of a task, its file written; None where it is to be given out again, to whom has now what it takes.

        Raises what the task raised, and WorkersLost where several workers were killed at it or the scheduler is gone.
        """
        there = self._going.pop(future)
        try:
            came: Any = future.result()
        except CancelledError:
            if there & self._alive:
                raise WorkersLost(f"{self.address}: the scheduler is gone, or has let the work go") from None
            return None
        except Exception as error:
            if type(error).__name__ == "KilledWorker":
                raise WorkersLost(
                    f"{self.address}: several workers were killed at {task.output.name}, maybe for their memory: "
                    "see their logs"
                ) from None
            raise
        if isinstance(came, Lacks):
            self._send(came, task)
            return None
        if isinstance(came, Another):
            self._refuse(came.worker, came.version)
            return None
        if came is None:
            raise WorkersLost(f"{self.address}: a worker was told that this is not wanted any more")
        with whole(task.output) as partial:
            partial.write_bytes(came.content)
        return came

    def reports(self) -> Iterator[tuple[int, float]]:
        """The numbers of tasks, and film seconds made of each, as they have come in."""
        while self._reports:
            yield self._reports.popleft()

    def stop(self) -> None:
        """Have no more begun, and what is being done ended before its next frame."""
        for future in self._going:
            future.cancel()
        if there := sorted(self._alive & self._good):
            self._client.run(remote.stop, self._run, workers=there, on_error="ignore")
        self.close()

    def close(self) -> None:
        """Let the cluster go."""
        self._client.close()

    def _look(self) -> None:
        """See who is there, and ask whoever is new for its version."""
        try:
            self._alive = set(self._client.scheduler_info()["workers"])
        except (OSError, TimeoutError) as error:
            raise WorkersLost(f"{self.address}: the scheduler is gone ({_first_line(error)})") from None
        new = sorted(self._alive - self._good - self._refused)
        answers = self._client.run(self._asks, workers=new, on_error="return") if new else {}
        for worker, answer in answers.items():
            if isinstance(answer, OSError):  # gone before it could say
                continue
            if not isinstance(answer, Exception) and dict(answer) == dict(self._asks()):
                self._good.add(worker)
            else:
                self._refuse(worker, answer)
        self._looked = time.monotonic()
        for future, there in self._going.items():
            if not there & self._alive and self._good & self._alive:
                future.cancel()

    def _refuse(self, worker: str, answer: Version | Exception) -> None:
        self._good.discard(worker)
        self._refused.add(worker)
        print(f"{worker} is not used: {_other(answer, self._asks())}: {TO_DO}", file=sys.stderr, flush=True)

    def _send(self, lacks: Lacks, task: Task) -> None:
        """Send a worker the files of a task that it still lacks. Raises FileError where one has changed meanwhile."""
        there = [lacks.worker]
        still = self._client.run(remote.lacking, lacks.files, workers=there, on_error="return").get(lacks.worker)
        for one in task.inputs:
            if isinstance(still, tuple) and (one.sha256, one.path.name) in still:
                content = one.path.read_bytes()
                sent = self._client.run(
                    remote.keep, one.sha256, one.path.name, content, workers=there, on_error="return"
                ).get(lacks.worker)
                if isinstance(sent, ValueError):
                    raise FileError(one.path, None, f"changed while it was being rendered ({sent}): render it again")


async def _knock(address: str) -> None:
    """Raises OSError or ValueError where nobody answers who speaks as Dask does: a client would not end quietly."""
    from distributed.comm.core import connect

    comm = await connect(address, timeout=CONNECT_S)
    comm.abort()


def _other(answer: Version | Exception, ours: Version) -> str:
    """What is different about a worker."""
    if isinstance(answer, Exception):
        return f"it has no version of this to speak of ({_first_line(answer)})"
    names = [name for name in {**ours, **answer} if ours.get(name) != answer.get(name)]
    return "its version is another: " + ", ".join(
        f"{name} {answer.get(name, 'none')}, here {ours.get(name, 'none')}" for name in names
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _hush() -> None:
    """What Dask logs of connections is not for those who make films: errors arrive as exceptions."""
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] in ("distributed", "tornado")]:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
