"""Traces for tests: recorded by the engine itself, once a session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TWO_REQUESTS = ROOT / "tests" / "film" / "two_requests.toml"


@pytest.fixture(scope="session")
def two_requests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of two requests over six pages of eight slots."""
    trace = tmp_path_factory.mktemp("traces") / "two_requests.jsonl.gz"
    subprocess.run(
        [sys.executable, "-m", "astrai_sim", "record", TWO_REQUESTS, "-o", trace,
         "--device", "cpu"],
        check=True, cwd=ROOT, capture_output=True,
    )
    return trace
