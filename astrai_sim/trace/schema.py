"""A JSON Schema of the lines of a trace, from the structs that read them."""

import json
from inspect import cleandoc, getdoc
from typing import Any

import msgspec

from astrai_sim.trace.events import SCHEMA, VERSION
from astrai_sim.trace.fields import field_of
from astrai_sim.trace.header import CHOICES, Footer, Header
from astrai_sim.trace.wire import BOTH, DIALECTS

DRAFT = "https://json-schema.org/draft/2020-12/schema"
EDGES = {"header": Header, "footer": Footer}


def line_schema() -> dict[str, Any]:
    """A schema that every line of a trace meets.

    Its definitions `header`, `footer`, `full` and `bulk` are for a line that is known to be one of these, and
    `full_EVENT`, `bulk_EVENT`, or `EVENT` where both are the same, for one of an event.
    """
    found: dict[str, Any] = {}
    for name, kind in EDGES.items():
        found[name] = made = _defined(kind, name, found)
        made["properties"] = {"type": {"const": name}, **made["properties"]}
        made["required"] = ["type", *made["required"]]
    for field, values in {**CHOICES, "schema": (SCHEMA,), "version": (VERSION,)}.items():
        found["header"]["properties"][field]["enum"] = list(values)
    for dialect, lines in DIALECTS.items():
        names = []
        for line in lines:
            tag = str(line.__struct_config__.tag)
            names.append(tag if line in BOTH else f"{dialect}_{tag}")
            found[names[-1]] = _defined(line, tag, found)
        found[dialect] = _any(names)
    described = f"A line of a trace: {', '.join([*EDGES, *DIALECTS])}"
    return {"$schema": DRAFT, "description": described, **_any([*EDGES, *DIALECTS]), "$defs": found}


def schema() -> str:
    """`line_schema` as the text of a file, the same with every release of msgspec."""
    return json.dumps(line_schema(), indent=1, ensure_ascii=False) + "\n"


def _any(names: list[str]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}


def _defined(kind: type[msgspec.Struct], title: str, found: dict[str, Any]) -> dict[str, Any]:
    """The definition of a struct; those that it refers to are put into `found`."""
    defined = msgspec.json.schema(kind)["$defs"]
    own = defined.pop(kind.__name__)
    found |= {name: _described(name, name, it["description"], it) for name, it in defined.items()}
    return _described(kind.__name__ if kind in EDGES.values() else title, title, getdoc(kind) or "", own)


def _described(name: str, title: str, text: str, defined: dict[str, Any]) -> dict[str, Any]:
    """The definition with what each field means, without those that a line does not have."""
    fields = {}
    for field, it in defined["properties"].items():
        if not field.startswith("(") and (field != "line" or name == "Line"):
            means = field_of(name, field)
            fields[field] = {**it, "description": f"{means.means} ({means.unit})" if means.unit else means.means}
    top = {"title": title, "description": cleandoc(text), "type": "object"}
    return {**top, "properties": fields, "required": defined.get("required", [])}
