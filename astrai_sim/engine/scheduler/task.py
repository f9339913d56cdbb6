"""A request on its way through the scheduler."""

from dataclasses import dataclass, field
from enum import StrEnum


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

    `tokens` is the prompt and then the output; `kv_len` counts the leading ones whose K and V are in the cache.
    `arrival_s` is when it is due by the clock, instead of by the step; `last_step` the step of its last token.
    """

    id: str
    prompt: list[int]
    max_tokens: int
    arrival_step: int = 0
    output: list[int] = field(default_factory=list, init=False)
    status: Status = Status.WAITING
    kv_len: int = 0
    finish_reason: str | None = None
    last_step: int = -1
    arrival_s: float | None = None

    def __post_init__(self) -> None:
        self.tokens = list(self.prompt)

    def append(self, token: int) -> None:
        """Add a generated token."""
        self.output.append(token)
        self.tokens.append(token)

    @property
    def n_tokens(self) -> int:
        """Prompt and generated tokens, counted."""
        return len(self.tokens)

    @property
    def max_kv(self) -> int:
        """Most token slots it can need: the last token it may generate is never written."""
        return len(self.prompt) + self.max_tokens - 1
