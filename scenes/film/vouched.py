"""Only a trace that holds is told: each content is verified once, and remembered by its digest."""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import click

import astrai_sim.trace
from astrai_sim.shipped import CHECKOUT
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from scenes.story.errors import DoesNotApply

UNVERIFIED_VARIABLE = "ASTRAI_UNVERIFIED"
FOLDER = (CHECKOUT / "media" if CHECKOUT else Path(click.get_app_dir("astrai-film"))) / "verified"
TRACE_PACKAGE = Path(astrai_sim.trace.__file__).parent
KEPT = 500
LONG = 10_000


def vouched(trace: Trace) -> Trace:
    """The same trace, known to hold at every level; an interrupted one as far as it goes.

    Contents that held before are remembered below `FOLDER` by their computed SHA-256 and a digest of the verifier's
    sources. With the environment variable ``ASTRAI_UNVERIFIED`` nothing is verified, and every picture of the trace
    says so. Raises TraceError at the first lie.
    """
    if trace.unverified is None:
        unverified = os.environ.get(UNVERIFIED_VARIABLE, "") not in ("", "0")
        if not unverified:
            _once(trace)
        trace.unverified = unverified
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


def _once(trace: Trace) -> None:
    mark = FOLDER / f"{trace.content_sha256[:32]}-{sources_digest(TRACE_PACKAGE)[:16]}"
    if mark.exists():
        return
    if len(trace) >= LONG:
        print(f"verifying {trace.path}: {len(trace):,} events, once for this content", file=sys.stderr, flush=True)
    verify(trace, cut=not trace.complete)
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
