"""Mooncake's traces: JSON Lines that say which parts of prompts are the same."""

import json
from collections.abc import Iterator
from typing import TextIO

from astrai_sim.workload.request import LineError, LoadRequest, count

BLOCK = 512


def mooncake(file: TextIO) -> Iterator[tuple[int, LoadRequest]]:
    """Requests of a Mooncake trace (Qin et al., 2025), with lines; times are milliseconds."""
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            yield line, _request(text)
        except ValueError as error:
            raise LineError(line, str(error)) from None


def _request(text: str) -> LoadRequest:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    for name in ("timestamp", "input_length", "output_length"):
        if name not in row:
            raise ValueError(f"no {name!r}")
    at = row["timestamp"]
    if type(at) not in (int, float) or not abs(at) < float("inf"):
        raise ValueError(f"timestamp must be a number of milliseconds, not {at!r}")
    prompt = count(row["input_length"], "input_length")
    output = count(row["output_length"], "output_length")
    blocks = row.get("hash_ids")
    if blocks is None:
        return LoadRequest(at / 1e3, prompt, output)
    if not isinstance(blocks, list) or not all(type(block) is int for block in blocks):
        raise ValueError("hash_ids must be a list of whole numbers")
    needed = -(-prompt // BLOCK)
    if len(blocks) != needed:
        raise ValueError(f"{prompt} tokens are {needed} blocks of {BLOCK}, but hash_ids has {len(blocks)}")
    return LoadRequest(at / 1e3, prompt, output, tuple(blocks), BLOCK)
