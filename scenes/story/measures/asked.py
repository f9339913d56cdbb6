"""What all measures of a trace have in common, those that are made of others, and sizes from its header."""

from collections.abc import Sequence, Sized
from functools import lru_cache

from astrai_sim.trace import Trace
from astrai_sim.trace.header import DTYPES
from scenes.measures import Measure, measure
from scenes.story.history import Request, history_of


class AskedMeasures:
    """The trace that is asked, and what its measures have in common."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.history = history_of(trace)
        self.scenario = trace.header.scenario
        self.state = lru_cache(8)(trace.state_at)
        self.n_pages: int = self.scenario.cache.n_pages
        self.size: int = self.scenario.cache.page_size

    def request(self, task: str) -> Request:
        return self.history.requests[task]

    # of any measures

    def count(self, items: Sized, name: str, /, **args: object) -> Measure:
        """How many `items` there are, as the measure `name`."""
        return measure(name, len(items), "count", **args)

    def less(self, of: Measure, less: Measure) -> Measure:
        """`of` minus `less`, in the form of `of`."""
        return measure("less", of.value - less.value, of.form, of=of, less=less)

    def total(self, *parts: Measure) -> Measure:
        """The sum of `parts`, in the form of the first."""
        return measure("total", sum(part.value for part in parts), parts[0].form, parts=parts)

    def largest(self, *parts: Measure) -> Measure:
        """The largest of `parts`, in the form of the first."""
        return measure("largest", max(part.value for part in parts), parts[0].form, parts=parts)

    def ratio(self, of: Measure, to: Measure, form: str = "times") -> Measure:
        """`of` by `to`, as `times`, `share` or `percent`."""
        return measure("ratio", of.value / to.value, form, of=of, to=to)

    # names and places

    def name(self, task: str) -> Measure:
        return measure("task.name", task, "name", task=task)

    def names(self, tasks: Sequence[str] | None) -> list[Measure]:
        return [self.name(task) for task in tasks or ()]

    def page(self, page: int) -> Measure:
        return measure("page.number", int(page), "plain", page=int(page))

    def pages(self, pages: Sequence[int] | None) -> list[Measure]:
        return [] if pages is None else [self.page(page) for page in pages]

    def position(self, position: int) -> Measure:
        return measure("token.position", position, "plain", position=position)

    def step(self, step: int) -> Measure:
        return measure("step.number", step, "plain", step=step)

    def first_token_of(self, logical: int) -> Measure:
        return measure("table.first_token", logical * self.size + 1, "count", logical=logical)


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
