"""The parts of a scenario, with their defaults."""

from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from astrai_sim.engine.clock import CostModel
from astrai_sim.workload import Selection as WorkloadPart

AGING_STEPS = 128


@dataclass(frozen=True)
class ModelPart:
    """The model.

    `kind` random draws weights from the seed; with none, cache and scheduler run alone and the sizes only tell what a
    token's K and V would take (`n_heads` and `ffn_dim` may then be left out). With smollm2 the model is
    SmolLM2-135M-Instruct, and its file gives the sizes and the scheduler's `eos`.
    """

    n_layers: int
    n_kv_heads: int
    head_dim: int
    vocab_size: int
    n_heads: int | None = None
    ffn_dim: int | None = None
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
    """The scheduler's choices; see `InferenceScheduler`. `eos` is a token id.

    `aging_steps` goes with "same-position"; a scenario read from TOML has `AGING_STEPS` there where it names none.
    """

    decode_policy: str = "all"
    max_batch: int = 8
    max_tokens_per_step: int | None = None
    preemption: bool = True
    eos: int | None = None
    aging_steps: int | None = None


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


@dataclass(frozen=True)
class Scenario:
    """A whole scenario.

    `question` and `takeaway` are what a film begins and ends with: text with measures in braces,
    "Why does {task} wait?", which a trace only carries; `film` names the one that has these
    measures, others then say their own ("": any film).
    """

    name: str
    model: ModelPart
    cache: CachePart
    requests: tuple[RequestPart, ...]
    title: str = ""
    question: str = ""
    takeaway: str = ""
    film: str = ""
    seed: int = 0
    scheduler: SchedulerPart = field(default_factory=SchedulerPart)
    record: RecordPart = field(default_factory=RecordPart)
    prefixes: tuple[PrefixPart, ...] = ()
    changes: tuple[ChangePart, ...] = ()
    stop: StopPart = field(default_factory=StopPart)
    cost: CostModel | None = None
    workload: WorkloadPart | None = None

    def as_dict(self) -> dict:
        """Plain values, for the trace's header."""
        return asdict(self)

    def without_model(self) -> "Scenario":
        """The same with cache and scheduler alone, against the cost model's clock."""
        return replace(self, model=replace(self.model, kind="none"))
