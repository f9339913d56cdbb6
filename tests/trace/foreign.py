"""Recordings of this engine, told as another would: without what it lacks, and with phases of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection

from astrai_sim.trace.header import PHASES

LEFT_OUT = {"words", "mask", "word", "table", "lengths", "counts", "key", "parent", "digests", "norms"}
"""Fields that another engine may leave out; `lengths` and `counts` where they are digests."""
KEPT = {("kv_lengths", "counts"), ("snapshot", "mask")}


def bare(line: dict) -> dict:
    """A line without what may be left out."""
    kept = {k: v for k, v in line.items() if k not in LEFT_OUT or (line["event"], k) in KEPT}
    if "spans" in kept:
        kept["spans"] = [{k: v for k, v in span.items() if k != "norms"} for span in kept["spans"]]
    return kept


def foreign(
    own: list[dict], drop: Collection[str] = (), phases: Callable[[str], str | None] = lambda name: name
) -> list[dict]:
    """The run as that of another engine, without what may be left out, and without events of the kinds to `drop`.

    `phases` says what it calls each of the four, several maybe the same; None where it has none.
    """
    header = {**own[0], "engine": {"name": "other", "version": "1"}, "sources": {}, "policy": None}
    header["phases"] = [*dict.fromkeys(filter(None, map(phases, PHASES)))]
    kept: list[dict] = []
    for line in own[1:-1]:
        name = line["phase"] and phases(line["phase"])
        if line["event"] in ("lines", "snapshot", *drop) or (not name and line["event"].startswith("phase_")):
            continue
        if line["event"] == "phase_begin" and kept[-1]["event"] == "phase_end" and kept[-1]["phase"] == name:
            kept.pop()  # two that follow each other become one
            continue
        kept.append({**bare(line), "phase": name})
    return [header, *({**line, "seq": seq} for seq, line in enumerate(kept)), footer(own, len(kept))]


def footer(own: list[dict], events: int) -> dict:
    return {"type": "footer", "events": events, "stopped": own[-1]["stopped"]}
