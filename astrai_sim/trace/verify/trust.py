"""What nothing in a trace is tied to, in words: only its digest guards it, and whoever made it."""

from __future__ import annotations

from collections.abc import Iterator

from astrai_sim.trace.verify.model import Model
from astrai_sim.trace.verify.policy import OWN_ENGINE


def trusted(model: Model) -> Iterator[str]:
    """What `verify` believes of the trace that it was given, item by item."""
    header, scenario = model.header, model.header.scenario
    yield f"who recorded it, where and when: engine, commit, device ({header.device.name}), versions, {header.started}"
    if model.time.computed:
        yield "that the cost model's constants are those of any machine"
    else:
        yield "times and durations, but for their order: the clock was real"
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
