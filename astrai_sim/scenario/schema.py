"""The parts of a scenario, with their defaults."""

from dataclasses import dataclass, field, replace

from astrai_sim.engine.clock import CostModel
from astrai_sim.trace.header import CachePart, ChangePart, PrefixPart, RecordPart, RequestPart, StopPart
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

    def without_model(self) -> "Scenario":
        """The same with cache and scheduler alone, against the cost model's clock."""
        return replace(self, model=replace(self.model, kind="none"))
