"""From the first event to the digest, and what of a trace is taken on trust."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import structs

from astrai_sim.trace.header import Footer
from astrai_sim.trace.reader import Trace, TraceError
from astrai_sim.trace.verify.bulk import BulkModel
from astrai_sim.trace.verify.checks import Lie, VerifyReport
from astrai_sim.trace.verify.full import FullModel
from astrai_sim.trace.verify.membership import MembershipModel
from astrai_sim.trace.verify.policy import OWN_ENGINE, RULES
from astrai_sim.trace.verify.serving import Serving

MALFORMED = (Lie, KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError)
MODELS: dict[str, type[Serving]] = {"full": FullModel, "bulk": BulkModel}


def verify(trace: Trace, cut: bool = False, policy: bool = True) -> VerifyReport:
    """Check every event, the header, the invariants and the digest.

    Raises TraceError at the first lie, with its level, and for an incomplete recording unless `cut` allows one, which
    is then checked up to where it ends. Without `policy` no rule beyond those of paging is checked.
    """
    with _told(trace, 1, "the header"):
        kind = json.loads(bytes(trace.content[: trace.end_of(-1)])).get("type")
        if kind != "header":
            raise Lie(f"type is {kind!r}, but it must be 'header'")
        header = trace.header if policy else structs.replace(trace.header, policy=[])
        model = MembershipModel(header) if header.membership_only else MODELS[header.detail](header)
    for event in trace:
        try:
            model.take(event)
        except MALFORMED as error:
            raise _lie(trace, event.line, f"event {model.seq} ({event.event})", error) from None
    for what in model.of_each:
        model.format.held(what, len(trace))
    _end(trace, model, cut)
    unclaimed = tuple(rule for rule in RULES if rule not in model.rules)
    levels = {level: Counter(counts) for level, counts in model.checks.levels.items()}
    held = len(trace), levels, trace.computed_sha256, tuple(model.rules), unclaimed
    return VerifyReport(*held, tuple(trusted(model, trace.footer)), header.knows)


@contextmanager
def _told(trace: Trace, line: int, where: str) -> Iterator[None]:
    try:
        yield
    except MALFORMED as error:
        raise _lie(trace, line, where, error) from None


def _lie(trace: Trace, line: int, where: str, error: Exception) -> TraceError:
    """A lie, or what cannot even be checked, told with its line."""
    if isinstance(error, Lie):
        rule = f" (rule {error.rule})" if error.rule else ""
        return TraceError(trace.path, line, f"{where}: {error}{rule}", error.level)
    return TraceError(trace.path, line, f"{where} is malformed ({type(error).__name__}: {error})")


def _end(trace: Trace, model: Serving | MembershipModel, cut: bool) -> None:
    """The footer against the events, and the digest; or none where a recording may be `cut`."""
    count, line, digest, footer = len(trace), len(trace) + 2, trace.computed_sha256, trace.footer
    if footer is None:
        if not cut:
            message = f"incomplete at event {count}: the recording was cut short; record it again"
            raise TraceError(trace.path, line if trace.torn else line - 1, message)
        return
    with _told(trace, line, "the end"):
        model.end(footer.stopped)
    if trace.torn:
        raise TraceError(trace.path, line + 1, "something follows the footer")
    if footer.events != count:
        raise TraceError(trace.path, line, f"the footer says {footer.events} events, there are {count}")
    if footer.sha256 is None and not model.own:
        return
    if digest != footer.sha256:
        raise TraceError(trace.path, line, f"the digest is {digest}, the footer says {footer.sha256}")


def trusted(model: Serving | MembershipModel, footer: Footer | None = None) -> Iterator[str]:
    """What `verify` believes of the trace that it was given, item by item."""
    if isinstance(model, MembershipModel):
        yield from model.trusted()
        return
    header = model.header
    if footer is not None and footer.sha256 is None:
        yield "that the file is as it was written: its footer states no digest"
    if model.untold:
        yield f"what the engine leaves out: {', '.join(f'{what} ({n:,})' for what, n in sorted(model.untold.items()))}"
    when = header.started or "the day"
    yield f"who recorded it, where and when: engine, commit, device ({header.device.name}), versions, {when}"
    if model.time.cost:
        yield "that the cost model's constants are those of any machine"
    else:
        yield "times and durations, but for their order: the clock was real"
    yield "limits of the scheduler that the run never comes up against"
    if header.sources:
        yield f"the source texts, files and lines of {len(header.sources)} functions"
    if not model.model_free:
        yield "which tokens the model chose" + (", and their texts" if header.tokenizer else "")
        yield "sizes that only the model's arithmetic shows: layers, heads, width of the feed-forward part"
    if model.detail == "full" and not model.model_free and not (header.private or model.untold["norms"]):
        yield "the norms of K"
    if header.weights is not None:
        yield f"that the weights are those of {header.weights.file}, and prompts the tokens of their text"
    if model.counts_only and model.caching:
        yield "what prompts say, and so which pages hold the same: only chains of keys are checked"
    elif model.counts_only:
        yield "which tokens prompts and answers have: only their numbers are recorded"
    if header.workload is not None:
        yield f"that arrivals and lengths are those of {header.workload.file} (--reproduce --workload FILE)"
    if header.private:
        yield "that ids, texts and names stand for those of the run, equal ones for equal ones: the trace is private"
    if header.engine.name != OWN_ENGINE:
        yield "that the run is the one that the scenario asks for, and why requests ended: the engine is not this one"
    for name in model.unknown_rules:
        yield f"the rule {name!r}, which is not known here"
    for function, count in sorted(model.calls.trusted.items() if isinstance(model, FullModel) else ()):
        yield f"values on executed lines of {count} calls of {function}: its text is not known here"
    for name in ("title", "film", "question", "takeaway"):
        if text := getattr(header.scenario, name):
            yield f"the {name}: {text!r}"
