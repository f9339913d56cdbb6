"""Lines of the functions that films show, and what they work on, for `verify.calls`."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from astrai_sim.trace.events import Event
from astrai_sim.trace.header import Source

FIRST = 8
LONGEST = 1024
Script = list[tuple[str, dict[str, Any]]]
"""(line of the source, what it assigns), in the order in which they run."""


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


def _of(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: shown[name] for name in names}


def pool_script(sizes: dict[str, int], caching: bool) -> Script:
    """Lines of `PagedCache.__init__`; `sizes` in the order of its tensors' sides."""
    n_pages, shape = sizes["n_pages"], [*sizes.values()]
    both = {"self.n_pages": n_pages, "self.page_size": sizes["page_size"]}
    return [
        ("sizes = (n_layers, n_pages, page_size, n_kv_heads, head_dim)", {"sizes": shape}),
        ("if min(sizes) < 1:", {}),
        ("self.k_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.k_cache": {"shape": shape}}),
        ("self.v_cache = torch.zeros(sizes, device=device, dtype=dtype)", {"self.v_cache": {"shape": shape}}),
        ("self._free_mask = (1 << n_pages) - 1", {"self._free_mask": (1 << n_pages) - 1}),
        ("self._refs = [0] * n_pages", {"self._refs": [0] * n_pages}),
        ("self.tables = {}", {"self.tables": {}}),
        ("self.n_pages, self.page_size = n_pages, page_size", both),
        ("self.prefix_caching = prefix_caching", {"self.prefix_caching": caching}),
        ("self._prefix = PrefixIndex()", {"self._prefix": []}),
        ("self._lru = OrderedDict()", {"self._lru": []}),
    ]


def view_script(starts: list[int], counts: list[int], shown: dict[str, Any]) -> Script:
    """Lines of `CacheView.__init__`; `shown` are its attributes as a trace shows them."""
    size, longest = [len(starts)], max(counts)
    grid = (start + offset for start in starts for offset in range(longest))
    lengths = (start + count for start, count in zip(starts, counts, strict=True))
    return [
        ("check_room(tables, starts, counts, cache.page_size)", {}),
        ("self.cache, device = cache, cache.k_cache.device", {"self.cache": "PagedCache", "device": "device"}),
        ("self.page_table = padded(tables).to(device)", {"self.page_table": shown["page_table"]}),
        ("start = torch.tensor(starts, device=device)", {"start": tensor(size, starts)}),
        ("count = torch.tensor(counts, device=device)", {"count": tensor(size, counts)}),
        ("self.lengths = start + count", {"self.lengths": tensor(size, lengths)}),
        ("offset = torch.arange(max(counts), device=device)", {"offset": tensor([longest], range(longest))}),
        ("position = start[:, None] + offset", {"position": tensor([*size, longest], grid)}),
        ("self.positions = position.where(offset < count[:, None], -1)", {"self.positions": shown["positions"]}),
    ]


def write_script(source: Source, shown: dict[str, Any]) -> Script:
    """Lines of `PagedCache.write`; `shown` are its variables as a trace shows them."""
    return [
        ("row, col = (positions >= 0).nonzero().T", _of(shown, "row", "col")),
        ("pos = positions[row, col]", _of(shown, "pos")),
        (_owned("page_table[row, pos // self.page_size]", source), _of(shown, "page")),
        ("slot = pos % self.page_size", _of(shown, "slot")),
        *([("refuse_padding(page)", {})] if "refuse_padding(page)" in source.text else []),
        ("self.k_cache[layer, page, slot] = k[row, col]", {}),
        ("self.v_cache[layer, page, slot] = v[row, col]", {}),
    ]


def gather_script(source: Source, shown: dict[str, Any], padded: dict[str, Any]) -> Script:
    """Lines of `PagedCache.gather`; `padded` are K and V as it once gave them, as long as the longest each."""
    reading = [(f"{name} = self.{name}_cache[layer, page, slot]", _of(shown, name)) for name in "kv"]
    if "self._blank(" in source.text:
        reading = [
            ("k, v = self._blank(len(lengths), len(pos))", padded),
            ("k[row, col] = self.k_cache[layer, page, slot]", {}),
            ("v[row, col] = self.v_cache[layer, page, slot]", {}),
        ]
    return [
        ("pos = torch.arange(int(lengths.max())).to(lengths)", _of(shown, "pos")),
        ("row, col = (pos < lengths[:, None]).nonzero().T", _of(shown, "row", "col")),
        (_owned("page_table[row, col // self.page_size]", source), _of(shown, "page")),
        ("slot = col % self.page_size", _of(shown, "slot")),
        *reading,
        ("return k, v", {}),
    ]


def line_numbers(texts: list[str], ran: list[str], event: Event) -> list[int]:
    """Lines that are told; one that stands once in the source can only be that one."""
    return [texts.index(text) + 1 if texts.count(text) == 1 else step.line for text, step in zip(ran, event.steps)]  # noqa: B905


def _owned(page: str, source: Source) -> str:
    """The line that looks a page up, as this source has it."""
    line = f"page = owned({page})"
    return line if line in source.text else f"page = {page}"


def tensor(shape: list[int], numbers: Iterable[int]) -> dict[str, Any]:
    """A tensor of whole numbers as a trace shows it."""
    return {"shape": shape, "data": list(islice(numbers, FIRST))}


def shown_as(value: Any) -> Any:
    """A value as a trace shows it: big masks and long lists in short, big tables not at all."""
    if isinstance(value, list) and value and isinstance(value[0], list):
        return value if sum(map(len, value)) <= LONGEST else "list"
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return {"bits": value.bit_length(), "set": value.bit_count()}
    if isinstance(value, list) and len(value) > LONGEST:
        return {"length": len(value), "data": value[:FIRST]}
    return value


def version_of(python: str) -> tuple[int, ...]:
    """Major and minor version of a Python."""
    return tuple(int(part) for part in python.split(".")[:2] if part.isdigit())
