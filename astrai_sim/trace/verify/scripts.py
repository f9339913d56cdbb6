"""Lines of the functions that films show, and what they work on, for `verify.calls`."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from astrai_sim.trace.header import Header

FIRST = 8
LONGEST = 1024
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

    def values(self) -> dict[str, Any]:
        """As attributes of the cache."""
        lists = {"self._refs": list(self.refs), "self._lru": list(self.lru), "self._prefix": list(self.keyed)}
        return {"self._free_mask": self.mask, **lists}


def _large(header: Header) -> bool:
    """Whether the free pages are a tree."""
    return "LargePagedCache.alloc" in header.sources


def making(header: Header) -> Told:
    """`PagedCache.__init__`."""
    model, pool = header.scenario.model, header.scenario.cache
    n_pages, page_size, caching = pool.n_pages, pool.page_size, pool.prefix_caching
    sizes = {"n_layers": model.n_layers, "n_pages": n_pages, "page_size": page_size}
    sizes |= {"n_kv_heads": model.n_kv_heads, "head_dim": model.head_dim}
    shape = [*sizes.values()]
    free: dict[str, Any] = {"self._free": "FreeTree"} if _large(header) else {"self._free_mask": (1 << n_pages) - 1}
    script: Script = [
        ("sizes = (n_layers, n_pages, page_size, n_kv_heads, head_dim)", {"sizes": shape}),
        "if min(sizes) < 1:",
        ("self.k_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.k_cache": {"shape": shape}}),
        ("self.v_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.v_cache": {"shape": shape}}),
        ("self._free_mask = (1 << n_pages) - 1", free),
        ("self._refs = [0] * n_pages", {"self._refs": [0] * n_pages}),
        ("self.tables = {}", {"self.tables": {}}),
        ("self.n_pages, self.page_size = n_pages, page_size", {"self.n_pages": n_pages, "self.page_size": page_size}),
        ("self.prefix_caching = prefix_caching", {"self.prefix_caching": caching}),
        ("self._prefix = PrefixIndex()", {"self._prefix": []}),
        ("self._lru = OrderedDict()", {"self._lru": []}),
    ]
    return {**sizes, "device": "device", "dtype": header.dtype, "prefix_caching": caching}, script, None


def passing(header: Header, role: str, tables: list[list[int]], spans: list[tuple[int, int]]) -> Told:
    """The function of a role in a forward pass for tasks with these tables and (first position, count)."""
    (starts, counts), size = np.array(spans).T, header.scenario.cache.page_size
    offset, page_table = np.arange(counts.max()), np.full((len(tables), max(map(len, tables))), -1)
    for table, padded in zip(tables, page_table, strict=True):
        padded[: len(table)] = table
    position = starts[:, None] + offset
    positions = np.where(offset < counts[:, None], position, -1)
    cache = "LargePagedCache" if _large(header) else "PagedCache"
    viewed = {"cache": cache, "tables": tables, "starts": starts.tolist(), "counts": counts.tolist()}
    if header.function("view") == "QueuedView.__init__":
        return _queued(header, role, viewed, page_table)
    if role == "view":
        script: Script = [
            "check_room(tables, starts, counts, cache.page_size)",
            ("self.cache, device = cache, cache.k_cache.device", {"self.cache": cache, "device": "device"}),
            ("self.page_table = padded(tables).to(device)", {"self.page_table": page_table}),
            ("start = torch.tensor(starts, device=device)", {"start": starts}),
            ("count = torch.tensor(counts, device=device)", {"count": counts}),
            ("self.lengths = start + count", {"self.lengths": starts + counts}),
            ("offset = torch.arange(max(counts), device=device)", {"offset": offset}),
            ("position = start[:, None] + offset", {"position": position}),
            ("self.positions = position.where(offset < count[:, None], -1)", {"self.positions": positions}),
        ]
        return viewed, script, None
    row, col = np.nonzero(positions >= 0)
    at, text = positions[row, col], header.sources[header.function(role) or ""].text
    places, page, slot = {"row": row, "col": col}, {"page": page_table[row, at // size]}, {"slot": at % size}
    token = [header.scenario.model.n_kv_heads, header.scenario.model.head_dim]
    kv = {name: {"shape": [*positions.shape, *token]} for name in "kv"}
    args = {"layer": header.kv_layer, "page_table": page_table}
    if role == "write":
        script = [
            ("row, col = (positions >= 0).nonzero().T", places),
            ("pos = positions[row, col]", {"pos": at}),
            (_owned("page_table[row, pos // self.page_size]", text), page),
            ("slot = pos % self.page_size", slot),
            *(["refuse_padding(page)"] if "refuse_padding(page)" in text else []),
            *(f"self.{name}_cache[layer, page, slot] = {name}[row, col]" for name in "kv"),
        ]
        return {**args, "positions": positions, **kv}, script, None
    reading: Script = [
        (f"{name} = self.{name}_cache[layer, page, slot]", {name: {"shape": [len(at), *token]}}) for name in "kv"
    ]
    if "self._blank(" in text:  # older recordings gather K and V as long as the longest each
        reading = [("k, v = self._blank(len(lengths), len(pos))", kv)]
        reading += [f"{name}[row, col] = self.{name}_cache[layer, page, slot]" for name in "kv"]
    script = [
        ("pos = torch.arange(int(lengths.max())).to(lengths)", {"pos": offset}),
        ("row, col = (pos < lengths[:, None]).nonzero().T", places),
        (_owned("page_table[row, col // self.page_size]", text), page),
        ("slot = col % self.page_size", slot),
        *reading,
        "return k, v",
    ]
    return {**args, "lengths": counts}, script, "tuple"


def _queued(header: Header, role: str, viewed: dict[str, Any], page_table: np.ndarray) -> Told:
    """The same on a device that works behind the host, where a pass works out once in which slots tokens lie."""
    starts, counts, size = np.array(viewed["starts"]), np.array(viewed["counts"]), header.scenario.cache.page_size
    lengths, offset, width = starts + counts, np.arange(counts.max()), counts.max()
    position = starts[:, None] + offset
    row, col = np.nonzero(offset < counts[:, None])
    all_row, all_col = np.nonzero(np.arange(lengths.max()) < lengths[:, None])
    token = row * width + col
    new, slots = (
        page_table[rows, at // size] * size + at % size for rows, at in ((row, starts[row] + col), (all_row, all_col))
    )
    if role == "view":
        script: Script = [
            "check_room(tables, starts, counts, cache.page_size)",
            ("self.cache, device = cache, cache.k_cache.device", {"self.cache": viewed["cache"], "device": "device"}),
            ("self.counts = list(counts)", {"self.counts": viewed["counts"]}),
            ("self.ends = list(map(sum, zip(starts, counts, strict=True)))", {"self.ends": lengths.tolist()}),
            ("self.page_table = sent(padded(tables), device)", {"self.page_table": page_table}),
            ("start, count = sent(torch.tensor([starts, counts]), device)", {"start": starts, "count": counts}),
            ("self.lengths = start + count", {"self.lengths": lengths}),
            ("offset = torch.arange(max(counts), device=device)", {"offset": offset}),
            ("position = start[:, None] + offset", {"position": position}),
            (
                "self.positions = position.where(offset < count[:, None], -1)",
                {"self.positions": np.where(offset < counts[:, None], position, -1)},
            ),
            ("row, col = spread(count, sum(counts))", {"row": row, "col": col}),
            ("self.token = row * max(counts) + col", {"self.token": token}),
            ("self.new = self._slot(row, start[row] + col)", {"self.new": new}),
            ("self.slots = self._slot(*spread(self.lengths, sum(self.ends)))", {"self.slots": slots}),
        ]
        return viewed, script, None
    shape = [header.scenario.model.n_kv_heads, header.scenario.model.head_dim]
    if role == "write":
        kv = {name: {"shape": [len(counts), int(width), *shape]} for name in "kv"}
        script = [f"wide(self.{name}_cache[layer])[slot] = wide({name})[token]" for name in "kv"]
        return {"layer": header.kv_layer, "slot": new, "token": token, **kv}, script, None
    shape = [len(slots), *shape]
    script = [
        (
            "dtype, shape = self.k_cache.dtype, (len(slot), *self.k_cache.shape[-2:])",
            {"dtype": header.dtype, "shape": shape},
        )
    ]
    for name in "kv":
        line = f"{name} = wide(self.{name}_cache[layer])[slot].view(dtype).view(shape)"
        script.append((line, {name: {"shape": shape}}))
    return {"layer": header.kv_layer, "slot": slots}, [*script, "return k, v"], "tuple"


def _owned(page: str, text: str) -> str:
    """The line that looks a page up, as this source has it."""
    line = f"page = owned({page})"
    return line if line in text else f"page = {page}"


def shown_as(value: Any) -> Any:
    """A value as a trace shows it: big masks and long lists in short, big tables not at all."""
    if isinstance(value, np.ndarray):
        return {"shape": [*value.shape], "data": value.ravel()[:FIRST].tolist()}
    if isinstance(value, list) and value and isinstance(value[0], list):
        return value if sum(map(len, value)) <= LONGEST else "list"
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return {"bits": value.bit_length(), "set": value.bit_count()}
    if isinstance(value, list) and len(value) > LONGEST:
        return {"length": len(value), "data": value[:FIRST]}
    return value
