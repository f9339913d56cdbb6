"""The emitters of the documents: traces written with nothing of ours hold, and films tell them."""

from __future__ import annotations

import json
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
FILM = {"python": "PrefixCache", "cpp": "PoolAtScale"}
NEEDS_COMPILER = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler (c++, g++, clang++) here")


@pytest.fixture(scope="module", params=["python", pytest.param("cpp", marks=NEEDS_COMPILER)])
def emitted(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("emitted")
    trace = folder / f"{request.param}.jsonl"
    command = [sys.executable, "-I", EMITTERS / "emit.py"]
    if request.param == "cpp":
        command = [folder / "emit"]
        build = [COMPILER, "-std=c++17", "-Wall", "-Wextra", "-Werror", EMITTERS / "emit.cpp", "-o", *command]
        subprocess.run(build, check=True)
    subprocess.run([*command, trace], cwd=folder, check=True)
    return trace


def test_what_an_emitter_writes_holds(emitted: Path):
    report = verify(Trace.open(emitted))
    assert report.levels["format"].total() > 100 and report.levels["paging"].total() > 100 and not report.rules
    told = CliRunner().invoke(main, ["verify", str(emitted)])
    assert told.exit_code == 0 and "paging: holds" in told.output and "policy: the engine claims none" in told.output
    assert ("states no digest" in told.output) == (emitted.stem == "cpp")


def test_a_film_tells_it(emitted: Path):
    told = CliRunner().invoke(films, ["list", "--trace", str(emitted), "--json"])
    assert told.exit_code == 0
    applies = {row["film"] for row in json.loads(told.output) if row["applies"] == "yes"}
    assert applies == {"Fragmentation", FILM[emitted.stem]}


@pytest.mark.slow
def test_nothing_in_the_film_differs_from_it(emitted: Path):
    done = CliRunner().invoke(films, ["check", FILM[emitted.stem], "--trace", str(emitted)])
    assert done.exit_code == 0 and "no differences" in done.output, done.output
