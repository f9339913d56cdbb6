"""From where to where the numbers of a scenario go, and what a run of it needs before it begins."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import torch

from astrai_sim.scenario.schema import Scenario
from astrai_sim.trace.header import MOST_PAGES, MOST_SLOTS

BETWEEN = {
    "n_layers": (1, 10_000),
    "n_heads": (1, 10_000),
    "n_kv_heads": (1, 10_000),
    "head_dim": (2, 65_536),
    "ffn_dim": (1, 10_000_000),
    "vocab_size": (2, 10_000_000),
    "n_pages": (1, MOST_PAGES),
    "page_size": (1, MOST_SLOTS),
    "max_batch": (1, 1_000_000),
    "max_tokens_per_step": (1, 1 << 30),
    "aging_steps": (1, 1 << 40),
    "max_tokens": (1, 10_000_000),
    "prompt_tokens": (1, 10_000_000),
    "tokens": (1, 10_000_000),
    "arrival_step": (0, 1_000_000),
    "arrival_s": (0, 1_000_000),
    "max_steps": (1, 1 << 40),
    "kv_layer": (0, 10_000),
    "eos": (0, 1 << 40),
    "step": (0, 1 << 40),
    "snapshot_every": (1, 1 << 40),
    "line_calls": (0, 1 << 20),
    "line_steps": (0, 1 << 20),
    "seed": (0, 1 << 63),
    "limit": (1, 1 << 40),
    "length_limit": (2, 1 << 40),
}
"""The least and the most of each number: what is beyond is a slip of the pen, or would take days."""
LONGEST = {"name": 200, "title": 500, "question": 500, "takeaway": 500, "film": 100}
"""Characters of what films show; other texts go up to `LONGEST_TEXT`."""
LONGEST_TEXT = 200_000


def number_fits(key: str, value: float) -> str | None:
    """What is wrong with the number `value` of `key`, or None."""
    least, most = BETWEEN.get(key, (value, value))
    if value < least:
        return f"{key} must be at least {least}, not {value}"
    return f"{key} must be at most {most:,}, not {value:.3g}" if value > most else None


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


def too_large(scenario: Scenario, device: torch.device) -> str | None:
    """What a run needs more of than `device` has, in bytes of weights, K and V, or None."""
    model, pool = scenario.model, scenario.cache
    if model.kind != "random" or model.n_heads is None or model.ffn_dim is None:
        return None
    wide = getattr(torch, model.dtype).itemsize
    width, kv = model.n_heads * model.head_dim, model.n_kv_heads * model.head_dim
    weights = model.n_layers * (2 * width * width + 2 * width * kv + 3 * width * model.ffn_dim)
    weights = wide * (weights + 2 * model.vocab_size * width)
    cached = wide * 2 * model.n_layers * pool.n_pages * pool.page_size * kv
    has = (
        torch.cuda.get_device_properties(device).total_memory
        if device.type == "cuda"
        else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )
    if weights + cached <= has:
        return None
    return (
        f"weights take {weights / 1e9:,.1f} GB and the pool's K and V {cached / 1e9:,.1f} GB, {device.type} has "
        f"{has / 1e9:,.1f}: lower n_layers or n_pages, or run without a model (--model none)"
    )
