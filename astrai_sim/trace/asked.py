"""What a scenario asks for, as a trace's header repeats it."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from msgspec import Meta

MOST_PAGES, MOST_SLOTS = 1 << 24, 1 << 20
"""Pages of a pool, and slots of a page."""
Pages = Annotated[int, Meta(ge=1, le=MOST_PAGES)]
Slots = Annotated[int, Meta(ge=1, le=MOST_SLOTS)]


@dataclass(frozen=True)
class CachePart:
    """The page pool."""

    n_pages: Pages
    page_size: Slots
    prefix_caching: bool = False


@dataclass(frozen=True)
class RecordPart:
    """What the recorder notes.

    `detail`: "full", or "bulk" for big pools and loads: runs of pages instead of single ones, lengths instead of norms,
    no gathers, no lines. `kv_layer`: layer whose K norms are read back. `snapshot_every`: steps between snapshots (16,
    in bulk 512). `line_calls`: how many first calls of each shown function are recorded line by line (4, in bulk none),
    ahead of all the one that makes the pool. `line_steps`: how many steps from the start on may be, so that later ones
    run untraced (None: all).
    """

    detail: str = "full"
    kv_layer: int = 0
    snapshot_every: int | None = None
    line_calls: int | None = None
    line_steps: int | None = None

    @property
    def bulk(self) -> bool:
        """Whether events carry runs of pages."""
        return self.detail == "bulk"

    @property
    def snapshot_steps(self) -> int:
        """Steps between snapshots."""
        return self.snapshot_every or (512 if self.bulk else 16)

    @property
    def traced_calls(self) -> int:
        """First calls of each shown function that are recorded line by line."""
        default = 0 if self.bulk else 4
        return default if self.line_calls is None else self.line_calls


@dataclass(frozen=True)
class PrefixPart:
    """A shared start of prompts: token ids, or a number of tokens drawn from the seed.

    Or `text`: the system prompt of the requests that name it.
    """

    name: str
    tokens: int | None = None
    prompt_ids: tuple[int, ...] | None = None
    text: str | None = None

    @property
    def n_tokens(self) -> int:
        """Tokens that are known without a tokenizer."""
        return self.tokens or len(self.prompt_ids or ())


@dataclass(frozen=True)
class RequestPart:
    """One request: its prompt's ids, or how many tokens to draw, after an optional prefix.

    Or `prompt`: what a user says to a model that knows text. It arrives before step
    `arrival_step`, or at `arrival_s` seconds by the run's clock.
    """

    name: str
    max_tokens: int
    prompt_tokens: int | None = None
    prompt_ids: tuple[int, ...] | None = None
    prompt: str | None = None
    prefix: str | None = None
    arrival_step: int = 0
    arrival_s: float | None = None

    @property
    def n_tokens(self) -> int:
        """Tokens that are known without a tokenizer."""
        return self.prompt_tokens or len(self.prompt_ids or ())


@dataclass(frozen=True)
class StopPart:
    """When to stop before everything is served: after `max_steps` steps, or once `task` has `tokens` tokens."""

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
        given = {name: value for name, value in asdict(self).items() if name != "step" and value is not None}
        return {name: None if value == "none" else value for name, value in given.items()}
