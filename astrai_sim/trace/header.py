"""First and last line of a trace."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Header:
    """Who recorded what, where and when.

    `sources` maps a function's qualified name to its file, first line and text
    as it ran. `clock` is "real", or "cost-model" where durations are computed.
    """

    schema: str
    version: int
    engine: dict[str, str]
    device: dict[str, Any]
    dtype: str
    model: str
    clock: str
    scenario: dict[str, Any]
    scenario_name: str
    seed: int
    started: str
    sources: dict[str, dict[str, Any]]
    kv_layer: int

    @classmethod
    def of(cls, data: dict[str, Any]) -> Header:
        """From a parsed line. Raises KeyError naming a field that is missing."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Footer:
    """How the recording ended; `sha256` covers every byte before the footer's line."""

    events: int
    sha256: str
    stopped: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Footer:
        """From a parsed line. Raises KeyError naming a field that is missing."""
        return cls(**{field.name: data[field.name] for field in fields(cls)})
