"""First and last line of a trace, and the parts of a scenario that the first repeats."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

from msgspec import Meta, Struct

from astrai_sim.trace.roles import ROLES

OWN_ENGINE = "astrai_sim"
DTYPES = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}
"""Bytes of a number."""
DETAILS = ("full", "bulk")
PHASES, LONGEST_PHASE = ("cleanup", "refill", "prefill", "decode"), 16
"""Of a step of this engine; and letters of the name of any."""
CHOICES = {"detail": DETAILS, "clock": ("real", "cost-model"), "dtype": tuple(DTYPES)}

Size = Annotated[int, Meta(ge=1, le=1 << 40)]
Seconds = Annotated[float, Meta(ge=0)]
MEMBERSHIP = "membership"
"""What a header `knows` of a trace whose events tell only which blocks are cached."""
UNKNOWN = "unknown"
MOST_PAGES, MOST_SLOTS = 1 << 24, 1 << 20
"""Pages of a pool, and slots of a page."""
Pages = Annotated[int, Meta(ge=1, le=MOST_PAGES)]
Slots = Annotated[int, Meta(ge=1, le=MOST_SLOTS)]


class Engine(Struct, frozen=True):
    """What ran: name, version and commit ("+" after it for a changed checkout)."""

    name: str
    version: str = UNKNOWN
    commit: str | None = None


class Device(Struct, frozen=True):
    """Where it ran. `capability` is a GPU's compute capability, `driver` its driver's version; `instructions` are a
    processor's sets for many numbers at once, by which sums are rounded."""

    type: str = UNKNOWN
    name: str = UNKNOWN
    capability: tuple[int, ...] | None = None
    driver: str | None = None
    instructions: tuple[str, ...] | None = None
    torch: str = UNKNOWN
    python: str = UNKNOWN


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
    """The scheduler's choices. `max_tokens_per_step` None prefills prompts whole; `eos` is the token, or are the
    tokens, that end an answer; `aging_steps` None, or absent as in older traces, lets a position wait without bound."""

    max_batch: Size
    max_tokens_per_step: Size | None = None
    decode_policy: str = "all"
    preemption: bool = True
    eos: int | tuple[int, ...] | None = None
    aging_steps: Size | None = None


NO_MODEL = ModelSizes(n_layers=0, n_kv_heads=0, head_dim=0)
NO_SCHEDULER = SchedulerSettings(max_tokens_per_step=None, max_batch=0, decode_policy=UNKNOWN)
"""Those of a trace that does not know them: they are absent from its header."""


class AskedWorkload(Struct, frozen=True):
    """A production trace that requests are taken from, which of it, and how it is read where that is not as others of
    its kind are."""

    kind: str | None = None
    path: str | None = None
    window: tuple[float, float] | None = None
    time_scale: float = 1.0
    length_limit: int | None = None
    block_size: int | None = None
    time_unit: str | None = None


class Cost(Struct, frozen=True):
    """The cost model's seconds, and its formula in words."""

    prefill_step_s: Seconds
    prefill_token_s: Seconds
    decode_step_s: Seconds
    decode_token_s: Seconds
    decode_kv_s: Seconds
    formula: str = ""


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
    """What prompts begin with: ids, a number of tokens drawn from the seed, or the `text` of a shared system prompt."""

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
    """A scheduler setting that changes before step `step`; a `max_tokens_per_step` of "none": prompts in one piece."""

    step: int
    max_tokens_per_step: int | Literal["none"] | None = None
    preemption: bool | None = None
    decode_policy: str | None = None

    def settings(self) -> dict[str, str | int | bool | None]:
        """What is set, as `InferenceScheduler.change_setting` takes it."""
        given = {name: value for name, value in asdict(self).items() if name != "step" and value is not None}
        return {name: None if value == "none" else value for name, value in given.items()}


class ScenarioFacts(Struct, frozen=True):
    """The scenario that was run. `question` and `takeaway` are text with measures in braces, for `film` ("": any)."""

    cache: CachePart
    model: ModelSizes = NO_MODEL
    scheduler: SchedulerSettings = NO_SCHEDULER
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


class Imported(Struct, frozen=True):
    """Cache events that a trace was made from: those of one cache, told by `source`, a file or an address.

    `medium`, `rank` and `group` say which cache; `left_out` counts events of others and what else was not taken, by
    what it is. `messages` were taken, `missing` did not come. `places` is "most" where there are as many pages as
    blocks were cached at most at once, "asked" where somebody said how many. A page is a place for a block: the events
    name none, so places are handed out to blocks by whoever imports, the lowest first.
    """

    source: str
    medium: str
    rank: int
    group: int
    messages: int
    missing: int
    left_out: dict[str, int]
    places: Literal["most", "asked"]


class Header(Struct, frozen=True):
    """Who recorded what, where and when.

    `sources` has each function that films show by its qualified name. `model` is "none" where cache and scheduler ran
    alone. `clock` is "real", or "cost-model" where times are computed: `cost` then holds the formula and its constants,
    and `token_rule` how tokens were made up. `detail` is "full", or "bulk" where events carry runs of pages. `weights`
    and `tokenizer` are there where the model came from a file, `workload` where the requests did. `policy` names the
    rules that the engine claims to keep beyond those of paging; None claims all of this engine's. `phases` are what a
    step of the engine has, in any order and number, maybe none. `private` says that token ids,
    texts and names are not those of the run (`trace.private`). `knows` is there where the events do not tell
    everything: ["membership"] says that they tell which blocks are cached, and nothing of requests, refcounts and page
    tables; `imported` then says what they were made from, and model and scheduler are absent from the scenario. `roles`
    has which of the functions in `sources` plays which role for films (`trace.roles`); None: those of this engine.
    Fields that are not known here are passed over.
    """

    schema: str
    version: int
    engine: Engine
    dtype: str
    model: str
    scenario: ScenarioFacts
    device: Device = Device()
    clock: str = "real"
    started: str = ""
    scenario_name: str = ""
    seed: int = 0
    sources: dict[str, Source] = {}
    kv_layer: int = 0
    detail: str = "full"
    cost: Cost | None = None
    token_rule: str | None = None
    weights: Weights | None = None
    tokenizer: TokenizerFacts | None = None
    workload: WorkloadFacts | None = None
    policy: list[str] | None = None
    phases: tuple[str, ...] = PHASES
    private: bool = False
    knows: list[str] | None = None
    imported: Imported | None = None
    roles: dict[str, str] | None = None

    @property
    def membership_only(self) -> bool:
        """Whether the events tell only which blocks are cached."""
        return self.knows is not None

    def function(self, role: str) -> str | None:
        """The function of the engine that plays a role; None where none does, or its source is not told."""
        name = (ROLES if self.roles is None else self.roles).get(role)
        return name if name in self.sources else None

    def __post_init__(self) -> None:
        if self.knows is not None and self.knows != [MEMBERSHIP]:
            raise ValueError(f"knows is {self.knows!r:.60}: what can be read is [{MEMBERSHIP!r}], or no such field")
        for name, known in (("model", NO_MODEL), ("scheduler", NO_SCHEDULER)):
            if getattr(self.scenario, name) is known and not self.membership_only:
                raise ValueError(f"the field 'scenario.{name}' is missing")
        for name, choices in CHOICES.items():
            value = getattr(self, name)
            if value not in choices and not (value == UNKNOWN and name == "dtype" and self.membership_only):
                raise ValueError(f"{name} {value!r} is none of {', '.join(choices)}")
        for name in self.phases:
            if not 0 < len(name) <= LONGEST_PHASE:
                raise ValueError(f"a phase has a name of 1 to {LONGEST_PHASE} letters, not {name[:40]!r}")
        if self.clock == "cost-model" and self.cost is None:
            raise ValueError("the clock is a cost model's, but cost is missing")


class Footer(Struct, frozen=True):
    """How the recording ended; `sha256` covers every byte before the footer's line, or is None in the trace of another
    engine that computes none."""

    events: int
    stopped: str
    sha256: str | None = None
