"""Mooncake's traces, and others with their fields: JSON Lines that say which parts of prompts are the same."""

import reprlib
from collections.abc import Iterator
from typing import Annotated, Any, TextIO

import msgspec
from msgspec import Meta, Struct

from astrai_sim.workload.request import MOST_TOKENS, LineError, LoadRequest, lines, second

BLOCK = 512
Tokens = Annotated[int, Meta(ge=0, le=MOST_TOKENS)]


class _Row(Struct):
    timestamp: float
    input_length: Tokens
    output_length: Tokens
    hash_ids: list[int] | None = None
    chat_id: Any = None


def mooncake(file: TextIO, block_size: int = BLOCK, time_unit: str | None = None) -> Iterator[LoadRequest]:
    """Requests of a Mooncake trace (Qin et al., 2025): blocks of 512 tokens, times in milliseconds.

    The traces of Qwen-Bailian (Wang et al., "KVCache Cache in the Wild", 2025) have the same fields, blocks of 16
    tokens and seconds, and a `chat_id`: where there is one, `time_unit` must be given.
    """
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
        if row.chat_id is not None and time_unit is None:
            advice = 'set time_unit = "s" and block_size = 16 in [workload]'
            raise LineError(line, "a request with a chat_id, as Qwen-Bailian's traces have them", advice)
        arrival = second(row.timestamp, time_unit or "ms")
        if arrival is None:
            raise LineError(line, f"timestamp must be a time before the year 10000, not {reprlib.repr(row.timestamp)}")
        prompt, blocks = row.input_length, row.hash_ids
        needed = -(-prompt // block_size)
        if blocks is not None and len(blocks) != needed:
            told = f"{prompt} tokens are {needed} blocks of {block_size}, but hash_ids has {len(blocks)}"
            raise LineError(line, told, "correct the line, or set block_size in [workload]")
        shared = {} if blocks is None else {"blocks": tuple(blocks), "block_size": block_size}
        yield LoadRequest(arrival, prompt, row.output_length, **shared)
