"""The source keeps the project's habits, and what is let off keeps getting less."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from astrai_sim.recorder.header import SHOWN, SHOWN_METHODS
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
PACKAGES = ("astrai_sim", "scenes")
LONGEST = 400
SHOWN_FILES = ("astrai_sim/engine/cache/paged_cache.py", "astrai_sim/engine/cache/view.py")


def sources() -> list[Path]:
    """The files of both packages."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def untyped(*paths: str) -> list[dict]:
    """Ruff's findings on annotations in `paths`, those that the project lets off too."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--output-format", "json"]
    command += ["--select", "ANN", "--ignore", "ANN401", *paths]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout)


def test_no_file_is_long():
    long = [path for path in sources() if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST]
    assert not long


def test_what_is_let_off_the_annotations_needs_it():
    """An entry that covers no finding any more has to go."""
    entries = set(PROJECT["ruff"]["lint"]["per-file-ignores"]) - {"tests/**", *SHOWN_FILES}
    found = [Path(finding["filename"]) for finding in untyped(*PACKAGES)]
    idle = {
        entry for entry in entries if not any(path.is_relative_to(ROOT / entry.removesuffix("/**")) for path in found)
    }
    assert not idle


@pytest.mark.parametrize("file", SHOWN_FILES)
def test_only_functions_that_films_show_are_untyped_in_the_cache(file):
    """Their text is that of the shipped traces, so they keep it."""
    names = {function.__qualname__ for function in SHOWN} | {f"PagedCache.{name}" for name in SHOWN_METHODS["cache"]}
    shown = [
        range(node.lineno, node.end_lineno + 1)
        for owner in ast.parse((ROOT / file).read_text()).body
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef) and f"{owner.name}.{node.name}" in names
    ]
    rows = [finding["location"]["row"] for finding in untyped(file)]
    assert rows and all(any(row in lines for lines in shown) for row in rows)


@pytest.mark.slow
def test_what_is_let_off_the_types_needs_it(tmp_path):
    """An entry under which pyright finds nothing any more has to go."""
    entries = PROJECT["pyright"].get("ignore", [])
    root = os.path.relpath(ROOT, tmp_path.resolve())
    config = {**PROJECT["pyright"], "include": [f"{root}/{package}" for package in PACKAGES], "ignore": []}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({**config, "extraPaths": [root], "venvPath": root}))
    command = [sys.executable, "-m", "pyright", "-p", tmp_path, "--outputjson"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] > 100
    found = [Path(finding["file"]) for finding in report["generalDiagnostics"]]
    idle = [entry for entry in entries if not any(path.is_relative_to(ROOT / entry) for path in found)]
    assert not idle


def test_commits_and_ci_are_checked_as_make_checks():
    makefile = (ROOT / "Makefile").read_text()
    assert "\ntest: check-code " in makefile
    assert "make test" in (ROOT / ".ci" / "run").read_text()
    assert "entry: make check-code\n" in (ROOT / ".pre-commit-config.yaml").read_text()
