"""The film of what the doctor finds: what it shows is what was recorded, and where there is none it says so."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from scenes.check.checker import Checker
from scenes.cli import main as films
from scenes.film.moments import within
from scenes.film.rehearsal import rehearse
from scenes.findings.film import Findings
from tests.cli.test_commands import run
from tests.doctor.script import SYSTEM, Script
from tests.trace.recording import crowd, lines_of, recorded, resealed


@pytest.fixture
def mistaken(tmp_path):
    """A trace with a live page in the LRU, and a hit on a page that was computed after another prefix."""
    script = Script()
    with script.steps("prefill"):
        script.serve("A", [9, 9, 9, 9, *SYSTEM, 5], [0, 1, 2], ["k9", "k"])
    with script.steps():
        script.finish("A")
        script.leave("A", cached=[0, 1])
    script.submit("B", [*SYSTEM, 6])
    with script.steps("refill"):
        script.hit("B", [1])
        script.come("B", 1, "revived", lru=[0, 1])
        script.come("B", 2)
        script.admit("B", 4)
    path = tmp_path / "run.jsonl"
    path.write_bytes(bytes(script.trace().content))
    return path


def test_each_kind_of_finding_has_a_section_that_shows_what_was_recorded(mistaken, monkeypatch):
    monkeypatch.setenv("ASTRAI_UNVERIFIED", "1")
    checker = Checker()
    played = rehearse(Findings, mistaken, observers=(checker,), moments=within)
    assert [one.section.key for one in played.sections] == ["live-page-in-the-LRU", "stale-or-unchained-hit"]
    report = checker.report()
    assert report.labels and not report.mismatches and not report.unvouched
    said = [str(beat.caption) for one in played.sections for beat in one.section.beats]
    assert "A lookup for B finds page 1." in said
    assert (
        "In use, and among those to be evicted: page 1." in said
        and "Found, and not what was looked for: page 1." in said
    )


def test_a_trace_that_lies_is_refused_unless_it_is_let_through(mistaken):
    done = CliRunner().invoke(films, ["findings", "--trace", str(mistaken)])
    assert done.exit_code == 1 and len(done.output.splitlines()) == 1 and str(mistaken) in done.output


def test_without_findings_there_is_no_film(tmp_path):
    trace = recorded(crowd(), tmp_path / "run.jsonl")
    done = CliRunner().invoke(films, ["findings", "--trace", str(trace.path)])
    assert done.exit_code == 1 and "and it finds nothing in this trace" in done.output
    done = run("doctor", trace.path, "--film")
    assert done.exit_code == 0 and "nothing found" in done.output


def test_runs_of_pages_cannot_be_shown(tmp_path):
    header, *lines = lines_of(recorded(crowd("none", "bulk"), tmp_path / "bulk.jsonl"))
    freed = next(i for i, line in enumerate(lines) if line.get("event") == "pages_free")
    path = tmp_path / "twice.jsonl"
    path.write_bytes(bytes(resealed([header, *lines[: freed + 1], *lines[freed:]]).content))
    assert run("doctor", path).exit_code == 1
    done = CliRunner().invoke(films, ["findings", "--unverified", "--trace", str(path)])
    assert done.exit_code == 1 and "tells single pages and the trace has runs of them" in done.output


def test_what_no_film_can_follow_is_said_in_a_line(tmp_path):
    script = Script()
    with script.steps():
        script.serve("A", [1, 2, 3], [0])
        script.go("A", 0)
        script.go("A", 0)
    path = tmp_path / "run.jsonl"
    path.write_bytes(bytes(script.trace().content))
    done = CliRunner().invoke(films, ["findings", "--unverified", "--trace", str(path)])
    assert done.exit_code == 1 and len(done.output.splitlines()) == 1
    assert "cannot tell what does not hold in" in done.output and "(LookupError: a page is let go" in done.output


@pytest.mark.parametrize("status, code", [(0, 1), (1, 3)])
def test_the_doctor_asks_the_films_for_it(mistaken, monkeypatch, status, code):
    asked = []
    monkeypatch.setattr(subprocess, "run", lambda words, **_: asked.append(words) or SimpleNamespace(returncode=status))
    done = run("doctor", mistaken, "--film", "--preview", "-o", "x.mp4")
    assert done.exit_code == code and "1. live page in the LRU" in done.output
    options = ["--trace", str(mistaken), "--quality", "preview", "-o", "x.mp4", "--unverified"]
    assert asked == [[sys.executable, "-m", "scenes", "findings", *options]]


def test_options_of_a_film_are_refused_without_one(mistaken):
    done = run("doctor", mistaken, "-o", "x.mp4")
    assert done.exit_code == 2 and "--output and --preview are for --film" in done.output
