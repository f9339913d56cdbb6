"""A request on its way through the scheduler."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property


class Status(StrEnum):
    """Where a task is in its life."""

    WAITING = "waiting"
    PREFILLING = "prefilling"
    RUNNING = "running"
    PREEMPTED = "preempted"
    FINISHED = "finished"


@dataclass(eq=False)
class Task:
    """One request: token ids of the prompt, and what has been generated.

    `kv_len` counts the leading ones of its tokens whose K and V are in the cache.
    `arrival_s` is when it is due by the clock, instead of by the step; `last_step` the step of its last token.
    """

    id: str
    prompt: Sequence[int]
    max_tokens: int
    arrival_step: int = 0
    output: list[int] = field(default_factory=list, init=False)
    status: Status = Status.WAITING
    kv_len: int = 0
    finish_reason: str | None = None
    last_step: int = -1
    arrival_s: float | None = None

    @cached_property
    def tokens(self) -> list[int]:
        """The prompt, and then the output."""
        return [*self.prompt, *self.output]

    def append(self, token: int) -> None:
        """Add a generated token."""
        self.tokens.append(token)
        self.output.append(token)

    def leave(self) -> None:
        """Keep less room: `tokens` is put together anew for who asks."""
        vars(self).pop("tokens", None)

    @property
    def n_tokens(self) -> int:
        """Prompt and generated tokens, counted."""
        return len(self.tokens)

    @property
    def max_kv(self) -> int:
        """Most token slots it can need: the last token it may generate is never written."""
        return len(self.prompt) + self.max_tokens - 1
