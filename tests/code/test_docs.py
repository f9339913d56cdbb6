"""What the documents say is so, and the recipes lead where they say."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from astrai_sim.trace import Trace
from scenes.cli import main
from scenes.draw.layout import FRAMES
from scenes.lint.rules import all_rules
from scenes.lint.rules.pictures import PictureRule
from tests.conftest import ROOT, SCENARIOS

CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
LANGUAGE = (ROOT / "docs" / "picture-language.md").read_text()
FORMAT = (ROOT / "docs" / "trace-format.md").read_text(encoding="utf-8")
STEP = re.compile(r"^In `(?P<file>[\w/.]+)`, before `(?P<line>[^`]+)`:\n\n```python\n(?P<code>.*?)```$", re.M | re.S)


def test_the_architecture_names_every_module_and_no_other():
    done = subprocess.run(
        [sys.executable, "docs/architecture.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    modules = {
        path.relative_to(ROOT).as_posix() for name in ("astrai_sim", "scenes") for path in (ROOT / name).rglob("*.py")
    }
    assert sorted(re.findall(r"^- `([\w/]+\.py)`: \S", ARCHITECTURE, re.M)) == sorted(modules)


def test_the_line_that_the_architecture_follows_was_recorded():
    line = re.search(r"```json\n\s*(.*)\n", ARCHITECTURE)[1]
    assert line.encode() in bytes(Trace.open(ROOT / "assets" / "traces" / "promo.jsonl.gz").content).splitlines()


@pytest.mark.parametrize(
    "text", [CONTRIBUTING, ARCHITECTURE, LANGUAGE, FORMAT], ids=["contributing", "architecture", "language", "format"]
)
def test_what_is_named_exists(text):
    for path in re.findall(r"`((?:astrai_sim|scenes|assets|tests|docs)/[\w/.]*)`", text):
        assert (ROOT / path).exists() or path == "assets/scenarios/mine.toml", path
    rules = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M)) <= rules
    assert set(re.findall(r"-m scenes ([a-z-]+)", text)) <= set(main.commands)


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the engine's package with the example event of CONTRIBUTING.md in it."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "astrai_sim", folder / "astrai_sim", ignore=shutil.ignore_patterns("__pycache__"))
    steps = list(STEP.finditer(CONTRIBUTING))
    assert len(steps) == CONTRIBUTING.count("\n```python\n")
    for step in steps:
        path, line = folder / step["file"], "\n" + step["line"]
        text = path.read_text(encoding="utf-8")
        assert text.count(line) == 1, f"{step['file']} has {text.count(line)} lines that begin {step['line']!r}"
        path.write_text(text.replace(line, "\n" + step["code"] + step["line"]), encoding="utf-8")
    return folder


@pytest.mark.parametrize("detail", ["full", "bulk"])
def test_an_event_is_added_as_the_recipe_says(copy, tmp_path, detail):
    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)

    scenario = tmp_path / "batches.toml"
    lines = (SCENARIOS / "two_requests.toml").read_text(encoding="utf-8").split("[record]")
    assert len(lines) <= 2
    table = f'[record]\ndetail = "{detail}"\n'
    scenario.write_text(lines[0] + table + (lines[1] if len(lines) == 2 else ""), encoding="utf-8")
    trace = tmp_path / "run.jsonl"
    recorded = run("-m", "astrai_sim", "record", scenario, "-o", trace, "--device", "cpu")
    assert recorded.returncode == 0, recorded.stderr
    look = "import sys, pathlib; from astrai_sim.trace import Trace; t = Trace.open(pathlib.Path(sys.argv[1])); "
    look += "print([t.state_at(e.seq).batch - e.size for e in t.find(event='batch')])"
    seen = run("-c", look, trace)
    assert seen.returncode == 0 and set(seen.stdout.strip("[]\n").split(", ")) == {"0"}, seen.stderr
    assert run("-m", "astrai_sim", "verify", trace).returncode == 0
    lie = tmp_path / "lie.jsonl"
    lie.write_text(re.sub(r'("event":"batch","size":)\d+', r"\g<1>0", trace.read_text(), count=1))
    found = run("-m", "astrai_sim", "verify", lie)
    assert found.returncode != 0 and "a forward pass for no task" in found.stderr


def test_the_picture_language_names_the_rules_and_frames_that_there_are():
    shots = {rule.name for rule in all_rules() if not isinstance(rule, PictureRule)}
    assert set(re.findall(r"^\| `([a-z-]+)` \|", LANGUAGE.split("## What lint")[1], re.M)) == shots | {"text-overlap"}
    for frame in FRAMES.values():
        row = next(line for line in LANGUAGE.splitlines() if line.startswith(f"| {frame.name}, "))
        safe, stage, words = frame.safe, frame.stage, frame.words
        edges = [(safe.x, safe.right), (safe.y, safe.bottom), (stage.y, stage.bottom), (words.y, words.bottom)]
        told = [f"{low:.0f}–{high:.0f}" for low, high in edges]
        size = f"{frame.width:.0f} × {frame.height:.0f}"
        assert row == f"| {frame.name}, {size} | {told[0]}, {told[1]} | {told[2]} | {told[3]} |"
