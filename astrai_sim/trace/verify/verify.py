"""From the first event to the digest."""

from __future__ import annotations

import hashlib

from astrai_sim.trace.errors import TraceError
from astrai_sim.trace.reader import Trace
from astrai_sim.trace.verify.bulk import BulkModel
from astrai_sim.trace.verify.checks import Lie, Report
from astrai_sim.trace.verify.full import FullModel
from astrai_sim.trace.verify.model import Model

MODELS: dict[str, type[Model]] = {"full": FullModel, "bulk": BulkModel}


def verify(trace: Trace) -> Report:
    """Check every event, the invariants and the digest.

    Raises TraceError at the first lie, and for an incomplete recording.
    """
    model = _model(trace)
    count = len(trace)
    for event in trace:
        _take(trace, model, event)
    if trace.footer is None:
        raise TraceError(
            trace.path,
            count + 2 if trace.torn else count + 1,
            f"incomplete at event {count}: the recording was cut short; record it again",
        )
    line = count + 2
    try:
        model.end()
    except Lie as lie:
        raise TraceError(trace.path, line, f"the end: {lie}") from None
    if trace.torn:
        raise TraceError(trace.path, line + 1, "something follows the footer")
    if trace.footer.events != count:
        raise TraceError(trace.path, line, f"the footer says {trace.footer.events} events, there are {count}")
    digest = hashlib.sha256(trace.covered).hexdigest()
    if digest != trace.footer.sha256:
        raise TraceError(trace.path, line, f"the digest is {digest}, the footer says {trace.footer.sha256}")
    return Report(count, model.checks.counts, digest)


def _model(trace: Trace) -> Model:
    try:
        return MODELS[trace.header.detail](trace.header)
    except Lie as lie:
        raise TraceError(trace.path, 1, f"the header: {lie}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise TraceError(trace.path, 1, f"the header is malformed ({type(error).__name__}: {error})") from None


def _take(trace: Trace, model: Model, event) -> None:
    try:
        model.take(event)
    except Lie as lie:
        raise TraceError(trace.path, event.line, f"event {model.seq} ({event.event}): {lie}") from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise TraceError(
            trace.path, event.line, f"event {model.seq} ({event.event}) is malformed ({type(error).__name__}: {error})"
        ) from None
