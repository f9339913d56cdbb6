"""First and last line of a trace."""

from typing import Annotated

from msgspec import Meta, Struct

from astrai_sim.trace.asked import CachePart, ChangePart, PrefixPart, RecordPart, RequestPart, StopPart

DTYPES = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}
"""Bytes of a number."""
DETAILS = ("full", "bulk")
CHOICES = {"detail": DETAILS, "clock": ("real", "cost-model"), "dtype": tuple(DTYPES)}

Size = Annotated[int, Meta(ge=1, le=1 << 40)]
Seconds = Annotated[float, Meta(ge=0)]


class Engine(Struct, frozen=True):
    """What ran: name, version and commit ("+" after it for a changed checkout)."""

    name: str
    version: str
    commit: str | None = None


class Device(Struct, frozen=True):
    """Where it ran. `capability` is a GPU's compute capability, `driver` its driver's version."""

    type: str
    name: str
    capability: tuple[int, ...] | None = None
    driver: str | None = None
    torch: str = "unknown"
    python: str = "unknown"


class Source(Struct, frozen=True):
    """A function as it ran: its file, first line and text."""

    file: str
    line: int
    text: str


class ModelSizes(Struct, frozen=True):
    """Layers, KV heads and numbers in a head; `vocab_size` bounds token ids where it is given."""

    n_layers: Size
    n_kv_heads: Size
    head_dim: Size
    vocab_size: int | None = None
    kind: str | None = None
    dtype: str | None = None


class SchedulerSettings(Struct, frozen=True):
    """The scheduler's choices. `max_tokens_per_step` None prefills prompts whole; `aging_steps` None, or absent as in
    older traces, lets a position wait without bound."""

    max_tokens_per_step: Size | None
    max_batch: Size
    decode_policy: str
    preemption: bool = True
    eos: int | None = None
    aging_steps: Size | None = None


class AskedWorkload(Struct, frozen=True):
    """A production trace that requests are taken from, and which of it."""

    kind: str | None = None
    path: str | None = None
    window: tuple[float, float] | None = None
    time_scale: float = 1.0
    length_limit: int | None = None


class Cost(Struct, frozen=True):
    """The cost model's seconds, and its formula in words."""

    prefill_step_s: Seconds
    prefill_token_s: Seconds
    decode_step_s: Seconds
    decode_token_s: Seconds
    decode_kv_s: Seconds
    formula: str = ""


class ScenarioFacts(Struct, frozen=True):
    """The scenario that was run. `question` and `takeaway` are text with measures in braces, for `film` ("": any)."""

    model: ModelSizes
    cache: CachePart
    scheduler: SchedulerSettings
    name: str = ""
    title: str = ""
    question: str = ""
    takeaway: str = ""
    film: str = ""
    seed: int = 0
    record: RecordPart = RecordPart()
    requests: list[RequestPart] = []
    prefixes: list[PrefixPart] = []
    changes: list[ChangePart] = []
    stop: StopPart = StopPart()
    cost: Cost | None = None
    workload: AskedWorkload | None = None


class Weights(Struct, frozen=True):
    """The file that the model is from."""

    file: str
    sha256: str
    quantization: str


class TokenizerFacts(Struct, frozen=True):
    """What turned text into tokens, and how many there are."""

    name: str
    kind: str
    tokens: int


class WorkloadFacts(Struct, frozen=True):
    """The production trace that the requests are from: `requests` of its `rows` were run; `failed`
    got no answer, `too_long` were beyond the scenario's limit."""

    kind: str
    file: str
    sha256: str
    rows: int
    requests: int
    failed: int
    too_long: int


class Header(Struct, frozen=True):
    """Who recorded what, where and when.

    `sources` has each function that films show by its qualified name. `model` is "none" where
    cache and scheduler ran alone. `clock` is "real", or "cost-model" where times are computed:
    `cost` then holds the formula and its constants, and `token_rule` how tokens were made up.
    `detail` is "full", or "bulk" where events carry runs of pages. `weights` and `tokenizer` are
    there where the model came from a file, `workload` where the requests did. `policy` names the
    rules that the engine claims to keep beyond those of paging; None claims all of this engine's.
    Fields that are not known here are passed over.
    """

    schema: str
    version: int
    engine: Engine
    device: Device
    dtype: str
    model: str
    clock: str
    scenario: ScenarioFacts
    scenario_name: str
    seed: int
    started: str
    sources: dict[str, Source]
    kv_layer: int
    detail: str = "full"
    cost: Cost | None = None
    token_rule: str | None = None
    weights: Weights | None = None
    tokenizer: TokenizerFacts | None = None
    workload: WorkloadFacts | None = None
    policy: list[str] | None = None

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} {value!r} is none of {', '.join(choices)}")
        if self.clock == "cost-model" and self.cost is None:
            raise ValueError("the clock is a cost model's, but cost is missing")


class Footer(Struct, frozen=True):
    """How the recording ended; `sha256` covers every byte before the footer's line."""

    events: int
    sha256: str
    stopped: str
