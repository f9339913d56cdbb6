"""Small scenarios made in memory, and their recordings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import torch

from astrai_sim.recorder import record
from astrai_sim.scenario.schema import (
    CachePart,
    ModelPart,
    PrefixPart,
    RecordPart,
    RequestPart,
    Scenario,
    SchedulerPart,
)
from astrai_sim.trace import State, Trace

CPU = torch.device("cpu")
TINY = ModelPart(n_layers=1, n_heads=2, n_kv_heads=1, head_dim=4, ffn_dim=8, vocab_size=50, dtype="float32")


def crowd(kind: str = "random", detail: str = "full", snapshot_every: int = 7) -> Scenario:
    """Seven requests in a pool too small for them: every kind of event comes to pass."""
    requests = [
        RequestPart(
            f"r{i}",
            max_tokens=9 + i % 3,
            prompt_tokens=3 + 2 * i,
            prefix="system" if i % 2 else None,
            arrival_step=i // 2,
        )
        for i in range(7)
    ]
    return Scenario(
        name="crowd",
        seed=3,
        model=replace(TINY, kind=kind),
        cache=CachePart(n_pages=14, page_size=4, prefix_caching=True),
        scheduler=SchedulerPart(max_batch=4, max_tokens_per_step=12),
        record=RecordPart(detail=detail, snapshot_every=snapshot_every),
        prefixes=(PrefixPart("system", tokens=9),),
        requests=tuple(requests),
    )


def recorded(scenario: Scenario, path: Path) -> Trace:
    """The scenario, recorded into `path` on the CPU."""
    record(scenario, path, torch.device("cpu"))
    return Trace.open(path)


def mask_bits(state: State) -> str:
    """The free mask as digits, high bit first."""
    return format(state.mask, f"0{state.n_pages}b")


def lines_of(trace: Trace) -> list[dict]:
    """Header, events and footer, decoded."""
    return [json.loads(line) for line in trace.content.splitlines()]


def written(lines: Iterable[dict]) -> Trace:
    """Lines as a trace, as they are."""
    return Trace(Path("lie.jsonl"), b"".join(map(encoded, lines)))


def resealed(lines: list[dict]) -> Trace:
    """Lines as a trace, numbered anew, with a footer that fits them."""
    header, *events, footer = lines
    events = [event if event["seq"] == i else {**event, "seq": i} for i, event in enumerate(events)]
    body = b"".join(map(encoded, (header, *events)))
    digest = hashlib.sha256(body).hexdigest()
    footer = {**footer, "events": len(events), "sha256": digest}
    return Trace(Path("lie.jsonl"), body + encoded(footer))


_ENCODED: dict[int, tuple[dict, bytes]] = {}


def encoded(line: dict) -> bytes:
    """One line as the writer writes it; each object is encoded once."""
    known = _ENCODED.get(id(line))
    if known is None or known[0] is not line:
        text = json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n"
        known = _ENCODED[id(line)] = line, text.encode()
    return known[1]
