"""Format, paging, policy: a trace of another engine is checked at the rules that it claims."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace, TraceError
from astrai_sim.trace.verify import verify
from astrai_sim.trace.verify.policy import RULES
from tests.trace.foreign import foreign
from tests.trace.recording import crowd, lines_of, recorded, resealed

N_PAGES, SIZE = 14, 4


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    return lines_of(recorded(crowd(), tmp_path_factory.mktemp("levels") / "run.jsonl"))


def other(page: int) -> int:
    return N_PAGES - 1 - page


def highest_first(line: dict) -> dict:
    """The event as an engine has it that takes the highest free page first."""
    line = dict(line)
    if "page" in line:
        line["page"] = other(line["page"])
    for name in ("pages", "lru"):
        if name in line:
            line[name] = [other(page) for page in line[name]]
    if "mask" in line:
        line["mask"] = hex(int(f"{int(line['mask'], 16):0{N_PAGES}b}"[::-1], 2))
    if "refs" in line:
        line["refs"] = line["refs"][::-1]
    if "tables" in line:
        line["tables"] = {task: [other(page) for page in table] for task, table in line["tables"].items()}
    if "spans" in line:
        spans = [(span, [[other(page), a, b] for page, a, b in span["slots"]]) for span in line["spans"]]
        line["spans"] = [{**span, "slots": slots} for span, slots in spans]
    if "rows" in line:
        rows = [(row, [[other(at // SIZE) * SIZE, n] for at, n in row["slots"]]) for row in line["rows"]]
        line["rows"] = [{**row, "pages": [other(p) for p in row["pages"]], "slots": slots} for row, slots in rows]
    return line


def another(own: list[dict], policy: list[str] | None) -> list[dict]:
    """The run as another engine's, which claims the rules of `policy`."""
    header = {**own[0], "engine": {"name": "other", "version": "1", "commit": "0"}, "sources": {}, "policy": policy}
    return [header, *(highest_first(line) for line in own[1:-1] if line["event"] != "lines"), own[-1]]


def lie(lines: list[dict]) -> TraceError:
    with pytest.raises(TraceError) as raised:
        verify(resealed(lines))
    return raised.value


@pytest.mark.parametrize("policy", [None, []])
def test_another_engine_that_claims_nothing_is_checked_at_two_levels(own, policy):
    report = verify(resealed(another(own, policy)))
    assert report.rules == () and set(report.unclaimed) == set(RULES)
    assert report.levels["format"].total() > 1000 and report.levels["paging"].total() > 1000
    assert not report.levels["policy"]
    assert any("is not this one" in item for item in report.trusted)


def test_rules_that_are_claimed_are_checked(own):
    kept = ["least-recently-used", "cached-pages-last", "one-pass-a-phase", "latest-preempted", "chained-keys"]
    report = verify(resealed(another(own, [*kept, "pages-by-colour"])))
    assert set(report.rules) == set(kept) and report.levels["policy"]["least recently used"]
    assert any("'pages-by-colour', which is not known here" in item for item in report.trusted)
    error = lie(another(own, ["lowest-page-first"]))
    assert error.level == "policy" and "(rule lowest-page-first)" in error.message


def test_paging_holds_for_every_engine(own):
    lines = another(own, [])
    for event, field, value in (("page_alloc", "ref", 2), ("snapshot", "refs", [1] * N_PAGES), ("gather", "rows", [])):
        at = next(i for i, line in enumerate(lines) if line.get("event") == event and line[field] != value)
        error = lie([*lines[:at], {**lines[at], field: value}, *lines[at + 1 :]])
        assert error.level == "paging" and error.line == at + 1
    pages = {line["page"] for line in lines if line.get("event") == "page_alloc"}
    at = [i for i, line in enumerate(lines) if line.get("event") == "page_alloc"][1]
    assert (
        len(pages) > 2
        and "is not free" in lie([*lines[:at], {**lines[at], "page": N_PAGES - 1}, *lines[at + 1 :]]).message
    )


def test_the_first_lie_of_policy_leaves_the_other_levels_standing(own, tmp_path):
    path = tmp_path / "lie.jsonl"
    path.write_bytes(resealed(another(own, ["lowest-page-first"])).content)
    done = CliRunner().invoke(main, ["verify", str(path)])
    assert done.exit_code == 1 and "format: holds; paging: holds; policy: does not hold" in done.output
    path.write_bytes(path.read_bytes().replace(b'"ref":1', b'"ref":2', 1))
    assert "paging: does not hold" in CliRunner().invoke(main, ["verify", str(path)]).output


def test_lines_of_a_function_that_is_not_known_are_counted_as_trusted(own):
    alloc = own[0]["sources"]["PagedCache.alloc"]
    text = alloc["text"].replace("lsb", "low")
    header = {**own[0], "sources": {**own[0]["sources"], "PagedCache.alloc": {**alloc, "text": text}}}
    report = verify(resealed([header, *own[1:]]))
    assert any("lines of 4 calls of PagedCache.alloc" in item for item in report.trusted)
    assert not any("executed lines" in item for item in verify(resealed(own)).trusted)


def test_the_recorder_names_its_policy(own):
    assert own[0]["policy"] == list(RULES)
    docs = (Path(__file__).parents[2] / "docs" / "trace-format.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in docs and sentence in docs for name, sentence in RULES.items())


def test_a_trace_without_the_field_is_this_engines(own):
    header = {name: value for name, value in own[0].items() if name != "policy"}
    assert verify(Trace(Path("x"), resealed([header, *own[1:]]).content)).rules == tuple(RULES)


def admitting_in_prefill(own: list[dict], rules: list[str]) -> list[dict]:
    """The run as that of an engine that admits requests in the phase that computes their prompts."""
    header, *events, footer = foreign(own, drop=["gather"], rules=rules)
    kept: list[dict] = []
    admitted: list[dict] = []
    tasks: list[str] = []
    for line in events:
        name, inner = line["phase"], not line["event"].startswith("phase_")
        if name == "refill" and inner:
            admitted.append({**line, "phase": "prefill"})
            continue
        if name == "refill" and line["event"] == "phase_end":
            line = {**line, "tasks": []}
        if name == "prefill" and line["event"] == "phase_end":
            line = {**line, "tasks": [*dict.fromkeys([*tasks, *line["tasks"]])]}
        kept.append(line)
        if name == "prefill" and line["event"] == "phase_begin":
            tasks = [one["task"] for one in admitted if one["event"] == "task_admitted"]
            kept, admitted = [*kept, *admitted], []
    timeless = {"ns": 0, "duration_ns": 0}
    return [header, *({**line, **{k: v for k, v in timeless.items() if k in line}} for line in kept), footer]


def in_two_passes(lines: list[dict]) -> list[dict]:
    """The first prefill of several requests, computed in two passes."""
    at = next(i for i, line in enumerate(lines) if line["phase"] == "prefill" and len(line.get("spans", ())) > 1)
    spans = lines[at]["spans"]
    return [*lines[:at], {**lines[at], "spans": spans[:1]}, {**lines[at], "spans": spans[1:]}, *lines[at + 1 :]]


def test_who_is_admitted_in_the_phase_of_a_pass_is_no_pass(own):
    """Neither does the plan of the pass leave them out."""
    rules = ["one-pass-a-phase", "passes-planned", "first-come-first-served"]
    lines = admitting_in_prefill(own, rules)
    assert any(line["event"] == "task_admitted" and line["phase"] == "prefill" for line in lines[1:-1])
    assert set(verify(resealed(lines)).rules) == set(rules)
    two = [{**lines[0], "policy": rules[:1]}, *in_two_passes(lines[1:-1]), lines[-1]]
    assert "a second forward pass in prefill (rule one-pass-a-phase)" in lie(two).message
    assert verify(resealed([{**two[0], "policy": []}, *two[1:]])).levels["paging"].total() > 500
