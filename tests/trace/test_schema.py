"""The JSON Schema of lines: every line of every shipped trace meets it, and broken ones do not."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from astrai_sim.trace import Trace, events, header
from astrai_sim.trace.fields import EDGES, EVENTS, field_of
from astrai_sim.trace.schema import line_schema
from astrai_sim.trace.wire import DIALECTS
from tests.conftest import ROOT
from tests.trace.recording import lines_of

TRACES = sorted((ROOT / "assets" / "traces").glob("*.jsonl.gz"))
SCHEMA = json.loads((ROOT / "docs" / "trace.schema.json").read_text(encoding="utf-8"))
SOME = 60
"""Lines of each trace that are looked at by the usual tests."""


@cache
def validator(name: str | None = None) -> Draft202012Validator:
    """Of any line, or of one that is known to be that."""
    whole = {k: v for k, v in SCHEMA.items() if k != "anyOf"} if name else SCHEMA
    return Draft202012Validator({**whole, "$ref": f"#/$defs/{name}"} if name else whole)


def of_line(line: dict[str, Any], detail: str) -> Draft202012Validator:
    """The validator of a line's own kind, which is faster than that of any."""
    name = line.get("type") or line["event"]
    return validator(name if name in SCHEMA["$defs"] else f"{detail}_{name}")


def test_the_schema_is_one_and_is_that_of_the_structs():
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(line_schema())) == SCHEMA


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.split(".")[0])
def test_lines_of_shipped_traces_meet_it(path: Path):
    """The first of each kind, and some at random."""
    trace = Trace.open(path)
    lines, draw = bytes(trace.content).splitlines(), random.Random(path.name)
    firsts = [next(trace.find(event=kind)).line for kind in trace.kinds()]
    for number in {1, len(lines), *firsts, *(draw.randint(1, len(lines)) for _ in range(SOME))}:
        line = json.loads(lines[number - 1])
        of_line(line, trace.header.detail).validate(line)
    for number in (1, 2, len(lines)):
        validator().validate(json.loads(lines[number - 1]))


@pytest.mark.slow
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.split(".")[0])
def test_every_line_of_shipped_traces_meets_it(path: Path):
    trace = Trace.open(path)
    for line in lines_of(trace):
        assert of_line(line, trace.header.detail).is_valid(line), line


def test_broken_lines_do_not_meet_it(crowd_trace: Trace):
    """Without a field that must be there, with one of another type, of a kind that is not."""
    detail, seen = crowd_trace.header.detail, set()
    for line in lines_of(crowd_trace):
        name = line.get("type") or line["event"]
        if name in seen:
            continue
        seen.add(name)
        own = of_line(line, detail)
        for field in own.schema["$defs"][own.schema["$ref"].rpartition("/")[2]]["required"]:
            assert not own.is_valid({k: v for k, v in line.items() if k != field}), (name, field)
            wrong = {**line, field: {"no": "such"}}
            assert field in ("args", "result") or not own.is_valid(wrong), (name, field)
    assert seen >= {"header", "footer", "snapshot", "step_end"} and len(seen) > 15
    assert not validator().is_valid({"seq": 0, "step": 0, "phase": None, "ns": 0, "event": "lunch"})
    assert not validator(detail).is_valid({"type": "header"})


@pytest.mark.parametrize("name, detail", [("emit", "bulk"), ("emit_full", "full")])
def test_an_emitters_lines_meet_it(name: str, detail: str, tmp_path: Path):
    out = tmp_path / "run.jsonl"
    with out.open("wb") as file:
        subprocess.run([sys.executable, "-I", ROOT / f"docs/emitters/{name}.py", out], check=True, stdout=file)
    for line in map(json.loads, out.read_bytes().splitlines()):
        of_line(line, detail).validate(line)


def test_lines_in_the_document_meet_it():
    page = (ROOT / "docs" / "trace-format.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(.*?)```", page, re.S)
    assert len(blocks) == 2
    for block, detail in zip(blocks, ("full", "bulk"), strict=True):
        for line in block.splitlines():
            of_line(json.loads(line), detail).validate(json.loads(line))


def test_every_field_says_what_it_means_and_none_says_it_in_vain():
    """`field_of` has a text for every field of a line; each text is that of some field."""
    used = set()
    for lines in DIALECTS.values():
        for kind in lines:
            for field in structs.fields(kind):
                if not field.encode_name.startswith("(") and field.name != "line":
                    tag = str(kind.__struct_config__.tag)
                    assert field_of(tag, field.encode_name).means
                    used |= {f"{tag}.{field.encode_name}", field.encode_name}
    nested = {name for name in EVENTS if name[0].isupper()}
    assert set(EVENTS) - nested <= used | {"event"}
    for name in nested | EDGES.keys() - {"type"}:
        kind, _, field = name.partition(".")
        found = getattr(header, kind, None) or getattr(events, kind)
        assert field in getattr(found, "__struct_fields__", getattr(found, "__dataclass_fields__", ())), name
