"""Lines of the functions that films show, and what they work on, for `verify.calls`."""

from __future__ import annotations

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
        return {
            "self._free_mask": self.mask,
            "self._refs": list(self.refs),
            "self._lru": list(self.lru),
            "self._prefix": list(self.keyed),
        }


def _of(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: shown[name] for name in names}


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


def gather_script(source: Source, shown: dict[str, Any], both: dict[str, Any]) -> Script:
    """Lines of `PagedCache.gather`; `both` are K and V."""
    return [
        ("pos = torch.arange(int(lengths.max())).to(lengths)", _of(shown, "pos")),
        ("row, col = (pos < lengths[:, None]).nonzero().T", _of(shown, "row", "col")),
        (_owned("page_table[row, col // self.page_size]", source), _of(shown, "page")),
        ("slot = col % self.page_size", _of(shown, "slot")),
        ("k, v = self._blank(len(lengths), len(pos))", both),
        ("k[row, col] = self.k_cache[layer, page, slot]", {}),
        ("v[row, col] = self.v_cache[layer, page, slot]", {}),
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
    """A value as a trace shows it: big masks and long lists in short."""
    if isinstance(value, int) and value.bit_length() > LONGEST:
        return {"bits": value.bit_length(), "set": value.bit_count()}
    if isinstance(value, list) and len(value) > LONGEST:
        return {"length": len(value), "data": value[:FIRST]}
    return value


def version_of(python: str) -> tuple[int, ...]:
    """Major and minor version of a Python."""
    return tuple(int(part) for part in python.split(".")[:2] if part.isdigit())
