"""Reading a workload, whichever format it has, and choosing the part of it to run."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from astrai_sim.workload.draw import drawn
from astrai_sim.workload.mooncake import mooncake
from astrai_sim.workload.request import LONGEST_LINE, LineError, LoadRequest, WorkloadError
from astrai_sim.workload.servegen import clients
from astrai_sim.workload.table import AZURE, BURSTGPT, azure, burstgpt

MOST_BYTES = 1 << 30
OPTIONS = ("block_size", "time_unit")
READERS: dict[str, tuple[Callable[..., Iterator[LoadRequest]], tuple[str, ...]]] = {
    "azure": (azure, ()),
    "burstgpt": (burstgpt, ("time_unit",)),
    "mooncake": (mooncake, OPTIONS),
}
"""What reads a file of each kind, and which of `OPTIONS` it takes."""
SERVEGEN = "servegen"
KINDS = (*READERS, SERVEGEN)


@dataclass(frozen=True)
class Selection:
    """Which requests of a production trace to run, and how fast they come.

    `path` is relative to the scenario's folder; `kind` is told by the file where it is not given. `window`: from and
    to, in seconds after the workload's first request, the end outside (None: everything). `time_scale`: seconds of the
    run for each second of the workload: 0.5 doubles the load. `limit`: most requests, the first ones of the window.
    `length_limit`: most tokens of prompt and answer together; longer requests are left out. `block_size`: tokens of a
    block whose equality a trace tells, and `time_unit`: "s", "ms" or "us", where they are not those of the kind.

    Requests of the kind "servegen" are drawn: the window is in seconds of its clients' own time.
    """

    kind: str | None = None
    path: str | None = None
    window: tuple[float, float] | None = None
    time_scale: float = 1.0
    limit: int | None = None
    length_limit: int | None = None
    block_size: int | None = None
    time_unit: str | None = None


@dataclass(frozen=True)
class Workload:
    """Requests in order of arrival, and where they come from.

    The first second is the window's begin. `rows` counts those of the file, `failed` those of the window that had no
    prompt or got no answer, and `too_long` those of the window that `length_limit` left out.
    """

    kind: str
    path: Path
    sha256: str
    requests: tuple[LoadRequest, ...]
    rows: int
    failed: int
    too_long: int

    def facts(self) -> dict[str, str | int]:
        """Where the requests come from and how many were taken, for a trace's header."""
        origin = {"kind": self.kind, "file": self.path.name, "sha256": self.sha256, "rows": self.rows}
        return {**origin, "requests": len(self.requests), "failed": self.failed, "too_long": self.too_long}


class _Found(NamedTuple):
    """What there is to select from, and the second from which the window counts."""

    kind: str
    sha256: str
    rows: list[LoadRequest]
    start: float


def read_workload(path: Path, kind: str | None = None, selection: Selection | None = None, seed: int = 0) -> Workload:
    """Read a workload; without `kind` its first line tells the format, and a folder is one of ServeGen's clients.

    Every row is checked, also outside the selection; requests that are drawn come from `seed`. Raises WorkloadError,
    with the line where there is one, for what cannot be read or is larger than `MOST_BYTES`, a malformed row, an option
    that the kind has no use for, and a selection that leaves nothing.
    """
    chosen = selection or Selection()
    try:
        if kind == SERVEGEN or (kind is None and path.is_dir()):
            path = path.resolve()
            found = _clients(path, chosen, seed)
        else:
            found = _file(path, kind, chosen)
    except OSError as error:
        raise WorkloadError(path, None, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise WorkloadError(path, None, f"not text: {error.reason}: unpack it, or write it as UTF-8") from None
    except LineError as error:
        raise WorkloadError(path, error.line, f"{error}: {error.advice}") from None
    return _selected(path, found, chosen)


def _file(path: Path, kind: str | None, chosen: Selection) -> _Found:
    """The requests of a file; its time begins with the first."""
    if path.exists() and not path.is_file():
        raise WorkloadError(path, None, "cannot be read: not a file")
    if path.stat().st_size > MOST_BYTES:
        raise WorkloadError(path, None, f"larger than {MOST_BYTES >> 20} MiB: split the file")
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with path.open(encoding="utf-8-sig", newline="") as file:
        kind = kind or sniff(file.readline(LONGEST_LINE))
        if kind is None:
            raise WorkloadError(path, 1, f"the first line fits none of: {', '.join(READERS)}")
        read, takes = READERS[kind]
        options = _options(path, kind, chosen, takes)
        file.seek(0)
        rows = list(read(file, **options))
    rows.sort(key=lambda request: request.arrival_s)
    return _Found(kind, sha256, rows, rows[0].arrival_s if rows else 0.0)


def _clients(folder: Path, chosen: Selection, seed: int) -> _Found:
    """Requests drawn from the clients of a folder."""
    _options(folder, SERVEGEN, chosen, ())
    sha256, found = clients(folder, MOST_BYTES)
    rows = drawn(folder, found, chosen.window, seed)
    return _Found(SERVEGEN, sha256, rows, 0.0)


def _options(path: Path, kind: str, chosen: Selection, takes: tuple[str, ...]) -> dict[str, int | str]:
    """The options that are given. Raises WorkloadError for one that the kind does not take."""
    given = {name: value for name in OPTIONS if (value := getattr(chosen, name)) is not None}
    for name in given:
        if name not in takes:
            takers = " or ".join(one for one, (_, names) in READERS.items() if name in names)
            told = f"{name} goes with kind {takers}, and this is {kind}"
            raise WorkloadError(path, None, f"{told}: take it out of [workload]")
    return given


def _selected(path: Path, found: _Found, chosen: Selection) -> Workload:
    rows = found.rows
    begin, end = chosen.window or (0.0, float("inf"))
    start = found.start + begin
    window = [request for request in rows if start <= request.arrival_s < start + end - begin]
    served = [request for request in window if request.prompt_len and request.output_len]
    longest = chosen.length_limit or float("inf")
    fitting = [request for request in served if request.prompt_len + request.output_len <= longest]
    if not fitting:
        left = f"no request is left: {len(rows)} in the file, {len(window)} of them in the window, "
        left += f"{len(served)} of those answered, none of those within the length limit"
        raise WorkloadError(path, None, left)
    taken = fitting[: chosen.limit]
    requests = tuple(replace(request, arrival_s=(request.arrival_s - start) * chosen.time_scale) for request in taken)
    failed, too_long = len(window) - len(served), len(served) - len(fitting)
    return Workload(found.kind, path, found.sha256, requests, len(rows), failed, too_long)


def sniff(first: str) -> str | None:
    """The kind of the workload whose first line is `first`; None if it is none of them."""
    if first.lstrip().startswith("{"):
        return "mooncake"
    names = [name.strip() for name in first.split(",")]
    return next((kind for kind, columns in (("azure", AZURE), ("burstgpt", BURSTGPT)) if columns[0] in names), None)
