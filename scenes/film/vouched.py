"""Only a trace that holds is told: each content is verified once, and remembered by its digest."""

import hashlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path

import click

import astrai_sim.trace
from astrai_sim.shipped import CHECKOUT
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from scenes.farm.copies import can_copy, none_of_it_thrown_away
from scenes.story.errors import DoesNotApply

UNVERIFIED_VARIABLE = "ASTRAI_UNVERIFIED"
FOLDER = (CHECKOUT / "media" if CHECKOUT else Path(click.get_app_dir("astrai-film"))) / "verified"
TRACE_PACKAGE = Path(astrai_sim.trace.__file__).parent
KEPT = 500
LONG = 10_000


def vouched(trace: Trace) -> Trace:
    """The same trace, known to hold at every level; an interrupted one as far as it goes.

    Contents that held before are remembered below `FOLDER` by their computed SHA-256 and a digest of the verifier's
    sources; within `beside` verifying a long one is only begun. With the environment variable ``ASTRAI_UNVERIFIED``
    nothing is verified, and every picture of the trace says so. Raises TraceError at the first lie.
    """
    if trace.unverified is None:
        unverified = os.environ.get(UNVERIFIED_VARIABLE, "") not in ("", "0")
        if not unverified:
            _once(trace)
        trace.unverified = unverified
    elif not trace.unverified and trace.content_sha256 in _lies:
        raise _lies[trace.content_sha256]
    return trace


@contextmanager
def as_far_as_it_holds(film: str, trace: Trace) -> Iterator[None]:
    """Whatever cannot be done with a trace that was let through unverified is put down to it, in one line: raises
    DoesNotApply for what Python's own exceptions say. Of a verified one they are mistakes of ours, and stay."""
    try:
        yield
    except Exception as error:
        if not trace.unverified or type(error).__module__ != "builtins" or isinstance(error, OSError):
            raise
        kind = type(error).__name__
        why = f"{kind}: {error}" if str(error) else kind
        said = f"{film} cannot tell what does not hold in {trace.path} ({why}): `astrai-sim verify` says what it is"
        raise DoesNotApply(said) from error


@contextmanager
def beside() -> Iterator[None]:
    """What is done with long traces in here goes on while they are verified, in a process that is a copy of this one,
    where there is a core for it and copies are safe. Raises TraceError at the end where one of them does not hold:
    that is why, whatever else went wrong."""
    global _begun
    if _begun is not None or (os.cpu_count() or 1) < 2:
        yield
        return
    _begun = begun = []
    try:
        try:
            yield
        except Exception:
            _await(begun)
            raise
        _await(begun)
    finally:
        _begun = None
        for one in begun:
            one.stop()


class _Verifying:
    """A trace that is being verified in a process of its own; `mark` is to remember that it held."""

    def __init__(self, trace: Trace, mark: Path) -> None:
        self.trace, self.mark = trace, mark
        context = multiprocessing.get_context("fork")
        self._told, tell = context.Pipe(duplex=False)
        self._process = context.Process(target=_tell, args=(trace, tell), daemon=True)
        with none_of_it_thrown_away():
            self._process.start()
        tell.close()

    def result(self) -> TraceError | None:
        """What is wrong with it. Verifies it here where that process was killed."""
        try:
            return self._told.recv()
        except EOFError:
            return _lie(self.trace)

    def stop(self) -> None:
        self._process.terminate()
        self._process.join()
        self._told.close()


_begun: list[_Verifying] | None = None
_lies: dict[str, TraceError] = {}


def _tell(trace: Trace, told: Connection) -> None:
    """Ctrl-C is the parent's to handle."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told.send(_lie(trace))


def _lie(trace: Trace) -> TraceError | None:
    try:
        verify(trace, cut=not trace.complete)
    except TraceError as error:
        return error
    return None


def _await(begun: list[_Verifying]) -> None:
    for one in begun:
        if lie := one.result():
            _lies[one.trace.content_sha256] = lie
            raise lie
        _remember(one.mark)


def _once(trace: Trace) -> None:
    mark = FOLDER / f"{trace.content_sha256[:32]}-{sources_digest(TRACE_PACKAGE)[:16]}"
    if mark.exists():
        return
    long = len(trace) >= LONG
    if long:
        print(f"verifying {trace.path}: {len(trace):,} events, once for this content", file=sys.stderr, flush=True)
    if long and _begun is not None and can_copy():
        _begun.append(_Verifying(trace, mark))
    else:
        verify(trace, cut=not trace.complete)
        _remember(mark)


def _remember(mark: Path) -> None:
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
        mark.touch()
        for old in sorted(FOLDER.iterdir(), key=lambda path: path.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
    except OSError as error:
        print(f"{mark}: not remembered as verified: {error.strerror}", file=sys.stderr)


@cache
def sources_digest(*folders: Path) -> str:
    """SHA-256 of all Python files below `folders`, as they are when it is first asked for: names and contents."""
    total = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            total.update(f"{path.relative_to(folder).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return total.hexdigest()
