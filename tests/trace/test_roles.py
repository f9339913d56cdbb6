"""Functions are found by the roles that the header gives them, whatever an engine calls them."""

from __future__ import annotations

import pytest

from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.roles import ROLES
from astrai_sim.trace.verify import verify
from scenes.parts.code import Code
from scenes.prefix_cache import PrefixCacheTelling
from tests.trace.recording import crowd, lines_of, recorded, resealed

NAMES = {name: f"Engine.{role}_it" for role, name in ROLES.items()}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    return recorded(crowd(), tmp_path_factory.mktemp("roles") / "run.jsonl")


def renamed(own: Trace, roles: dict[str, str]) -> list[dict]:
    """The recording as an engine's whose functions have other names and play `roles`."""
    header, *lines = lines_of(own)
    sources = {NAMES.get(name, name): source for name, source in header["sources"].items()}
    engine = {"name": "other", "version": "1", "commit": None}
    told = [{**line, "function": NAMES[line["function"]]} if line.get("event") == "lines" else line for line in lines]
    return [{**header, "engine": engine, "sources": sources, "roles": roles}, *told]


def test_lines_of_other_names_are_checked_as_those_of_this_engine(own: Trace) -> None:
    lines = renamed(own, {role: NAMES[name] for role, name in ROLES.items()})
    report = verify(resealed(lines))
    assert report.levels["paging"] == verify(own).levels["paging"]
    at = next(i for i, line in enumerate(lines) if line.get("function") == "Engine.alloc_it")
    lines[at] = {**lines[at], "result": lines[at]["result"] + 1}
    with pytest.raises(TraceError, match="result of the call"):
        verify(resealed(lines))


def test_what_plays_no_role_is_taken_on_trust_and_left_out_of_films(own: Trace) -> None:
    roles = {role: NAMES[name] for role, name in ROLES.items() if role not in ("alloc", "free", "view")}
    header, *lines = renamed(own, roles)
    trace = resealed([{**header, "policy": []}, *lines])
    report = verify(trace)
    assert any("calls of Engine.alloc_it" in trusted for trusted in report.trusted)
    assert trace.header.function("alloc") is None
    assert trace.header.function("write") == "Engine.write_it"
    absent = {NAMES[ROLES[role]] for role in ("alloc", "free", "view")}
    assert titles(trace) == {NAMES[title] for title in titles(own)} - absent
    assert titles(trace)


def titles(trace: Trace) -> set[str]:
    """Functions whose code stands beside the picture in PrefixCache."""
    sections = PrefixCacheTelling("PrefixCache", trace).storyboard().sections
    parts = (part for section in sections for shot in section.beats for act in shot.acts for part in act.parts)
    return {str(part.title) for part in parts if isinstance(part, Code)}


def test_a_role_whose_source_is_not_told_is_absent(own: Trace) -> None:
    header, *lines = renamed(own, {"alloc": "Engine.nowhere"})
    trace = resealed([header, *(line for line in lines if line.get("event") != "lines")])
    assert trace.header.function("alloc") is None
    assert trace.header.function("free") is None


def test_traces_without_roles_have_those_of_this_engine(own: Trace) -> None:
    assert own.header.roles is None
    found = {role: own.header.function(role) for role in ROLES}
    assert found == ROLES
