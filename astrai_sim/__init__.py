"""A small LLM inference engine with a paged KV cache, and a recorder of what it does."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """`attach`, found when it is wanted: who only reads traces needs no torch."""
    if name == "attach":
        return import_module("astrai_sim.adapters").attach
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
