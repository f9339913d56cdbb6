"""What it costs to move K and V into pages and out of them, and what it saves to read them where they lie."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from astrai_sim.engine.cache import CacheView, PagedCache, QueuedView, pages_for
from astrai_sim.tools.bench.measure import Comparison, compare, timed
from astrai_sim.tools.bench.paging import HEAD_DIM, N_HEADS, N_KV_HEADS, PAGE_SIZE, attend_all

MOVED = ((64, 1024),)
READ = ((8, 1024), (64, 1024))
DTYPE = torch.bfloat16
compiled = torch.compile
BLOCK = (128, PAGE_SIZE)
"""Queries and keys of a block of FlexAttention: a block of keys is a page."""


@dataclass(frozen=True)
class Filled:
    """A cache whose pages, in an order drawn, hold `keys` and `values` [B, length, n_kv_heads, head_dim] of a batch."""

    cache: PagedCache
    tables: list[list[int]]
    keys: torch.Tensor
    values: torch.Tensor

    @property
    def length(self) -> int:
        """Tokens of each sequence."""
        return self.keys.shape[1]

    def view(self, kind: type[CacheView]) -> CacheView:
        """The batch as attention sees it in a pass over all of its tokens."""
        return kind(self.cache, self.tables, [0] * len(self.tables), [self.length] * len(self.tables))

    def pages(self) -> Iterator[tuple[int, int, int, int]]:
        """(sequence, first position, page, tokens in it) of every page."""
        for row, table in enumerate(self.tables):
            for start, page in zip(range(0, self.length, PAGE_SIZE), table, strict=True):
                yield row, start, page, min(PAGE_SIZE, self.length - start)


def filled(batch: int, length: int, device: torch.device) -> Filled:
    """`batch` sequences of `length` tokens with drawn K and V."""
    generator = torch.Generator().manual_seed(0)
    per_task = pages_for(length, PAGE_SIZE)
    cache = PagedCache(1, batch * per_task, PAGE_SIZE, N_KV_HEADS, HEAD_DIM, device, DTYPE)
    order = torch.randperm(batch * per_task, generator=generator).view(batch, per_task).tolist()
    shape = (batch, length, N_KV_HEADS, HEAD_DIM)
    keys, values = (torch.randn(shape, generator=generator).to(device, DTYPE) for _ in range(2))
    made = Filled(cache, order, keys, values)
    made.view(cache.view_type).write(0, keys, values)
    return made


def moving(device: torch.device, rounds: int) -> Iterator[Comparison]:
    """A layer's K and V of `MOVED` sequences x tokens, written and gathered.

    Against a contiguous copy of the same bytes; the loop goes over pages. On the CPU both ways are measured: `write`
    and `gather`, which work out in every layer where tokens lie, and `put` and `take`, which are told.
    """
    for batch, length in MOVED:
        held = filled(batch, length, device)
        kinds = {"write": CacheView, "put": QueuedView}
        if device.type != "cpu":
            del kinds["write"]
        views = {name: held.view(kind) for name, kind in kinds.items()}
        there = torch.empty_like(held.keys), torch.empty_like(held.values)
        case, shown = f"{batch} × {length:,} tokens", {"write": "gather", "put": "take"}
        writes: dict[str, Callable[[], object]] = {name: _writing(held, view) for name, view in views.items()}
        reads: dict[str, Callable[[], object]] = {shown[name]: _gathering(view) for name, view in views.items()}
        for others, loop in ((writes, _write_by_page), (reads, _gather_by_page)):
            runs = {"copy": lambda to=there, held=held: _copied(to, held), **others}
            runs["page by page"] = lambda loop=loop, to=there, held=held: loop(held, to)
            yield from compare(case, {name: timed(run, device) for name, run in runs.items()}, rounds)


def _copied(to: tuple[torch.Tensor, torch.Tensor], held: Filled) -> None:
    to[0].copy_(held.keys)
    to[1].copy_(held.values)


def _writing(held: Filled, view: CacheView) -> Callable[[], object]:
    return lambda: view.write(0, held.keys, held.values)


def _gathering(view: CacheView) -> Callable[[], object]:
    return lambda: list(view.gather(0))


def _write_by_page(held: Filled, to: tuple[torch.Tensor, torch.Tensor]) -> None:
    for row, start, page, n in held.pages():
        held.cache.k_cache[0, page, :n] = held.keys[row, start : start + n]
        held.cache.v_cache[0, page, :n] = held.values[row, start : start + n]


def _gather_by_page(held: Filled, to: tuple[torch.Tensor, torch.Tensor]) -> None:
    for row, start, page, n in held.pages():
        to[0][row, start : start + n] = held.cache.k_cache[0, page, :n]
        to[1][row, start : start + n] = held.cache.v_cache[0, page, :n]


def in_place(device: torch.device, rounds: int) -> Iterator[Comparison | str]:
    """A layer's decode step for `READ` sequences x tokens: gathered and attended to, or read in their pages.

    The second is FlexAttention, compiled, with the page table as its block mask. Where it does not compile a line says
    so.
    """
    attention = compiled(flex_attention)
    for batch, length in READ:
        held = filled(batch, length, device)
        query = torch.randn(batch, 1, N_HEADS, HEAD_DIM, generator=torch.Generator().manual_seed(1)).to(device, DTYPE)
        view, mask = held.view(held.cache.view_type), block_mask(held)
        flex = lambda q=query, held=held, mask=mask: through_the_table(attention, q, held, mask)  # noqa: E731
        try:
            flex()
        except Exception as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
            yield f"FlexAttention does not compile on {device.type} here: {type(error).__name__}: {reason:.80}"
            return
        runs = {
            "gather": timed(lambda q=query, view=view: attend_all(q, view.gather(0)), device),
            "FlexAttention": timed(flex, device),
        }
        yield from compare(f"{batch} × {length:,} tokens", runs, rounds)


def block_mask(held: Filled) -> BlockMask:
    """What FlexAttention may look at: of each sequence its pages, and of these the slots that are filled."""
    device, batch, n_pages = held.keys.device, len(held.tables), held.cache.n_pages
    table = torch.tensor(held.tables, dtype=torch.int32, device=device)
    room = torch.zeros(batch, n_pages, dtype=torch.int32, device=device)
    for row, _, page, n in held.pages():
        room[row, page] = n

    def within(b: torch.Tensor, h: torch.Tensor, q: torch.Tensor, slot: torch.Tensor) -> torch.Tensor:
        return slot % PAGE_SIZE < room[b, slot // PAGE_SIZE]

    def blocks(pages: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        indices = torch.zeros(batch, 1, 1, n_pages, dtype=torch.int32, device=device)
        indices[:, 0, 0, : pages.shape[1]] = pages
        return torch.full((batch, 1, 1), pages.shape[1], dtype=torch.int32, device=device), indices

    partial, full = blocks(table[:, -1:]), blocks(table[:, :-1])
    lengths = (1, n_pages * PAGE_SIZE)
    return BlockMask.from_kv_blocks(*partial, *full, BLOCK_SIZE=BLOCK, mask_mod=within, seq_lengths=lengths)


@torch.inference_mode()
def through_the_table(attention: Callable, query: torch.Tensor, held: Filled, mask: BlockMask) -> torch.Tensor:
    """Attention of one new token of each sequence, over K and V where they lie. query: [B, 1, n_heads, head_dim]."""
    keys, values = (kv[0].flatten(0, 1)[None].transpose(1, 2) for kv in (held.cache.k_cache, held.cache.v_cache))
    return attention(query.transpose(1, 2), keys, values, block_mask=mask, enable_gqa=True).transpose(1, 2)
