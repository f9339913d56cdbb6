"""From a scenario to the live objects that run it."""

import math
import random
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch

from astrai_sim.engine.cache import PagedCache, cache_type
from astrai_sim.engine.clock import Clock, CostClock, CostModel, RealClock
from astrai_sim.engine.scheduler import InferenceScheduler, ModelFreeScheduler, Task
from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.model.gguf_file import smollm2
from astrai_sim.scenario.schema import PrefixPart, RequestPart, Scenario
from astrai_sim.text import Language, smollm2_language
from astrai_sim.workload import LoadRequest


@dataclass
class Built:
    """The live objects of a run; `tasks` in the order of the scenario.

    `model` is None where cache and scheduler run alone, `language` where the model knows no text.
    """

    model: Transformer | None
    cache: PagedCache
    scheduler: InferenceScheduler
    tasks: list[Task]
    clock: Clock
    language: Language | None = None


def build(scenario: Scenario, device: torch.device, requests: Sequence[LoadRequest] | None = None) -> Built:
    """Build everything on `device`; weights and drawn prompts come from the seed.

    `requests` as in `make_tasks`. Without a model the cache's tensors are on the meta
    device: shapes without memory. Raises ValueError for a pool too big for the device.
    """
    tasks = make_tasks(scenario, requests)
    settings = asdict(scenario.scheduler)
    if scenario.model.kind == "none":
        cache = _cache(scenario, torch.device("meta"))
        clock = CostClock(scenario.cost or CostModel())
        free = ModelFreeScheduler(cache, clock, scenario.model.vocab_size, **settings)
        return Built(None, cache, free, tasks, clock)
    model = _model(scenario, device)
    cache = _cache(scenario, device)
    language = smollm2_language() if scenario.model.kind == "smollm2" else None
    scheduler = InferenceScheduler(model, cache, **settings)
    return Built(model, cache, scheduler, tasks, RealClock(), language)


def _model(scenario: Scenario, device: torch.device) -> Transformer:
    part = scenario.model
    dtype = getattr(torch, part.dtype)
    if part.kind == "smollm2":
        return smollm2().load(device, dtype)
    if part.n_heads is None or part.ffn_dim is None:
        raise ValueError("a model with weights needs n_heads and ffn_dim")
    config = ModelConfig(part.n_layers, part.n_heads, part.n_kv_heads, part.head_dim, part.ffn_dim, part.vocab_size)
    return Transformer.seeded(config, scenario.seed, device, dtype)


def _cache(scenario: Scenario, device: torch.device) -> PagedCache:
    part, pool, dtype = scenario.model, scenario.cache, getattr(torch, scenario.model.dtype)
    sizes = (part.n_layers, pool.n_pages, pool.page_size, part.n_kv_heads, part.head_dim)
    try:
        return cache_type(pool.n_pages)(*sizes, device, dtype, prefix_caching=pool.prefix_caching)
    except (RuntimeError, MemoryError):
        told = f"the pool's K and V take {2 * math.prod(sizes) * dtype.itemsize / 1e9:.1f} GB, which {device.type} does"
        raise ValueError(f"{told} not have: lower n_pages, or run without a model (--model none)") from None


def make_tasks(scenario: Scenario, requests: Sequence[LoadRequest] | None = None) -> list[Task]:
    """The scenario's requests as tasks; each drawn prompt has a seed of its own.

    `requests` of a workload, where given, stand instead of the scenario's own. They are
    named r1, r2, … in order, with leading zeros, and each of their blocks has a seed too.
    """
    if scenario.workload is not None and requests is None:
        raise ValueError("the scenario's requests are those of a workload, which was not read")
    if requests is not None:
        width = len(str(len(requests)))
        return [_timed(scenario, f"r{number:0{width}}", request) for number, request in enumerate(requests, 1)]
    prefixes: dict[str | None, PrefixPart] = {prefix.name: prefix for prefix in scenario.prefixes}
    tasks = []
    for request in scenario.requests:
        prompt = _prompt(scenario, request, prefixes.get(request.prefix))
        tasks.append(Task(request.name, prompt, request.max_tokens, request.arrival_step, arrival_s=request.arrival_s))
    return tasks


def _prompt(scenario: Scenario, request: RequestPart, prefix: PrefixPart | None) -> list[int]:
    if request.prompt is not None:
        return smollm2_language().prompt_ids(request.prompt, prefix.text if prefix else None)
    before: Sequence[int] = ()
    if prefix is not None:
        before = prefix.prompt_ids or _draw(scenario, f"prefix {prefix.name}", prefix.tokens or 0)
    own = request.prompt_ids or _draw(scenario, f"request {request.name}", request.prompt_tokens or 0)
    return [*before, *own]


def _draw(scenario: Scenario, what: str, n: int) -> list[int]:
    source = random.Random(f"{scenario.seed}/{what}")
    return [source.randrange(scenario.model.vocab_size) for _ in range(n)]


def _timed(scenario: Scenario, name: str, request: LoadRequest) -> Task:
    size, length = request.block_size, request.prompt_len
    prompt = [token for block in request.blocks for token in _draw_fast(scenario, f"block {block}", size)][:length]
    prompt += _draw_fast(scenario, f"request {name}", length - len(prompt))
    return Task(name, array("I", prompt), request.output_len, arrival_s=request.arrival_s)


def _draw_fast(scenario: Scenario, what: str, n: int) -> list[int]:
    """Like `_draw`, for millions of tokens: 4 bytes each, the rest of the division."""
    drawn = random.Random(f"{scenario.seed}/{what}").randbytes(4 * n)
    return (np.frombuffer(drawn, "<u4") % scenario.model.vocab_size).tolist()
