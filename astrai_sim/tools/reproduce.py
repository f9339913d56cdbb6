"""Running a trace's scenario again, and comparing everything but time."""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec
import torch

from astrai_sim.machine import cpu_instructions
from astrai_sim.recorder import record
from astrai_sim.scenario import CannotRun, Scenario, load_requests
from astrai_sim.trace import Trace
from astrai_sim.trace.verify.checks import short
from astrai_sim.workload import Workload

TIMES = ("ns", "duration_ns")
PLACES = ("started", "device", "engine")
CHOSEN = ("id", "ids", "text", "texts", "key", "parent", "args", "steps")
FIRST = 10
OLDER = ("policy", "cost", "token_rule", "detail", "weights", "tokenizer", "workload")
"""Fields that a header of the format's first days may lack."""


class CannotReproduce(Exception):
    """The run cannot be made again; the message says why."""


@dataclass
class Reproduction:
    """What a second run gave: `events` that were compared, `left_out` what of them was not, in
    words, and the `differences`: (line, what differs), all of them counted in `count`."""

    events: int
    device: str
    left_out: tuple[str, ...]
    differences: tuple[tuple[int, str], ...]
    count: int


def reproduce(trace: Trace, workload: Path | None = None) -> Reproduction:
    """Run the scenario of `trace` with the engine at hand and compare line by line.

    On the device that the trace names where there is one, else on the CPU: norms of K, and in
    low precision tokens too, are then another device's and are left out, as they are of a
    processor that is not known to have the same instructions as this. Raises
    CannotReproduce, and WorkloadError for what is wrong with the file of a `workload`.
    """
    if trace.header.membership_only:
        raise CannotReproduce("it was made from an engine's cache events: there is no scenario to run again")
    cuda = trace.header.device.type == "cuda" and torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    lines = [json.loads(line) for line in bytes(trace.content).splitlines()]
    scenario, requests = _scenario(lines[0], trace, workload)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "again.jsonl"
        try:
            record(scenario, path, device, workload=requests)
        except (CannotRun, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CannotReproduce(f"the scenario cannot be run: {error}") from None
        again = [json.loads(line) for line in path.read_bytes().splitlines()]
    ignored, left_out = _ignored(trace, device.type)
    found = list(_differences(lines, again, ignored))
    return Reproduction(len(trace), device.type, left_out, tuple(found[:FIRST]), len(found))


def _ignored(trace: Trace, device: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Fields of events that are not compared, and why, in words."""
    header = trace.header
    if header.clock != "real":
        return frozenset(), ()
    names, words = set(TIMES), ["times and durations: the clock is real"]
    where = None
    if header.device.type != device:
        where = header.device.type, device
    elif device == "cpu" and header.device.instructions != cpu_instructions():
        had = header.device.instructions
        where = "a processor with other instructions" if had else "a processor of unknown instructions", "this one"
    if where:
        names |= {"norms"}
        words.append(f"norms of K: recorded on {where[0]}, run again on {where[1]}")
        if header.dtype != "float32":
            names |= set(CHOSEN)
            words.append(f"tokens, keys and lines' values: {header.dtype} rounds differently on {where[1]}")
    return frozenset(names), tuple(words)


def _scenario(raw: dict[str, Any], trace: Trace, file: Path | None) -> tuple[Scenario, Workload | None]:
    """The scenario that the header has, and the requests of its workload."""
    facts = trace.header.workload
    if trace.header.private:
        raise CannotReproduce("the trace is private: it does not tell what was asked")
    if any(request.arrival_s is not None for request in trace.header.scenario.requests) or facts is not None:
        if trace.header.clock == "real":
            raise CannotReproduce("requests arrive by the real clock: no second run has the same times")
    try:
        scenario = msgspec.convert(raw["scenario"], Scenario)
    except msgspec.ValidationError as error:
        raise CannotReproduce(f"the header's scenario is none: {error}") from None
    if facts is None:
        return scenario, None
    if file is None:
        raise CannotReproduce(f"the requests are those of {facts.file}: give it with --workload FILE")
    scenario, requests = load_requests(scenario, trace.path, file)
    if requests is not None and requests.sha256 != facts.sha256:
        raise CannotReproduce(f"{file} has the SHA-256 {requests.sha256}, the trace's was {facts.sha256}")
    return scenario, requests


def _differences(
    lines: list[dict[str, Any]], again: list[dict[str, Any]], ignored: frozenset[str]
) -> Iterator[tuple[int, str]]:
    """(line, what differs) of header, events and footer; digests differ with the times."""
    yield from ((1, text) for text in _header_differences(lines[0], again[0]))
    for number, (one, other) in enumerate(zip_longest(lines[1:], again[1:]), 2):
        if one is None or other is None:
            yield number, f"{abs(len(lines) - len(again))} lines {'more' if other is None else 'fewer'} than again"
            return
        for name in sorted(one.keys() | other.keys()):
            if name == "sha256" or name in ignored:
                continue
            if name == "spans" and "norms" in ignored:
                one, other = (_without_norms(line) for line in (one, other))
            if one.get(name) != other.get(name):
                kind = one.get("event", one.get("type"))
                yield number, f"{kind}: {name} is recorded as {_short(one.get(name))}, now {_short(other.get(name))}"


def _header_differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """What headers say of the run; of sources the texts."""
    for name in sorted(one.keys() | other.keys()):
        if name in PLACES or (name in OLDER and name not in one):
            continue
        a, b = one.get(name), other.get(name)
        if name == "sources" and isinstance(a, dict) and isinstance(b, dict):
            for function in sorted(a):
                if a[function].get("text") != b.get(function, {}).get("text"):
                    yield f"the header: the source text of {function} is another"
        elif name == "scenario" and isinstance(a, dict) and isinstance(b, dict):
            for part in a:
                if _set(a[part]) != _set(b.get(part)):
                    yield f"the header: scenario.{part} is {_short(a[part])}, now {_short(b.get(part))}"
        elif a != b:
            yield f"the header: {name} is {_short(a)}, now {_short(b)}"


def _set(value: Any) -> Any:
    """Without what is None: a field that came later."""
    if isinstance(value, dict):
        return {name: _set(item) for name, item in value.items() if item is not None}
    return [_set(item) for item in value] if isinstance(value, list) else value


def _without_norms(line: dict[str, Any]) -> dict[str, Any]:
    return {**line, "spans": [{name: span[name] for name in span if name != "norms"} for span in line["spans"]]}


def _short(value: Any) -> str:
    return short(json.dumps(value, ensure_ascii=False), 80)
