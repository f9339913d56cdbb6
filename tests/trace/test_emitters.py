"""The emitters of the documents: traces written with nothing of ours hold, and films tell them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from astrai_sim.tools.cli import main
from astrai_sim.trace import Trace
from astrai_sim.trace.verify import verify
from scenes.cli import main as films
from tests.conftest import ROOT

EMITTERS = ROOT / "docs" / "emitters"
COMPILER = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
FILM = {"python": "PoolAtScale", "cpp": "PoolAtScale", "full": "PrefixCache"}
TWENTY = 20
NEEDS_COMPILER = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler (c++, g++, clang++) here")


@pytest.fixture(scope="module", params=["python", "full", pytest.param("cpp", marks=NEEDS_COMPILER)])
def emitted(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("emitted")
    trace = folder / f"{request.param}.jsonl"
    if request.param == "full":
        subprocess.run([sys.executable, "-I", EMITTERS / "emit_full.py", trace], cwd=folder, check=True)
        return trace
    command = [sys.executable, "-I", EMITTERS / "emit.py"]
    if request.param == "cpp":
        command = [folder / "emit"]
        build = [COMPILER, "-std=c++17", "-Wall", "-Wextra", "-Werror", EMITTERS / "emit.cpp", "-o", *command]
        subprocess.run(build, check=True)
    trace.write_bytes(subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout)
    return trace


def test_what_an_emitter_writes_holds(emitted: Path):
    report = verify(Trace.open(emitted))
    assert report.levels["format"].total() > 100 and report.levels["paging"].total() > 100 and not report.rules
    told = CliRunner().invoke(main, ["verify", str(emitted)])
    assert told.exit_code == 0 and "paging: holds" in told.output and "policy: the engine claims none" in told.output
    assert ("states no digest" in told.output) == (emitted.stem != "full")


def test_twenty_lines_of_python_write_a_trace():
    text = (EMITTERS / "emit.py").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith(("#", '"""'))]
    assert max(map(len, lines)) <= 120 and len(lines) <= TWENTY


def test_twenty_statements_of_cpp_write_a_trace():
    text = (EMITTERS / "emit.cpp").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 120
    assert len(re.findall(r";$|^ *for ", text, re.MULTILINE)) <= TWENTY


def test_what_it_leaves_out_has_a_meaning(emitted: Path):
    """Phase, arrival, cached tokens and durations that are not stated are those that follow from the rest."""
    trace = Trace.open(emitted)
    assert {event.phase for event in trace} == {None} and trace.header.device.name == "unknown"
    came = [(event.step, event.arrival_step) for event in trace.find("task_submitted")]
    assert len(came) == 2 and all(due == step + (emitted.stem == "full") for step, due in came)
    assert {event.cached_tokens for event in trace.find("task_admitted")} == {0}
    begins, ends = ([*trace.find(kind)] for kind in ("step_begin", "step_end"))
    assert [end.duration_ns for end in ends] == [end.ns - begin.ns for begin, end in zip(begins, ends, strict=True)]


def test_a_film_tells_it(emitted: Path):
    told = CliRunner().invoke(films, ["list", "--trace", str(emitted), "--json"])
    assert told.exit_code == 0
    applies = {row["film"] for row in json.loads(told.output) if row["applies"] == "yes"}
    assert applies == {"Fragmentation", FILM[emitted.stem]}


@pytest.mark.slow
def test_nothing_in_the_film_differs_from_it(emitted: Path):
    done = CliRunner().invoke(films, ["check", FILM[emitted.stem], "--trace", str(emitted)])
    assert done.exit_code == 0 and "no differences" in done.output, done.output
