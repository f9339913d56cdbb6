"""The tables of trace-format.md: every event and field, from the structs that read them and what fields mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Struct, structs

from astrai_sim.trace import events as ev
from astrai_sim.trace import header as hd
from astrai_sim.trace.blocks import BLOCK_EVENTS
from astrai_sim.trace.events import Event, kind_of
from astrai_sim.trace.fields import Field, field_of
from astrai_sim.trace.header import DETAILS
from astrai_sim.trace.wire import DIALECTS
from scenes.film import catalog

NAMES = {int: "integer", float: "number", str: "text", bool: "true or false", Any: "anything"}
HEADER = ("Header", "Engine", "Device", "Source", "ScenarioFacts", "ModelSizes", "CachePart", "SchedulerSettings")
HEADER += ("RecordPart", "RequestPart", "PrefixPart", "ChangePart", "StopPart", "Cost", "AskedWorkload")
HEADER += ("Weights", "TokenizerFacts", "WorkloadFacts", "Imported", "Footer")
Types = dict[str, str]
"""Type of each field in words, with a question mark where it may be left out."""


def tables() -> str:
    """All of it, as Markdown."""
    return "\n".join([*_films(), *_header(), *_events(), ""])


def _films() -> Iterator[str]:
    """A row for each film: what it needs, by the names that lines have in the dialects that it takes."""
    yield from ("## What films need", "")
    yield "Every film needs a trace that verifies: requests, steps, passes, and what pages go through. Beyond that:"
    yield "(`PoolAtScale` also shows what cache events tell, in a telling of its own.)"
    yield from ("", "| film | detail | pages of the pool | what must be there | where |", "|---|---|---|---|---|")
    for name, film in catalog.films().items():
        needs = film.chapters.needs
        details = ("full",) if needs.single else DETAILS
        pool = f"up to {needs.most}" if needs.most else f"from {needs.least}" if needs.least > 1 else "any"
        found: dict[str, list[str]] = {f"the rule `{rule}`, claimed": ["the header's `policy`"] for rule in needs.rules}
        for place, what in needs.events.items():
            found.setdefault(what.partition(": ")[0], []).append(_place(place, details))
        first = [f"`{name}`", " or ".join(details), pool]
        for what, places in found.items():
            yield f"| {' | '.join([*first, what, ', '.join(places)])} |"
            first = ["", "", ""]
    yield ""


def _place(place: str, details: tuple[str, ...]) -> str:
    """An event, or a field of it, as lines of these dialects have them."""
    event, _, field = place.partition(".")
    tags = {}
    for line in (line for detail in details for line in DIALECTS[detail] if line.event == event):
        named = {known.name: known.encode_name for known in structs.fields(line)}
        tags[str(line.__struct_config__.tag)] = f".{named[field]}" if field else ""
    return " or ".join(f"`{tag}{named}`" for tag, named in tags.items())


def told(kind: Any) -> str:
    """A type in words."""
    if getattr(kind, "__metadata__", None):
        return told(get_args(kind)[0])
    inner, origin = get_args(kind), get_origin(kind)
    if origin in (Union, UnionType):
        return " or ".join("null" if one is NoneType else told(one) for one in inner)
    if origin is list or (origin is tuple and inner[-1:] == (...,)):
        return f"[{told(inner[0])}, …]"
    if origin is tuple:
        return f"[{', '.join(map(told, inner))}]"
    if origin is dict:
        return f"{{text: {told(inner[1])}, …}}"
    if origin is not None:  # a Literal
        return " or ".join(f'"{one}"' for one in inner)
    return NAMES.get(kind) or kind.__name__


def types_of(kind: type, skip: tuple[str, ...] = ()) -> Types:
    """The fields of a line, or of what is in one, in the order in which they stand."""
    found = {}
    for field in structs.fields(kind) if issubclass(kind, Struct) else _of_dataclass(kind):
        name = field.encode_name
        if not name.startswith("(") and name not in skip:
            found[name] = told(field.type) + ("" if field.required else "?")
    return found


def _of_dataclass(kind: type) -> tuple[structs.FieldInfo, ...]:
    """The fields of a dataclass as those of a struct."""
    hints = get_type_hints(kind, include_extras=True)
    made = (
        (field.name, hints[field.name], NODEFAULT if field.default is MISSING else field.default)
        for field in fields(kind)
    )
    return tuple(structs.FieldInfo(name, name, hint, default, NODEFAULT) for name, hint, default in made)


def _row(name: str, types: list[str], field: Field) -> str:
    return f"| {' | '.join([f'`{name}`', *types, field.unit, field.means, field.since])} |"


def _table(kind: str, columns: dict[str, Types]) -> Iterator[str]:
    """A row for each field, a column for the types in each dialect."""
    names = list(dict.fromkeys(name for types in columns.values() for name in types))
    titles = ["field", *columns, "unit", "meaning", "since"]
    if names:
        yield from (f"| {' | '.join(titles)} |", "|" + "---|" * len(titles))
    for name in names:
        cells = [types.get(name, "") for types in columns.values()]
        yield _row(name, cells, field_of(kind, name))
    yield ""


def _prose(kind: type) -> str:
    """A docstring in one paragraph, events by the names that lines have for them."""
    text = " ".join(cleandoc(kind.__doc__ or "").split())
    return re.sub(r"`(Pages\w+)`", lambda found: f"`{kind_of(found[1])}`", text).replace("None", "null")


def _header() -> Iterator[str]:
    yield from ("## Header and footer", "")
    for name in HEADER:
        kind = getattr(hd, name)
        yield from (f"### {name}", "", _prose(kind), "")
        own = {"type": "text"} if name in ("Header", "Footer") else {}
        yield from _table(name, {"type": {**own, **types_of(kind)}})


def _events() -> Iterator[str]:
    yield from ("## Events", "", "Every event has these fields, and those of its kind.", "")
    common = {name: kind for name, kind in types_of(Event).items() if name != "line"}
    yield from _table("", {"type": {**common, "event": "text"}})
    skip, inner = tuple(types_of(Event)), []
    lines = {detail: {line.event: line for line in kinds} for detail, kinds in DIALECTS.items()}
    rows: list[str] = []
    for kind in (*ev.EVENTS, *BLOCK_EVENTS):
        said = {detail: known[kind.event] for detail, known in lines.items() if kind.event in known}
        tags = list(dict.fromkeys(str(line.__struct_config__.tag) for line in said.values()))
        columns = {detail: types_of(line, skip) for detail, line in said.items()}
        if len(columns) == 2 and columns["full"] == columns["bulk"]:
            columns = {"type": columns["full"]}
        own = [*_table(tags[-1] if kind is ev.Tokens else tags[0], columns)]
        if own != rows:  # kinds with the same fields stand above one table
            yield from rows
        only = f" ({next(iter(said))} only)" if len(said) == 1 else ""
        yield from (f"### {', in bulk '.join(f'`{tag}`' for tag in tags)}{only}", "", _prose(kind), "")
        rows = own
        inner += [name for name in ("Span", "Row", "Line", "Digests") if name in str(columns)]
    yield from rows
    for name in inner:
        yield from (f"### {name}", "", _prose(getattr(ev, name)), "")
        yield from _table(name, {"type": types_of(getattr(ev, name))})
