"""Mooncake's traces: JSON Lines that say which parts of prompts are the same."""

from collections.abc import Iterator
from typing import Annotated, TextIO

import msgspec
from msgspec import Meta, Struct

from astrai_sim.workload.request import LATEST_S, MOST_TOKENS, LineError, LoadRequest, lines

BLOCK = 512
Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class _Row(Struct):
    timestamp: Annotated[float, Meta(ge=-LATEST_S * 1e3, le=LATEST_S * 1e3)]
    input_length: Tokens
    output_length: Tokens
    hash_ids: list[int] | None = None


def mooncake(file: TextIO) -> Iterator[LoadRequest]:
    """Requests of a Mooncake trace (Qin et al., 2025); times are milliseconds."""
    decode = msgspec.json.Decoder(_Row).decode
    for line, text in enumerate(lines(file), 1):
        if not text.strip():
            continue
        try:
            row = decode(text)
        except RecursionError:
            raise LineError(line, "JSON nested too deeply") from None
        except msgspec.ValidationError as error:
            raise LineError(line, f"not a request: {str(error).replace(' - at `$.', ' at `')}") from None
        except msgspec.DecodeError as error:
            raise LineError(line, f"not JSON: {error}") from None
        prompt, blocks = row.input_length, row.hash_ids
        needed = -(-prompt // BLOCK)
        if blocks is not None and len(blocks) != needed:
            raise LineError(line, f"{prompt} tokens are {needed} blocks of {BLOCK}, but hash_ids has {len(blocks)}")
        shared = {} if blocks is None else {"blocks": tuple(blocks), "block_size": BLOCK}
        yield LoadRequest(row.timestamp / 1e3, prompt, row.output_length, **shared)
