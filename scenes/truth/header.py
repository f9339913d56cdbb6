"""What the header says: sizes, settings, where it was recorded."""

from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from msgspec import to_builtins

from scenes.theme import THEMES
from scenes.truth.vouching import shows, vouches
from scenes.truth.witness import Witness

WIDTHS = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}


def _texts(value: Any) -> Iterator[str]:
    """All strings in what a header is made of."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)


@vouches("header.text")
def text(witness: Witness, text: str) -> str:
    header = witness.trace.header
    allowed = set(_texts(to_builtins(header)))
    if header.weights is not None:
        name = PurePath(header.weights.file).name.removesuffix(".gguf")
        allowed |= {name, name.removesuffix(header.weights.quantization).rstrip(".-_")}
    if text not in allowed:
        raise LookupError(f"the header says {text!r} nowhere")
    return text


@vouches("header.device")
def device(witness: Witness) -> str:
    found = witness.trace.header.device
    name = " ".join(found.name.replace("(R)", "").replace("(TM)", "").split())
    return f"{name} CPU" if found.type == "cpu" and "CPU" not in name else name


@vouches("scheduler.budget")
def budget(witness: Witness, step: int) -> int | None:
    """Tokens a step may compute in that step: the scenario's, or as set before it."""
    value = witness.trace.header.scenario.scheduler.max_tokens_per_step
    for event in witness.events("setting", before=witness.step(step).begin.seq):
        value = event.value if event.name == "max_tokens_per_step" else value
    return value


@vouches("workload.time_scale")
def time_scale(witness: Witness) -> float:
    workload = witness.trace.header.scenario.workload
    if workload is None:
        raise LookupError("the requests come from no workload")
    return workload.time_scale


def slot_bytes(witness: Witness) -> int:
    """K and V of one token in all layers."""
    model = witness.trace.header.scenario.model
    return 2 * WIDTHS[witness.trace.header.dtype] * model.n_layers * model.n_kv_heads * model.head_dim


vouches("slot.bytes")(slot_bytes)
vouches("number.bytes")(lambda witness: WIDTHS[witness.trace.header.dtype])
vouches("page.bytes")(lambda witness: slot_bytes(witness) * witness.page_size)
vouches("pool.bytes")(lambda witness: slot_bytes(witness) * witness.page_size * witness.n_pages)
vouches("header.kv_layer")(lambda witness: witness.trace.header.kv_layer)
vouches("cost.constant")(lambda witness, name: getattr(witness.trace.header.cost, name))
vouches("header.dtype")(lambda witness: witness.trace.header.dtype)
vouches("header.day")(lambda witness: witness.trace.header.started.partition("T")[0])
vouches("model.size")(lambda witness, name: getattr(witness.trace.header.scenario.model, name))
# A theme that there is: its colours are what others hold drawn ones against.
shows("theme")(lambda witness, at, shown: THEMES[shown["theme"]].name)
