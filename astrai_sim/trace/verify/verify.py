"""From the first event to the digest, and what of a trace is taken on trust."""

import json
from collections.abc import Iterator

from msgspec import structs

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Footer
from astrai_sim.trace.reader import Trace, TraceError
from astrai_sim.trace.verify.bulk import BulkModel
from astrai_sim.trace.verify.checks import Lie, VerifyReport
from astrai_sim.trace.verify.full import FullModel
from astrai_sim.trace.verify.model import Model
from astrai_sim.trace.verify.policy import OWN_ENGINE, RULES

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
        message = f"incomplete at event {count}: the recording was cut short; record it again"
        raise TraceError(trace.path, line if trace.torn else line - 1, message)
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


def trusted(model: Model) -> Iterator[str]:
    """What `verify` believes of the trace that it was given, item by item."""
    header, scenario = model.header, model.header.scenario
    yield f"who recorded it, where and when: engine, commit, device ({header.device.name}), versions, {header.started}"
    if model.time.computed:
        yield "that the cost model's constants are those of any machine"
    else:
        yield "times and durations, but for their order: the clock was real"
    yield "limits of the scheduler that the run never comes up against"
    if header.sources:
        yield f"the source texts, files and lines of {len(header.sources)} functions"
    if not model.model_free:
        yield "which tokens the model chose" + (", and their texts" if header.tokenizer else "")
        yield "sizes that only the model's arithmetic shows: layers, heads, width of the feed-forward part"
    if model.detail == "full" and not model.model_free:
        yield "the norms of K"
    if header.weights is not None:
        yield f"that the weights are those of {header.weights.file}, and prompts the tokens of their text"
    if model.detail == "bulk" and model.caching and model.counts_only:
        yield "what prompts say, and so which pages hold the same: only chains of keys are checked"
    elif model.counts_only:
        yield "which tokens prompts and answers have: only their numbers are recorded"
    if header.workload is not None:
        yield f"that arrivals and lengths are those of {header.workload.file} (--reproduce --workload FILE)"
    if header.engine.name != OWN_ENGINE:
        yield "that the run is the one that the scenario asks for: the engine is not this one"
    for name in model.unknown_rules:
        yield f"the rule {name!r}, which is not known here"
    for function, count in sorted(model.trusted_calls.items()):
        yield f"values on executed lines of {count} calls of {function}: its text is not known here"
    for name in ("title", "film", "question", "takeaway"):
        if text := getattr(scenario, name):
            yield f"the {name}: {text!r}"
