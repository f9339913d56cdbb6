"""From a scenario to the live objects that run it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch

from astrai_sim.cache import PagedCache
from astrai_sim.model import ModelConfig, Transformer
from astrai_sim.scenario.schema import Scenario
from astrai_sim.scheduler import InferenceScheduler, Task


@dataclass
class Built:
    """The live objects of a run; `tasks` in the order of the scenario."""

    model: Transformer
    cache: PagedCache
    scheduler: InferenceScheduler
    tasks: list[Task]


def build(scenario: Scenario, device: torch.device) -> Built:
    """Build everything on `device`; weights and drawn prompts come from the seed."""
    part = scenario.model
    dtype = getattr(torch, part.dtype)
    config = ModelConfig(
        part.n_layers, part.n_heads, part.n_kv_heads, part.head_dim, part.ffn_dim, part.vocab_size
    )
    model = Transformer.seeded(config, scenario.seed, device, dtype)
    cache = PagedCache(
        part.n_layers,
        scenario.cache.n_pages,
        scenario.cache.page_size,
        part.n_kv_heads,
        part.head_dim,
        device,
        dtype,
        prefix_caching=scenario.cache.prefix_caching,
    )
    chosen = scenario.scheduler
    scheduler = InferenceScheduler(
        model,
        cache,
        max_batch=chosen.max_batch,
        decode_policy=chosen.decode_policy,
        max_tokens_per_step=chosen.max_tokens_per_step,
        preemption=chosen.preemption,
    )
    return Built(model, cache, scheduler, make_tasks(scenario))


def make_tasks(scenario: Scenario) -> list[Task]:
    """The scenario's requests as tasks; each drawn prompt has a seed of its own."""
    prefixes = {
        prefix.name: list(prefix.prompt_ids or _draw(scenario, f"prefix {prefix.name}",
                                                     prefix.tokens))
        for prefix in scenario.prefixes
    }
    tasks = []
    for request in scenario.requests:
        own = request.prompt_ids or _draw(scenario, f"request {request.name}",
                                          request.prompt_tokens)
        prompt = [*prefixes.get(request.prefix, ()), *own]
        tasks.append(Task(request.name, prompt, request.max_tokens, request.arrival_step))
    return tasks


def _draw(scenario: Scenario, what: str, n: int) -> list[int]:
    source = random.Random(f"{scenario.seed}/{what}")
    return [source.randrange(scenario.model.vocab_size) for _ in range(n)]
