"""The engine's source for the screen: taken from the trace's header, shortened, mapped to lines."""

import ast
import io
import math
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from astrai_sim.trace import Event, Trace
from scenes.measures import Said, joined, written
from scenes.story.history.sure import sure

FURTHER = 8
"""Columns by which the rest of a long line stands further in."""
WIDEST_BITS = 20
WIDEST_INT = 40
DRAWN = ("self", "self._refs", "self._lru", "self._prefix", "_")
"""Names whose values stand in the picture itself, or nowhere."""


@dataclass(frozen=True)
class ShownSource:
    """A function as shown: `lines` of display rows, and where each source line went.

    `place` maps a 1-based line of the recorded text to an index into `lines`.
    """

    title: str
    lines: tuple[tuple[Said, ...], ...]
    place: dict[int, int]


@dataclass(frozen=True)
class CodeStep:
    """One executed line.

    `line` counts from 0 in the shown lines; `values` are (name, text) pairs that the line produced;
    `mask` and `refs` are the bitmask and the (page, refcount) pairs after the line where it changed
    them, `lru` the cached pages, least recently used first.
    """

    line: int
    values: tuple[tuple[Said, Said], ...] = ()
    mask: int | None = None
    refs: tuple[tuple[int, int], ...] = ()
    lru: tuple[int, ...] | None = None


def shown_source(trace: Trace, function: str, columns: int) -> ShownSource:
    """The recorded source of `function` without docstring, comments and blank lines.

    Lines longer than `columns` characters take several display rows. Raises KeyError
    where the header holds no such source.
    """
    text = textwrap.dedent(trace.header.sources[function].text)
    defined = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    docs = [node.body[0] for node in defined if ast.get_docstring(node) is not None]
    hidden = {number for doc in docs for number in range(doc.lineno, sure(doc.end_lineno) + 1)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = {token.start[0]: token.start[1] for token in tokens if token.type == tokenize.COMMENT}
    lines: list[tuple[Said, ...]] = []
    place: dict[int, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if number in comments:
            line = line[: comments[number]].rstrip()
        if number in hidden or not line.strip() or line.lstrip().startswith("@"):
            continue
        place[number] = len(lines)
        said = written("source.line", line, "name", function=function, line=number)
        lines.append(tuple(_rows(said, columns)))
    return ShownSource(written("source.name", function, "name", function=function), tuple(lines), place)


def _rows(line: Said, columns: int) -> Iterator[Said]:
    """The display rows of a line of source, each with its part of the line: broken at the last space up to which it
    fits, else, so that it begins in the block that it belongs to, after a bracket that opens."""
    indent = at = len(line) - len(line.lstrip())
    while at < len(line):
        lead, rest = indent + (FURTHER if at > indent else 0), line[at:]
        room = columns - lead
        spaces = [found.end() for found in re.finditer(r"\S(?=\s)", rest)]
        brackets = [found.end() for found in re.finditer(r"\((?=.)", rest)] if at == indent else []
        fitting = ([len(rest)], spaces, brackets)
        ends = next((found for breaks in fitting if (found := [end for end in breaks if end <= room])), None)
        end = at + (max(ends) if ends else min([*spaces, len(rest)]))
        yield joined("", (" " * lead, line.cut(at, end)))
        at = end + len(line[end:]) - len(line[end:].lstrip())


def steps_of(trace: Trace, event: Event, columns: int) -> tuple[CodeStep, ...]:
    """The executed lines of a `lines` event, with the values that they produced."""
    source = shown_source(trace, event.function, columns)
    n_pages = trace.header.scenario.cache.n_pages
    state = trace.state_at(event.seq)
    refs = state.refs
    steps = []
    for at, step in enumerate(event.steps):
        index = source.place.get(step.line)
        if index is None:
            continue
        values = step.values
        mask, new_refs, lru = (values.get(f"self.{name}") for name in ("_free_mask", "_refs", "_lru"))
        changed: tuple[tuple[int, int], ...] = ()
        if isinstance(new_refs, list):
            pairs = enumerate(zip(refs, new_refs, strict=True))
            changed = tuple((page, after) for page, (before, after) in pairs if before != after)
            refs = new_refs
        texts = tuple(
            (
                written("line.name", name.removeprefix("self."), "name", seq=event.seq, step=at, name=name),
                written("line.value", value_text(name, value, n_pages), "name", seq=event.seq, step=at, name=name),
            )
            for name, value in values.items()
            if name not in DRAWN
        )
        known, order = mask if isinstance(mask, int) else None, tuple(lru) if isinstance(lru, list) else None
        steps.append(CodeStep(index, texts, known, changed, order))
    return tuple(steps)


def value_text(name: str, value: Any, n_pages: int) -> str:
    """A recorded value as it is shown: bit patterns in binary, page 0 last, tensors by shape and first items."""
    if isinstance(value, int) and not isinstance(value, bool):
        if ("mask" in name or name == "lsb") and n_pages <= WIDEST_BITS:
            return format(value, f"#0{n_pages + 2}b")
        digits = format(value, "x")
        long = f"0x{digits[:5]}…{digits[-5:]} ({value.bit_length()} bits)"
        return str(value) if value.bit_length() <= WIDEST_INT else long
    if isinstance(value, list):
        return f"[{_first(value, 6)}, …]" if len(value) > 6 else f"[{_first(value, 6)}]"
    if not isinstance(value, dict):
        return str(value)
    if "length" in value:
        return f"[{_first(value['data'], 4)}, …] {value['length']}"
    if "shape" in value:
        shape, data = "×".join(map(str, value["shape"])) or "scalar", value.get("data") or []
        if not data or not all(isinstance(x, int) for x in data):
            return f"tensor {shape}"
        return f"[{_first(data, 3)}, …] {shape}" if math.prod(value["shape"]) > 3 else f"[{_first(data, 3)}]"
    return f"{value['set']} of {value['bits']} bits set" if "bits" in value else str(value)


def _first(items: list, most: int) -> str:
    return ", ".join(map(str, items[:most]))
