"""The scheduler without a model: everything but the arithmetic."""

from typing import Any

from astrai_sim.engine.cache import PagedCache
from astrai_sim.engine.clock import CostClock
from astrai_sim.engine.scheduler.scheduler import InferenceScheduler
from astrai_sim.engine.scheduler.task import Status, Task

MULTIPLIER = 48271
RULE = f"({MULTIPLIER} * last + position) mod vocab_size"
"""Of the token at `position` after `last`: like a model at temperature 0, the same after the same ones."""


class ModelFreeScheduler(InferenceScheduler):
    """Runs pages and scheduling for real; forward passes only cost time on `clock`.

    Tokens come from `RULE`, and no K or V is computed or stored: the cache may live on the meta device. Every
    request ends at its `max_tokens`. Settings as for `InferenceScheduler`, whose `eos` does not count here.
    """

    def __init__(self, cache: PagedCache, clock: CostClock, vocab_size: int, **settings: Any) -> None:
        super().__init__(None, cache, **{**settings, "eos": None})
        self.clock = clock
        self.vocab_size = vocab_size

    def _forward(self, batch: list[tuple[Task, int, int]]) -> list[int]:
        """Let the pass's time go by; returns the token after each task's last."""
        cost, size = self.clock.cost, self.vocab_size
        ends = [start + count for _, start, count in batch]
        if batch[0][0].status == Status.PREFILLING:
            self.clock.spend(cost.prefill_s(sum(count for _, _, count in batch)))
        else:
            self.clock.spend(cost.decode_s(len(batch), sum(ends)))
        last = [task.tokens[end - 1] for (task, _, _), end in zip(batch, ends, strict=True)]
        return [(MULTIPLIER * token + end) % size for token, end in zip(last, ends, strict=True)]
