"""Traces for tests: recorded by the engine itself, each at most once a session.

Torch gets one thread, since the tests themselves run side by side.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
pytest.register_assert_rewrite("tests.film.clean")

ROOT = Path(__file__).resolve().parents[1]
SCENARIOS = ROOT / "tests" / "film" / "scenarios"
SLOW_S = 1200
"""Most seconds that a slow test may take; the limit of others is in pyproject.toml."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests their own limit."""
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_S))


@pytest.fixture(scope="session")
def record_scenario(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Records a scenario of `tests/film/scenarios`, by name, and gives the trace's path."""
    folder = tmp_path_factory.mktemp("traces")

    def record(scenario: str) -> Path:
        trace = folder / f"{scenario}.jsonl.gz"
        if not trace.exists():
            command = [sys.executable, "-m", "astrai_sim", "record"]
            command += [SCENARIOS / f"{scenario}.toml", "-o", trace, "--device", "cpu"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
        return trace

    return record


@pytest.fixture(scope="session")
def two_requests(record_scenario: Callable[[str], Path]) -> Path:
    """A short run of two requests over six pages of eight slots."""
    return record_scenario("two_requests")
