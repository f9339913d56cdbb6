"""Lines of the functions that films show, and what they work on, for `verify.calls`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Header

FIRST = 8
LONGEST = 1024
MAKING, VIEWING = "PagedCache.__init__", "CacheView.__init__"
Script = list[str | tuple[str, dict[str, Any]]]
"""Lines of the source, with what they assign, in the order in which they run."""
Told = tuple[dict[str, Any], Script, Any]
"""Arguments of a call, what it runs, and its result."""


@dataclass
class Held:
    """A copy of what the cache's functions change."""

    mask: int
    refs: list[int]
    lru: list[int]
    keyed: list[int]

    def alloc(self) -> int:
        """Take the lowest free page, or the least recently used cached one."""
        if self.mask:
            page = (self.mask & -self.mask).bit_length() - 1
            self.mask ^= 1 << page
        else:
            page = self.lru.pop(0)
            self.keyed.remove(page)
        self.refs[page] = 1
        return page

    def let_go(self, page: int) -> None:
        """Let go of a page once."""
        self.refs[page] -= 1
        if self.refs[page] == 0 and page in self.keyed:
            self.lru.append(page)
        elif self.refs[page] == 0:
            self.mask |= 1 << page

    @property
    def available(self) -> int:
        """Pages that can be handed out."""
        return self.mask.bit_count() + len(self.lru)

    def values(self) -> dict[str, Any]:
        """As attributes of the cache."""
        lists = {"self._refs": list(self.refs), "self._lru": list(self.lru), "self._prefix": list(self.keyed)}
        return {"self._free_mask": self.mask, **lists}


def making(header: Header) -> Told:
    """`PagedCache.__init__`."""
    model, pool = header.scenario.model, header.scenario.cache
    n_pages, page_size, caching = pool.n_pages, pool.page_size, pool.prefix_caching
    sizes = {"n_layers": model.n_layers, "n_pages": n_pages, "page_size": page_size}
    sizes |= {"n_kv_heads": model.n_kv_heads, "head_dim": model.head_dim}
    shape = [*sizes.values()]
    script: Script = [
        ("sizes = (n_layers, n_pages, page_size, n_kv_heads, head_dim)", {"sizes": shape}),
        "if min(sizes) < 1:",
        ("self.k_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.k_cache": {"shape": shape}}),
        ("self.v_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.v_cache": {"shape": shape}}),
        ("self._free_mask = (1 << n_pages) - 1", {"self._free_mask": (1 << n_pages) - 1}),
        ("self._refs = [0] * n_pages", {"self._refs": [0] * n_pages}),
        ("self.tables = {}", {"self.tables": {}}),
        ("self.n_pages, self.page_size = n_pages, page_size", {"self.n_pages": n_pages, "self.page_size": page_size}),
        ("self.prefix_caching = prefix_caching", {"self.prefix_caching": caching}),
        ("self._prefix = PrefixIndex()", {"self._prefix": []}),
        ("self._lru = OrderedDict()", {"self._lru": []}),
    ]
    return {**sizes, "device": "device", "dtype": header.dtype, "prefix_caching": caching}, script, None


def passing(header: Header, function: str, tables: list[list[int]], spans: Sequence[tuple[int, int]]) -> Told:
    """A function of a forward pass for tasks with these tables and (first position, count)."""
    starts, counts = [start for start, _ in spans], [count for _, count in spans]
    rows, longest, total, size = len(spans), max(counts), sum(counts), header.scenario.cache.page_size
    width = max(map(len, tables))
    page_table = _tensor((rows, width), (page for table in tables for page in (*table, *[-1] * (width - len(table)))))
    grid = (start + at if at < count else -1 for start, count in spans for at in range(longest))
    positions = _tensor((rows, longest), grid)
    if function == VIEWING:
        args = {"cache": "PagedCache", "tables": shown_as(tables), "starts": starts, "counts": counts}
        return args, _viewing(starts, counts, page_table, positions), None
    places = list(islice(((row, at) for row, count in enumerate(counts) for at in range(count)), FIRST))
    pos = [starts[row] + at for row, at in places]
    page = [tables[row][at // size] for (row, _), at in zip(places, pos, strict=True)]
    columns = {"row": [row for row, _ in places], "col": [at for _, at in places], "pos": pos, "page": page}
    columns["slot"] = [at % size for at in pos]
    shown = {name: _tensor((total,), numbers) for name, numbers in columns.items()}
    token, text = [header.scenario.model.n_kv_heads, header.scenario.model.head_dim], header.sources[function].text
    padded = {name: {"shape": [rows, longest, *token]} for name in "kv"}
    args = {"layer": header.kv_layer, "page_table": page_table}
    if function == "PagedCache.write":
        return {**args, "positions": positions, **padded}, _writing(text, shown), None
    shown |= {"pos": _tensor((longest,), range(longest)), **{name: {"shape": [total, *token]} for name in "kv"}}
    return {**args, "lengths": _tensor((rows,), counts)}, _gathering(text, shown, padded), "tuple"


def _viewing(starts: list[int], counts: list[int], page_table: Any, positions: Any) -> Script:
    """Lines of `CacheView.__init__`."""
    size, longest = len(starts), max(counts)
    grid = (start + offset for start in starts for offset in range(longest))
    return [
        "check_room(tables, starts, counts, cache.page_size)",
        ("self.cache, device = cache, cache.k_cache.device", {"self.cache": "PagedCache", "device": "device"}),
        ("self.page_table = padded(tables).to(device)", {"self.page_table": page_table}),
        ("start = torch.tensor(starts, device=device)", {"start": _tensor((size,), starts)}),
        ("count = torch.tensor(counts, device=device)", {"count": _tensor((size,), counts)}),
        (
            "self.lengths = start + count",
            {"self.lengths": _tensor((size,), map(sum, zip(starts, counts, strict=True)))},
        ),
        ("offset = torch.arange(max(counts), device=device)", {"offset": _tensor((longest,), range(longest))}),
        ("position = start[:, None] + offset", {"position": _tensor((size, longest), grid)}),
        ("self.positions = position.where(offset < count[:, None], -1)", {"self.positions": positions}),
    ]


def _writing(text: str, shown: dict[str, Any]) -> Script:
    """Lines of `PagedCache.write`; `shown` are its variables as a trace shows them."""
    return [
        ("row, col = (positions >= 0).nonzero().T", _of(shown, "row", "col")),
        ("pos = positions[row, col]", _of(shown, "pos")),
        (_owned("page_table[row, pos // self.page_size]", text), _of(shown, "page")),
        ("slot = pos % self.page_size", _of(shown, "slot")),
        *(["refuse_padding(page)"] if "refuse_padding(page)" in text else []),
        "self.k_cache[layer, page, slot] = k[row, col]",
        "self.v_cache[layer, page, slot] = v[row, col]",
    ]


def _gathering(text: str, shown: dict[str, Any], padded: dict[str, Any]) -> Script:
    """Lines of `PagedCache.gather`; `padded` are K and V as it once gave them, as long as the longest each."""
    reading: Script = [(f"{name} = self.{name}_cache[layer, page, slot]", _of(shown, name)) for name in "kv"]
    if "self._blank(" in text:
        reading = [("k, v = self._blank(len(lengths), len(pos))", padded)]
        reading += [f"{name}[row, col] = self.{name}_cache[layer, page, slot]" for name in "kv"]
    return [
        ("pos = torch.arange(int(lengths.max())).to(lengths)", _of(shown, "pos")),
        ("row, col = (pos < lengths[:, None]).nonzero().T", _of(shown, "row", "col")),
        (_owned("page_table[row, col // self.page_size]", text), _of(shown, "page")),
        ("slot = col % self.page_size", _of(shown, "slot")),
        *reading,
        "return k, v",
    ]


def _of(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: shown[name] for name in names}


def _owned(page: str, text: str) -> str:
    """The line that looks a page up, as this source has it."""
    line = f"page = owned({page})"
    return line if line in text else f"page = {page}"


def _tensor(shape: tuple[int, ...], numbers: Iterable[int]) -> dict[str, Any]:
    """A tensor of whole numbers as a trace shows it."""
    return {"shape": [*shape], "data": list(islice(numbers, FIRST))}


def line_numbers(texts: list[str], ran: list[str], event: Event) -> list[int]:
    """Lines that are told; one that stands once in the source can only be that one."""
    return [texts.index(text) + 1 if texts.count(text) == 1 else step.line for text, step in zip(ran, event.steps)]  # noqa: B905


def shown_as(value: Any) -> Any:
    """A value as a trace shows it: big masks and long lists in short, big tables not at all."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return value if sum(map(len, value)) <= LONGEST else "list"
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return {"bits": value.bit_length(), "set": value.bit_count()}
    if isinstance(value, list) and len(value) > LONGEST:
        return {"length": len(value), "data": value[:FIRST]}
    return value
