"""What a decode step of a model of the films' size costs more while it is recorded, or while another engine is."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from astrai_sim.adapters import attach
from astrai_sim.engine.cache import PagedCache
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.model import Transformer
from astrai_sim.recorder.header import make_header
from astrai_sim.recorder.record import make_recorder
from astrai_sim.scenario import Scenario, build
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.schema import CachePart, ModelPart, RecordPart, RequestPart
from astrai_sim.tools.bench.block_engine import BlockEngine
from astrai_sim.tools.bench.measure import Comparison, compare_both
from astrai_sim.trace import Trace, TraceWriter

MODEL = ModelPart(n_layers=24, n_heads=8, n_kv_heads=4, head_dim=64, ffn_dim=1408, vocab_size=4096)
"""As in the scenarios `paging` and `promo`."""
NARROW = replace(MODEL, n_heads=1, n_kv_heads=1, head_dim=8, ffn_dim=8, vocab_size=512)
"""With as many layers and little to compute: beside its short steps the milliseconds that recording adds are seen."""
BATCH, PROMPT, PAGE_SIZE = 4, 256, 16
STEPS = 16
"""Decode steps that are measured at once: with a snapshot, and a new page for each request."""


def nothing() -> None:
    """What there is to do where nothing is recorded."""


@dataclass
class Live:
    """An engine that decodes for `BATCH` requests; the trace that is written of it, if any, and how that is written out
    and ended."""

    step: Callable[[], object]
    trace: Path | None = None
    flush: Callable[[], object] = nothing
    end: Callable[[], object] = nothing

    def run(self) -> None:
        """`STEPS` decode steps."""
        for _ in range(STEPS):
            self.step()

    def written(self) -> tuple[int, int, int]:
        """Events so far of its trace, their bytes, and those of the file."""
        assert self.trace is not None
        self.flush()
        partial = self.trace.with_name(f"{self.trace.name}.partial")
        trace = Trace.open(partial)
        return len(trace), len(trace.content), partial.stat().st_size


def scenario(rounds: int, detail: str = "full", model: ModelPart | None = None) -> Scenario:
    """`BATCH` requests of `PROMPT` tokens that decode for as long as is measured; no line is recorded."""
    most = STEPS * (rounds + 3)
    pages = BATCH * (-(-(PROMPT + most) // PAGE_SIZE) + 1)
    return Scenario(
        name="bench",
        model=model or MODEL,
        cache=CachePart(n_pages=pages, page_size=PAGE_SIZE, prefix_caching=True),
        requests=tuple(
            RequestPart(f"r{i}", most, prompt_ids=tuple(range(BATCH * i, BATCH * i + PROMPT))) for i in range(BATCH)
        ),
        record=RecordPart(detail=detail, line_calls=0),
    )


def decode_step(device: torch.device, rounds: int, model: ModelPart | None = None) -> Iterator[Comparison | str]:
    """A decode step never recorded; after a recorder was put on and taken off; recorded in bulk and in full."""
    asked = {"no recorder": None, "recorder taken off": "full", "bulk recording": "bulk", "recording": "full"}
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: scenario(rounds, detail or "full", model) for name, detail in asked.items()}
        first = build(runs["recording"], device)
        lives = {name: _ours(first, run, name, asked[name], Path(folder)) for name, run in runs.items()}
        yield from _compared(lives, rounds, device)


def attached(device: torch.device, rounds: int, model: ModelPart | None = None) -> Iterator[Comparison | str]:
    """A decode step of an engine of another make around the same model, watched by `attach` and not."""
    with tempfile.TemporaryDirectory() as folder:
        asked = scenario(rounds, model=model)
        built = build(asked, device).model
        assert built is not None
        traces = {"not attached": None, "attached": Path(folder) / "attached.jsonl.gz"}
        yield from _compared({name: _other(built, asked, path) for name, path in traces.items()}, rounds, device)


def added(device: torch.device, rounds: int) -> Iterator[Comparison | str]:
    """How many milliseconds of a step recording adds, and `attach`."""
    for found in (*decode_step(device, rounds, NARROW), *attached(device, rounds, NARROW)):
        if isinstance(found, Comparison):
            yield found
            yield f"{found.what}: {1e3 * (found.ratio - 1) * found.base_seconds / STEPS:+.2f} ms a step"


def _compared(lives: dict[str, Live], rounds: int, device: torch.device) -> Iterator[Comparison | str]:
    """`STEPS` steps of each in turn; then what a step wrote."""
    case, steps = f"{STEPS} steps for {BATCH} × {PROMPT} tokens", STEPS * (rounds + 1)
    try:
        before = {name: live.written() for name, live in lives.items() if live.trace}
        yield from compare_both(case, {name: live.run for name, live in lives.items()}, rounds, device)
        for name, marks in before.items():
            events, raw, packed = (now - then for now, then in zip(lives[name].written(), marks, strict=True))
            told = f"{raw / events:.0f} bytes an event, {packed / events:.0f} packed"
            yield f"{name}: {events / steps:.1f} events a step, {told}"
    finally:
        for live in lives.values():
            live.end()


def _ours(first: Built, asked: Scenario, name: str, detail: str | None, folder: Path) -> Live:
    """This engine around the model of `first`, all prompts computed, with a recorder if it has a `detail`."""
    old = first.cache
    cache = PagedCache(*old.k_cache.shape, device=old.k_cache.device, dtype=old.k_cache.dtype, prefix_caching=True)
    scheduler = InferenceScheduler(first.model, cache, max_batch=BATCH)
    tasks = [Task(task.id, task.prompt, task.max_tokens) for task in first.tasks]
    built, live = replace(first, cache=cache, scheduler=scheduler, tasks=tasks), Live(nothing)
    if detail is not None:
        path = folder / f"{name.replace(' ', '-')}.jsonl.gz"
        writer = TraceWriter(path, make_header(asked, cache.k_cache.device, built))
        recorder = make_recorder(asked, writer, built)
        recorder.attach()
        live = Live(nothing, path, writer.flush, recorder.detach)
        if name == "recorder taken off":
            recorder.detach()
            live = Live(nothing)
    for task in tasks:
        scheduler.submit(task)
    scheduler.step()
    return replace(live, step=scheduler.step)


def _other(model: Transformer, asked: Scenario, path: Path | None) -> Live:
    """The other engine around `model`, all prompts computed, watched if there is a `path`."""
    engine, live = BlockEngine(model, asked.cache.n_pages, PAGE_SIZE), Live(nothing)
    if path is not None:
        live = Live(nothing, path, end=attach(engine, path, line_calls=0).detach)
    for request in asked.requests:
        engine.add(list(request.prompt_ids or ()), request.max_tokens)
    engine.step()
    return replace(live, step=engine.step)
