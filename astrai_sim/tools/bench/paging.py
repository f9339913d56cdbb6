"""What paging costs: attention over pages, taking and returning them, and what a cached prefix saves."""

from collections.abc import Iterable, Iterator

import torch

from astrai_sim.engine.cache import PagedCache, cache_type, pages_for
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.model.layers import attend
from astrai_sim.tools.bench.measure import Comparison, Timed, compare, timed

N_HEADS, N_KV_HEADS, HEAD_DIM, PAGE_SIZE = 8, 4, 64, 64
CASES = ((1, 256), (1, 1024), (8, 256), (8, 1024))
SIZES, MASKED, TIMES = (8, 1024, 65536, 1048576), 65536, 2000
MODEL = ModelConfig(n_layers=4, n_heads=8, n_kv_heads=4, head_dim=32, ffn_dim=704, vocab_size=2048)
SMALL_PAGE, SHARED = 16, ((128, 16), (512, 16))


def attention(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """One layer's decode step for batches and lengths of `CASES`, in the dtype of the films."""
    generator = torch.Generator().manual_seed(0)
    dtype = torch.bfloat16
    for batch, length in CASES:
        per_task = pages_for(length, PAGE_SIZE)
        cache = PagedCache(1, batch * per_task, PAGE_SIZE, N_KV_HEADS, HEAD_DIM, device, dtype)
        order = torch.randperm(batch * per_task, generator=generator).view(batch, per_task)
        view = cache.view_type(cache, order.tolist(), [0] * batch, [length] * batch)
        shape = (batch, length, N_KV_HEADS, HEAD_DIM)
        keys, values = (torch.randn(shape, generator=generator).to(device, dtype) for _ in range(2))
        view.write(0, keys, values)
        query = torch.randn(batch, 1, N_HEADS, HEAD_DIM, generator=generator).to(device, dtype)
        runs = {
            "dense": timed(lambda q=query, k=keys, v=values: attend_all(q, zip(k, v, strict=True)), device),
            "paged": timed(lambda q=query, view=view: attend_all(q, view.gather(0)), device),
        }
        yield from compare(f"{batch} × {length} tokens", runs, rounds)


@torch.inference_mode()
def attend_all(query: torch.Tensor, rows: Iterable[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Attention of one new token of each sequence over its K and V, as the decoder calls it."""
    return torch.stack([attend(q, keys, values) for q, (keys, values) in zip(query, rows, strict=True)])


def pool(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """`alloc` and `free` in pools of `SIZES` pages of which the lower half is in use, and all but the last.

    Up to some thousand pages the free mask is one integer, which at `MASKED` pages is measured beside the tree. All
    only touch the pool's bookkeeping, which lives on the CPU whatever the device.
    """
    runs = {f"{size:,} pages": _taken(cache_type(size), size, size // 2) for size in SIZES}
    runs[f"{MASKED:,} pages in one integer"] = _taken(PagedCache, MASKED, MASKED // 2)
    runs[f"{SIZES[-1]:,} pages, one left"] = _taken(cache_type(SIZES[-1]), SIZES[-1], SIZES[-1] - 1)
    yield from compare(f"{TIMES:,} times", runs, rounds)


def _taken(kind: type[PagedCache], size: int, taken: int) -> Timed:
    cache = kind(1, size, 1, 1, 1, "meta", torch.bfloat16)
    cache.alloc_n(taken)

    def take_and_return() -> None:
        for _ in range(TIMES):
            cache.free(cache.alloc())

    return timed(take_and_return, torch.device("cpu"))


def growth(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """`grow` by a token that fits the last page, as most do, in pools of `SIZES` pages: it counts no free pages."""
    runs = {f"{size:,} pages": _growing(size) for size in SIZES}
    yield from compare(f"{TIMES:,} times", runs, rounds)


def _growing(size: int) -> Timed:
    cache = cache_type(size)(1, size, TIMES + 1, 1, 1, "meta", torch.bfloat16)
    cache.admit("request", [0])

    def grow() -> None:
        for n_tokens in range(2, TIMES + 2):
            cache.grow("request", n_tokens)

    return timed(grow, torch.device("cpu"))


def prefix(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """A start that may be cached and then the request's own tokens, with and without the hit."""
    model = Transformer.seeded(MODEL, 0, device, torch.bfloat16)
    for shared, own in SHARED:
        start, end = list(range(shared)), list(range(shared, shared + own))
        runs = {name: _first_token(model, device, start, end, warm) for name, warm in (("hit", True), ("miss", False))}
        yield from compare(f"{shared} + {own} tokens", runs, rounds)


def _first_token(model: Transformer, device: torch.device, start: list[int], end: list[int], warm: bool) -> Timed:
    c = model.config
    sizes = (c.n_layers, 128, SMALL_PAGE, c.n_kv_heads, c.head_dim)
    cache = PagedCache(*sizes, device, torch.bfloat16, prefix_caching=True)
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
