"""What happens on a worker of a cluster: files kept by their digests, one task done at a time, its file sent back."""

import hashlib
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astrai_sim.files import whole
from scenes.farm.task import Current, Done, Stopped, doing

KEPT = 50
"""Files that a worker keeps for next time."""
Version = Mapping[str, str]

_stopped: set[str] = set()
_alone = threading.Lock()
"""Manim's settings are those of a process: one task at a time, whatever the number of threads."""


@dataclass(frozen=True)
class Order:
    """A task on its way: `work` is pickled, so that only a worker of the same `version` opens it.

    `run` names the run that it belongs to, `number` itself in there; `inputs` are (SHA-256, name) of files.
    """

    run: str
    number: int
    version: Version
    asks: Callable[[], Version]
    inputs: tuple[tuple[str, str], ...]
    output: str
    work: bytes


@dataclass(frozen=True)
class Lacks:
    """`worker` has not got these files, (SHA-256, name) each: send them, then ask again."""

    worker: str
    files: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Another:
    """`worker` has become one of another version."""

    worker: str
    version: Version


def keep(sha256: str, name: str, content: bytes, dask_worker: Any) -> None:
    """Keep a file on this worker. Raises ValueError where it is not what its digest says."""
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise ValueError(f"{name} came as {found[:12]}, not as {sha256[:12]}")
    place = _place(dask_worker, sha256, name)
    with whole(place) as partial:
        partial.write_bytes(content)
    known = sorted(place.parents[1].glob("*/*"), key=lambda path: path.stat().st_mtime)
    for old in known[:-KEPT]:
        old.unlink()


def lacking(files: tuple[tuple[str, str], ...], dask_worker: Any) -> tuple[tuple[str, str], ...]:
    """Those of `files`, (SHA-256, name) each, that this worker has not got."""
    return tuple(one for one in files if not _place(dask_worker, *one).is_file())


def stop(run: str) -> None:
    """Whatever belongs to this run is not wanted any more."""
    _stopped.add(run)


def perform(order: Order) -> Done | Lacks | Another | None:
    """Do a task on this worker: gives its file; what the worker lacks; or None where the run has ended."""
    from distributed import get_worker

    worker = get_worker()
    if (version := order.asks()) != order.version:
        return Another(worker.address, version)
    if missing := lacking(order.inputs, worker):
        return Lacks(worker.address, missing)
    places = {sha256: _place(worker, sha256, name) for sha256, name in order.inputs}
    topic = f"astrai-film-{order.run}"
    telling = Current(lambda seconds: worker.log_event(topic, (order.number, seconds)), lambda: order.run in _stopped)
    with _alone, tempfile.TemporaryDirectory(dir=worker.local_directory) as name, doing(telling):
        began = time.monotonic()
        for place in places.values():
            place.touch()
        output = Path(name) / order.output
        try:
            value = pickle.loads(order.work)(places, output)
        except Stopped:
            return None
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"{worker.address}, {order.output}") from None
        return Done(worker.address, time.monotonic() - began, value, output.read_bytes())


def _place(worker: Any, sha256: str, name: str) -> Path:
    """Where a worker keeps a file: below its own folder, which Dask clears away when the worker ends."""
    return Path(worker.local_directory) / "astrai-film" / sha256 / Path(name).name
