"""Reading pages back from live objects: mask, refcounts and LRU, and what tokens left in their slots."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from astrai_sim.engine.cache import pages_for, word_of
from astrai_sim.recorder.watching import Watcher
from astrai_sim.trace.events import WHOLE_LRU, WHOLE_MASK


class LivePool(Protocol):
    """What of a pool is read back: see `PagedCache`."""

    @property
    def n_pages(self) -> int: ...
    @property
    def page_size(self) -> int: ...
    @property
    def free_mask(self) -> int: ...
    @property
    def refs(self) -> Sequence[int]: ...
    @property
    def lru(self) -> list[int]: ...


class PageWatcher(Watcher):
    """Writes events about single pages of `pool`, and about their slots, whose K is in `keys`.

    `keys` has shape [n_pages, page_size, n_kv_heads, head_dim].
    """

    pool: LivePool
    keys: torch.Tensor

    def _synchronize(self) -> None:
        """Wait for the device, so that what it still computes counts as the engine's time."""
        if self.keys.device.type == "cuda":
            torch.cuda.synchronize(self.keys.device)

    def _mask(self, page: int) -> dict[str, Any]:
        if self.pool.n_pages <= WHOLE_MASK:
            return {"mask": hex(self.pool.free_mask)}
        index = page // 64
        return {"word": [index, hex(self._word(index))]}

    def _word(self, index: int) -> int:
        """Bits 64 x `index` to 64 x `index` + 63 of the free mask."""
        return word_of(self.pool.free_mask, index)

    def _lru(self) -> dict[str, Any]:
        lru = self.pool.lru
        return {"lru": lru} if len(lru) <= WHOLE_LRU else {}

    def _page_event(self, event: str, page: int, lru: bool = False) -> None:
        about = {"page": page, "task": self.task, "logical": self.logical, "ref": self.pool.refs[page]}
        self._emit(event, **about, **self._mask(page), **(self._lru() if lru else {}))

    def _span(self, task: str, table: Sequence[int], start: int, end: int) -> dict[str, Any]:
        """Where a task's tokens `start` to before `end` were put, with the K norms that the tensor now holds."""
        size = self.pool.page_size
        slots, norms = [], []
        for logical in range(start // size, pages_for(end, size)):
            page, low, high = table[logical], max(start - logical * size, 0), min(end - logical * size, size)
            keys = self.keys[page, low:high].float()
            norms += [float(f"{norm:.4g}") for norm in keys.flatten(1).norm(dim=1).tolist()]
            slots.append([page, low, high])
        return {"task": task, "start": start, "count": end - start, "slots": slots, "norms": norms}

    def _row(self, task: str, pages: Sequence[int], length: int) -> dict[str, Any]:
        """Where a task's first `length` tokens were read."""
        size = self.pool.page_size
        starts = zip(pages, range(0, length, size), strict=False)
        slots = [[page * size, min(size, length - start)] for page, start in starts]
        return {"task": task, "length": length, "pages": list(pages), "slots": slots}
