"""Sizes, from a trace's header."""

from __future__ import annotations

from astrai_sim.trace.header import DTYPES
from scenes.measures import Measure, measure
from scenes.story.measures.asked import AskedMeasures


class HeaderMeasures(AskedMeasures):
    """Sizes, from the header."""

    def pool_pages(self, form: str = "count") -> Measure:
        return measure("pool.pages", self.n_pages, form)

    def free_bit(self) -> Measure:
        """The bit of the free mask that says that a page is free."""
        return measure("state.bit", 1, "plain", state="free")

    def page_size(self) -> Measure:
        return measure("pool.page_size", self.size, "plain")

    def pool_slots(self) -> Measure:
        return measure("pool.slots", self.n_pages * self.size)

    def model(self, name: str) -> Measure:
        """A size of the model: n_layers, n_kv_heads, head_dim."""
        return measure("model.size", getattr(self.scenario.model, name), "plain", name=name)

    def kv_layer(self) -> Measure:
        return measure("header.kv_layer", self.trace.header.kv_layer, "plain")

    def header(self, text: str) -> Measure:
        """A text of the header's, as it stands there: dtype, name of a model or of its weights."""
        return measure("header.text", text, "name", text=text)

    def weights(self) -> Measure | None:
        """The model's name, which is that of its weights' file; None where there are none."""
        weights = self.trace.header.weights
        if weights is None:
            return None
        name, kind = weights.file.removesuffix(".gguf"), weights.quantization
        return self.header(name.removesuffix(f".{kind}").removesuffix(f"-{kind}"))

    def source(self, text: str) -> Measure:
        """Words of the recorded source code."""
        return measure("source.text", text, "name", text=text)

    def time_scale(self) -> Measure:
        """In which share of the time that the workload's requests took they come."""
        workload = self.scenario.workload
        return measure("workload.time_scale", 1.0 if workload is None else workload.time_scale, "share")

    def cost(self, name: str) -> Measure:
        return measure("cost", getattr(self.trace.header.cost, name), "seconds", name=name)

    def bytes_of(self, what: str) -> Measure:
        """Bytes for K and V of a `slot`, a `page` or the `pool`."""
        model = self.scenario.model
        slot = 2 * model.n_layers * model.n_kv_heads * model.head_dim * DTYPES[self.trace.header.dtype]
        slots = {"slot": 1, "page": self.size, "pool": self.size * self.n_pages}
        return measure(f"{what}.bytes", slot * slots[what], "bytes")
