"""Figures of a run, each counted from the trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median

from astrai_sim.trace import Trace
from astrai_sim.trace.header import DTYPES

TAKEN = {"pages_alloc", "pages_ref", "pages_revived"}
GIVEN = {"pages_free", "pages_cached"}


@dataclass(frozen=True)
class PoolFigures:
    """Sizes of the pool, from the header: counts, and bytes for K and V together."""

    n_layers: int
    n_pages: int
    page_size: int
    n_kv_heads: int
    head_dim: int
    dtype: str
    slot_bytes: int
    page_bytes: int
    pool_bytes: int

    @classmethod
    def of(cls, trace: Trace) -> PoolFigures:
        """Bytes of one slot: 2 (K and V) x layers x KV heads x head dim x bytes of the dtype."""
        scenario = trace.header.scenario
        model, cache = scenario.model, scenario.cache
        slot = 2 * model.n_layers * model.n_kv_heads * model.head_dim
        slot *= DTYPES[trace.header.dtype]
        page = slot * cache.page_size
        return cls(
            n_layers=model.n_layers,
            n_pages=cache.n_pages,
            page_size=cache.page_size,
            n_kv_heads=model.n_kv_heads,
            head_dim=model.head_dim,
            dtype=trace.header.dtype,
            slot_bytes=slot,
            page_bytes=page,
            pool_bytes=page * cache.n_pages,
        )


@dataclass(frozen=True)
class RunFigures:
    """What happened in the run; times in milliseconds."""

    requests: int
    finished: int
    steps: int
    generated: int
    allocs: int
    frees: int
    peak_pages: int
    preemptions: int
    prefill_ms: float | None
    decode_ms: float | None

    @classmethod
    def of(cls, trace: Trace) -> RunFigures:
        """Count over all events; the medians are over phases that worked on a task."""
        counts: Counter[str] = Counter()
        in_use: set[int] = set()
        peak_pages = 0
        prefill: list[float] = []
        decode: list[float] = []
        freed = generated = 0
        for event in trace:
            kind = event.event
            counts[kind] += len(event.pages) if kind == "pages_alloc" else 1
            if kind == "tokens":
                generated += len(event.tasks)
            elif kind in TAKEN:
                in_use.update(event.pages)
                peak_pages = max(peak_pages, len(in_use))
            elif kind in GIVEN:
                gone = [page for page, ref in zip(event.pages, event.refs, strict=True) if ref == 0]
                in_use.difference_update(gone)
                freed += len(gone) if kind == "pages_free" else 0
            elif kind == "phase_end" and event.n_tasks:
                if event.phase == "prefill":
                    prefill.append(event.duration_ns / 1e6)
                elif event.phase == "decode":
                    decode.append(event.duration_ns / 1e6)
        return cls(
            requests=counts["task_submitted"],
            finished=counts["task_finished"],
            steps=counts["step_end"],
            generated=generated,
            allocs=counts["pages_alloc"],
            frees=freed,
            peak_pages=peak_pages,
            preemptions=counts["task_preempted"],
            prefill_ms=median(prefill) if prefill else None,
            decode_ms=median(decode) if decode else None,
        )


def bytes_text(n: int) -> str:
    """Bytes in the largest binary unit that leaves at least 1, to three figures."""
    value = float(n)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            return f"{value:.3g} {unit}"
        value /= 1024
    raise AssertionError


def ms_text(ms: float) -> str:
    """Milliseconds to three figures, also where the last of them are zeros."""
    value, unit = (ms, "ms") if ms < 1000 else (ms / 1000, "s")
    return f"{value:#.3g}".rstrip(".") + f" {unit}" if value < 999.5 else f"{value:.0f} {unit}"
