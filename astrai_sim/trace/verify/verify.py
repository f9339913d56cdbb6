"""From the first event to the digest."""

from __future__ import annotations

import json

from msgspec import structs

from astrai_sim.trace.errors import TraceError
from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Footer
from astrai_sim.trace.reader import Trace
from astrai_sim.trace.verify.bulk import BulkModel
from astrai_sim.trace.verify.checks import Lie, VerifyReport
from astrai_sim.trace.verify.full import FullModel
from astrai_sim.trace.verify.model import Model
from astrai_sim.trace.verify.policy import RULES
from astrai_sim.trace.verify.trust import trusted

MODELS: dict[str, type[Model]] = {"full": FullModel, "bulk": BulkModel}


def verify(trace: Trace, cut: bool = False, policy: bool = True) -> VerifyReport:
    """Check every event, the header, the invariants and the digest.

    Raises TraceError at the first lie, with its level, and for an incomplete recording unless
    `cut` allows one, which is then checked up to where it ends. Without `policy` no rule beyond
    those of paging is checked.
    """
    model = _model(trace, policy)
    count, line, footer = len(trace), len(trace) + 2, trace.footer
    for event in trace:
        _take(trace, model, event)
    if footer is not None:
        _end(trace, model, footer)
    elif not cut:
        raise TraceError(
            trace.path,
            line if trace.torn else line - 1,
            f"incomplete at event {count}: the recording was cut short; record it again",
        )
    unclaimed = tuple(rule for rule in RULES if rule not in model.rules)
    return VerifyReport(
        count, model.checks.levels, trace.computed_sha256, tuple(model.rules), unclaimed, tuple(trusted(model))
    )


def _end(trace: Trace, model: Model, footer: Footer) -> None:
    """The footer against the events, and the digest."""
    count, line, digest = len(trace), len(trace) + 2, trace.computed_sha256
    try:
        model.end(footer.stopped)
    except Lie as lie:
        raise _error(trace, line, "the end", lie) from None
    if trace.torn:
        raise TraceError(trace.path, line + 1, "something follows the footer")
    if footer.events != count:
        raise TraceError(trace.path, line, f"the footer says {footer.events} events, there are {count}")
    if digest != footer.sha256:
        raise TraceError(trace.path, line, f"the digest is {digest}, the footer says {footer.sha256}")


def _error(trace: Trace, line: int, where: str, lie: Lie) -> TraceError:
    rule = f" (rule {lie.rule})" if lie.rule else ""
    error = TraceError(trace.path, line, f"{where}: {lie}{rule}")
    error.level = lie.level
    return error


def _model(trace: Trace, policy: bool) -> Model:
    header = trace.header if policy else structs.replace(trace.header, policy=[])
    try:
        kind = json.loads(bytes(trace.content[: trace.end_of(-1)])).get("type")
        if kind != "header":
            raise Lie(f"type is {kind!r}, but it must be 'header'")
        return MODELS[header.detail](header)
    except Lie as lie:
        raise _error(trace, 1, "the header", lie) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise TraceError(trace.path, 1, f"the header is malformed ({type(error).__name__}: {error})") from None


def _take(trace: Trace, model: Model, event: Event) -> None:
    where = f"event {model.seq} ({event.event})"
    try:
        model.take(event)
    except Lie as lie:
        raise _error(trace, event.line, where, lie) from None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise TraceError(trace.path, event.line, f"{where} is malformed ({type(error).__name__}: {error})") from None
