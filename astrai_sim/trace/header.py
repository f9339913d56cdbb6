"""First and last line of a trace."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import Any

DETAILS = ("full", "bulk")


def _given(part: type, data: dict[str, Any]) -> dict[str, Any]:
    """The fields of `part` that `data` has. Raises KeyError naming a needed one it lacks."""
    return {item.name: data[item.name] for item in fields(part) if item.default is MISSING or item.name in data}


@dataclass(frozen=True)
class Header:
    """Who recorded what, where and when.

    `sources` maps a function's qualified name to its file, first line and text
    as it ran. `model` is "none" where cache and scheduler ran alone. `clock` is
    "real", or "cost-model" where times are computed: `cost` then holds the formula
    and its constants, and `token_rule` how tokens were made up. `detail` is "full", or
    "bulk" where events carry runs of pages. Where the model came from a file, `weights`
    holds the file's name, digest and quantisation, and `tokenizer` says what turned text
    into tokens; `workload` tells which production trace the requests are from, and how
    many of it were run.
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
    detail: str = "full"
    cost: dict[str, Any] | None = None
    token_rule: str | None = None
    weights: dict[str, Any] | None = None
    tokenizer: dict[str, Any] | None = None
    workload: dict[str, Any] | None = None

    @classmethod
    def of(cls, data: dict[str, Any]) -> Header:
        """From a parsed line.

        Raises KeyError naming a field that is missing, ValueError for a pool or a level
        of detail that cannot be.
        """
        header = cls(**_given(cls, data))
        if header.detail not in DETAILS:
            raise ValueError(f"detail {header.detail!r} is none of {', '.join(DETAILS)}")
        cache = header.scenario.get("cache") if isinstance(header.scenario, dict) else None
        for name in ("n_pages", "page_size"):
            size = cache.get(name) if isinstance(cache, dict) else None
            if type(size) is not int or size < 1:
                raise ValueError(f"scenario.cache.{name} must be a number from 1 on, not {size!r}")
        return header


@dataclass(frozen=True)
class Footer:
    """How the recording ended; `sha256` covers every byte before the footer's line."""

    events: int
    sha256: str
    stopped: str

    @classmethod
    def of(cls, data: dict[str, Any]) -> Footer:
        """From a parsed line. Raises KeyError naming a field that is missing."""
        return cls(**_given(cls, data))
