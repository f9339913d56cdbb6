"""The parts of a scenario, with their defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal


@dataclass(frozen=True)
class ModelPart:
    """The model: `kind` random draws weights from the seed."""

    n_layers: int
    n_heads: int
    n_kv_heads: int
    head_dim: int
    ffn_dim: int
    vocab_size: int
    kind: str = "random"
    dtype: str = "bfloat16"


@dataclass(frozen=True)
class CachePart:
    """The page pool."""

    n_pages: int
    page_size: int
    prefix_caching: bool = False


@dataclass(frozen=True)
class SchedulerPart:
    """The scheduler's choices; see `InferenceScheduler`."""

    decode_policy: str = "all"
    max_batch: int = 8
    max_tokens_per_step: int | None = None
    preemption: bool = True


@dataclass(frozen=True)
class RecordPart:
    """What the recorder notes.

    `kv_layer`: layer whose K norms are read back. `snapshot_every`: steps between
    snapshots. `line_calls`: how many first calls of each shown function are
    recorded line by line. `line_steps`: how many steps from the start on may be, so
    that later ones run untraced (None: all).
    """

    kv_layer: int = 0
    snapshot_every: int = 16
    line_calls: int = 4
    line_steps: int | None = None


@dataclass(frozen=True)
class PrefixPart:
    """A shared start of prompts: token ids, or a number of tokens drawn from the seed."""

    name: str
    tokens: int | None = None
    prompt_ids: tuple[int, ...] | None = None


@dataclass(frozen=True)
class RequestPart:
    """One request: its prompt's ids, or how many tokens to draw, after an optional prefix."""

    name: str
    max_tokens: int
    prompt_tokens: int | None = None
    prompt_ids: tuple[int, ...] | None = None
    prefix: str | None = None
    arrival_step: int = 0


@dataclass(frozen=True)
class StopPart:
    """When to stop before everything is served: after `max_steps` steps, or once
    `task` has `tokens` tokens."""

    max_steps: int | None = None
    task: str | None = None
    tokens: int | None = None


@dataclass(frozen=True)
class ChangePart:
    """One scheduler setting that gets another value before step `step`.

    `max_tokens_per_step` is a number of tokens, or "none" for prompts in one piece.
    """

    step: int
    max_tokens_per_step: int | Literal["none"] | None = None
    preemption: bool | None = None
    decode_policy: str | None = None

    def settings(self) -> dict[str, str | int | bool | None]:
        """What is set, as `InferenceScheduler.change_setting` takes it."""
        given = {name: value for name, value in asdict(self).items()
                 if name != "step" and value is not None}
        return {name: None if value == "none" else value for name, value in given.items()}


@dataclass(frozen=True)
class Scenario:
    """A whole scenario."""

    name: str
    model: ModelPart
    cache: CachePart
    requests: tuple[RequestPart, ...]
    title: str = ""
    seed: int = 0
    scheduler: SchedulerPart = field(default_factory=SchedulerPart)
    record: RecordPart = field(default_factory=RecordPart)
    prefixes: tuple[PrefixPart, ...] = ()
    changes: tuple[ChangePart, ...] = ()
    stop: StopPart = field(default_factory=StopPart)

    def as_dict(self) -> dict:
        """Plain values, for the trace's header."""
        return asdict(self)
