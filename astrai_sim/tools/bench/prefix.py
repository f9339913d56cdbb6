"""Time to the first token of a request whose prompt's start is cached, or is not."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from astrai_sim.engine.cache import PagedCache
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.tools.bench.measure import Comparison, Timed, compare, timed

MODEL = ModelConfig(n_layers=4, n_heads=8, n_kv_heads=4, head_dim=32, ffn_dim=704, vocab_size=2048)
PAGE_SIZE = 16
CASES = ((128, 16), (512, 16))


def prefix(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """A start that may be cached and then the request's own tokens, with and without the hit."""
    model = Transformer.seeded(MODEL, 0, device, torch.bfloat16)
    for shared, own in CASES:
        start, end = list(range(shared)), list(range(shared, shared + own))
        runs = {name: _first_token(model, device, start, end, warm) for name, warm in (("hit", True), ("miss", False))}
        yield from compare(f"{shared} + {own} tokens", runs, rounds)


def _first_token(model: Transformer, device: torch.device, start: list[int], end: list[int], warm: bool) -> Timed:
    c = model.config
    cache = PagedCache(
        c.n_layers, 128, PAGE_SIZE, c.n_kv_heads, c.head_dim, device, torch.bfloat16, prefix_caching=True
    )
    scheduler = InferenceScheduler(model, cache)

    def serve(prompt: list[int]) -> None:
        scheduler.submit(Task("request", prompt, 1))
        scheduler.step()

    def run() -> float:
        cache.reset_prefix_cache()
        if warm:
            serve([*start, end[0]])
            scheduler.cleanup()
        seconds = timed(lambda: serve([*start, *end]), device)()
        scheduler.cleanup()
        return seconds

    return run
