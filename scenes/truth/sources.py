"""Lines of source code as the header has them, and the values that executed lines had."""

import io
import tokenize
from functools import lru_cache
from math import prod
from textwrap import dedent
from typing import Any

from scenes.truth.vouching import vouches
from scenes.truth.witness import Witness

BITS = 20
"""Pages up to which a mask is written bit by bit."""
SHORT = 40
"""Bits of a number up to which it is written whole."""


@lru_cache(maxsize=64)
def _uncommented(text: str) -> list[str]:
    """Lines of a function, indented as little as can be, comments cut off."""
    lines = dedent(text).splitlines()
    for token in tokenize.generate_tokens(io.StringIO(dedent(text)).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    return lines


@vouches("source.name")
def source_name(witness: Witness, function: str) -> str:
    if function not in witness.trace.header.sources:
        raise LookupError(f"the header has no source of {function}")
    return function


@vouches("source.text")
def source_text(witness: Witness, text: str) -> str:
    if not any(text in source.text for source in witness.trace.header.sources.values()):
        raise LookupError(f"{text!r} stands in no source")
    return text


def _values(witness: Witness, seq: int, step: int) -> dict[str, Any]:
    event = witness.trace[seq]
    if event.event != "lines":
        raise LookupError(f"event {seq} has no executed lines")
    return event.steps[step].values


@vouches("line.name")
def line_name(witness: Witness, seq: int, step: int, name: str) -> str:
    if name not in _values(witness, seq, step):
        raise LookupError(f"line {step} of event {seq} has no {name}")
    return name.removeprefix("self.")


@vouches("line.value")
def line_value(witness: Witness, seq: int, step: int, name: str) -> str:
    """As films write values: masks in binary, long numbers, lists and tensors by their first items."""
    value = _values(witness, seq, step)[name]
    match value:
        case bool() | None | str():
            return f"{value}"
        case int() if ("mask" in name or name == "lsb") and witness.n_pages <= BITS:
            return "0b" + bin(value)[2:].zfill(witness.n_pages)
        case int() if value.bit_length() > SHORT:
            digits = hex(value)[2:]
            return f"0x{digits[:5]}…{digits[-5:]} ({value.bit_length()} bits)"
        case {"length": length, "data": data}:
            return f"{_first(data, 4, True)} {length}"
        case {"shape": shape, **rest}:
            sides, data = "×".join(map(str, shape)) or "scalar", rest.get("data") or []
            if not data or not all(isinstance(number, int) for number in data):
                return f"tensor {sides}"
            return f"{_first(data, 3, True)} {sides}" if prod(shape) > 3 else _first(data, 3, False)
        case {"bits": bits, "set": count}:
            return f"{count} of {bits} bits set"
        case list():
            return _first(value, 6, len(value) > 6)
        case _:
            return f"{value}"


def _first(items: list, count: int, more: bool) -> str:
    return "[" + ", ".join([*map(str, items[:count]), *["…"] * more]) + "]"


vouches("source.line")(
    lambda witness, function, line: _uncommented(witness.trace.header.sources[function].text)[line - 1]
)
