"""From where to where the numbers of a scenario go, and what a run of it needs before it begins."""

import os
import reprlib
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

import torch

from astrai_sim.engine.clock import CostModel
from astrai_sim.scenario.schema import Scenario, StopPart
from astrai_sim.trace.header import MOST_PAGES, MOST_SLOTS
from astrai_sim.workload import MOST_TOKENS, Workload

BETWEEN = {
    **dict.fromkeys(("n_layers", "n_heads", "n_kv_heads"), (1, 10_000)),
    "head_dim": (2, 65_536),
    "ffn_dim": (1, 10_000_000),
    "vocab_size": (2, 10_000_000),
    "n_pages": (1, MOST_PAGES),
    "page_size": (1, MOST_SLOTS),
    "max_batch": (1, 1_000_000),
    "max_tokens_per_step": (1, 1 << 30),
    **dict.fromkeys(("max_tokens", "prompt_tokens", "tokens"), (1, MOST_TOKENS)),
    **dict.fromkeys((field.name for field in fields(CostModel)), (0, 1000)),
    **dict.fromkeys(("arrival_step", "arrival_s"), (0, 1_000_000)),
    "kv_layer": (0, 10_000),
    **dict.fromkeys(("eos", "step"), (0, 1 << 40)),
    **dict.fromkeys(("aging_steps", "max_steps", "snapshot_every", "limit"), (1, 1 << 40)),
    **dict.fromkeys(("line_calls", "line_steps"), (0, 1 << 20)),
    "seed": (0, 1 << 63),
    "length_limit": (2, 1 << 40),
    "block_size": (1, 1 << 20),
}
"""The least and the most of each number: what is beyond is a slip of the pen, or would take days."""
LONGEST = {"name": 200, "title": 500, "question": 500, "takeaway": 500, "film": 100}
"""Characters of what films show; other texts go up to `LONGEST_TEXT`."""
LONGEST_TEXT = 200_000
MOST_STEPS = {"full": 1_000_000, "bulk": 5_000_000}
"""Of a run, by its detail: a step in which nothing happens takes some 900 or 180 bytes of the trace, of which
`trace.reader.MOST_BYTES` can be read."""
MOST_PAGES_FULL = 1 << 16
MOST_PROMPTS = 50_000_000
"""Tokens of all prompts, of some 50 bytes each."""


def number_fits(key: str, value: float) -> str | None:
    """What is wrong with the number `value` of `key`, or None."""
    least, most = BETWEEN.get(key, (value, value))
    if value < least:
        return f"{key} must be at least {least}, not {reprlib.repr(value)}"
    return f"{key} must be at most {most:,}, not {reprlib.repr(value)}" if value > most else None


def text_fits(key: str, text: str) -> str | None:
    """What is wrong with `text`, of which films show what is in `LONGEST`, or None."""
    most = LONGEST.get(key, LONGEST_TEXT)
    if len(text) > most:
        return f"{key} must have at most {most:,} characters, not {len(text):,}"
    missing = next((letter for letter in text if key in LONGEST and ord(letter) not in letters()), None)
    return f"{key}: the fonts of the films have no {missing!r}: write it with other letters" if missing else None


@cache
def letters() -> frozenset[int]:
    """Code points that all fonts in `assets/fonts` have, from the list beside this module."""
    found: set[int] = set()
    for line in Path(__file__).with_name("letters.txt").read_text().splitlines():
        first, _, last = line.partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(found)


def too_much(scenario: Scenario, device: torch.device, workload: Workload | None = None) -> str | None:
    """What a run would take more of than there is, with the figure and what to lower, or None."""
    wrong, pages = too_large(scenario, device) or too_long(scenario, workload), scenario.cache.n_pages
    if wrong or scenario.record.bulk or pages <= MOST_PAGES_FULL:
        return wrong
    told = f'detail = "full" notes the state of each of the {pages:,} pages, of {MOST_PAGES_FULL:,} at most'
    return f'{told}: lower n_pages, or set detail = "bulk" in [record]'


def too_large(scenario: Scenario, device: torch.device) -> str | None:
    """What a run needs more of than `device` has, in bytes of weights, K and V, or None."""
    model, pool = scenario.model, scenario.cache
    if model.kind == "none" or model.n_heads is None or model.ffn_dim is None:
        return None
    wide = getattr(torch, model.dtype).itemsize
    width, kv = model.n_heads * model.head_dim, model.n_kv_heads * model.head_dim
    weights = model.n_layers * (2 * width * width + 2 * width * kv + 3 * width * model.ffn_dim)
    weights = wide * (weights + (2 if model.kind == "random" else 1) * model.vocab_size * width)
    cached = wide * 2 * model.n_layers * pool.n_pages * pool.page_size * kv
    if device.type == "cuda":
        has = torch.cuda.get_device_properties(device).total_memory
    else:
        has = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    told = f"weights take {weights / 1e9:,.1f} GB and the pool's K and V {cached / 1e9:,.1f} GB, {device.type} has "
    told += f"{has / 1e9:,.1f}: lower n_layers or n_pages, or run without a model (--model none)"
    return told if weights + cached > has else None


def too_long(scenario: Scenario, workload: Workload | None = None) -> str | None:
    """What is wrong with the length of the prompts, or of the run in steps or days, or None."""
    if not (wanted := list(asked(scenario, workload))):
        return None
    shorter = "set limit or length_limit in [workload]" if workload else ""
    prompts, steps = sum(prompt for prompt, *_ in wanted), least_steps(scenario, wanted)
    if prompts > MOST_PROMPTS:
        lower = shorter or "lower prompt_tokens"
        return f"the prompts have {prompts:,} tokens, at most {MOST_PROMPTS:,} in all can be run: {lower}"
    if steps > (most := MOST_STEPS[scenario.record.detail]):
        lower = f"{shorter or 'lower max_tokens or arrival_step, raise max_batch'}, or set max_steps in [stop]"
        return f"the run takes at least {steps:,} steps, a trace has room for {most:,}: {lower}"
    latest = max(seconds for *_, seconds in wanted)
    if scenario.model.kind != "none" and latest > 86_400 and scenario.stop == StopPart():
        days = f"the last request comes after {latest / 86_400:.1f} days by the clock on the wall, at most 1 is waited"
        return f"{days}: lower {'time_scale' if workload else 'arrival_s'}, or run without a model (--model none)"
    return None


def asked(scenario: Scenario, workload: Workload | None = None) -> Iterator[tuple[int, int, int, float]]:
    """Tokens of the prompt and of the answer, step and second of arrival of each request.

    Where the tokens are not known before the run, those that are certain: none of a prompt that is text, one of an
    answer that may end early.
    """
    early = scenario.scheduler.eos is not None and scenario.model.kind != "none"
    for load in workload.requests if workload else ():
        yield load.prompt_len, 1 if early else load.output_len, 0, load.arrival_s
    shared: dict[str | None, int] = {prefix.name: prefix.n_tokens for prefix in scenario.prefixes}
    for own in scenario.requests:
        prompt = own.n_tokens + shared.get(own.prefix, 0)
        yield prompt, 1 if early else own.max_tokens, own.arrival_step, own.arrival_s or 0.0


def least_steps(scenario: Scenario, wanted: list[tuple[int, int, int, float]]) -> int:
    """Steps that a run of the requests of `asked` takes whatever happens.

    A task that gets n tokens is in the batch for n - 1 steps: two tokens in the one that prefills it, one in each later
    one, none in the one that preempts it, after which it is prefilled again. `max_batch` of them are at once.
    """
    scheduler, stop = scenario.scheduler, scenario.stop
    held = [max(1, answer - 1) for _, answer, *_ in wanted]
    alone = (step + n for (_, _, step, _), n in zip(wanted, held, strict=True))
    steps = max(-(-sum(held) // scheduler.max_batch), *alone)
    budgets = [scheduler.max_tokens_per_step, *(change.max_tokens_per_step for change in scenario.changes)]
    largest = [budget for budget in budgets if isinstance(budget, int)]
    if scheduler.max_tokens_per_step is not None and "none" not in budgets and not scenario.cache.prefix_caching:
        steps = max(steps, sum(prompt + answer - 1 for prompt, answer, *_ in wanted) // max(largest))
    if stop.tokens is not None:
        prompt, _, step, _ = wanted[[own.name for own in scenario.requests].index(stop.task or "")]
        steps = min(steps, step + max(0, stop.tokens - prompt - 1))
    return steps if stop.max_steps is None else min(steps, stop.max_steps)
