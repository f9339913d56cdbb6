"""Traces whose tokens have texts, made from recorded ones, each once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from astrai_sim.trace import Trace
from tests.chat.worded import worded


@pytest.fixture(scope="session")
def word_scenario(record_scenario, tmp_path_factory):
    """Records a scenario of `tests/film/scenarios` and gives its tokens texts."""
    folder = tmp_path_factory.mktemp("worded")

    def record(scenario: str) -> Path:
        path = folder / f"{scenario}.jsonl.gz"
        return path if path.exists() else worded(record_scenario(scenario), path)

    return record


@pytest.fixture(scope="session")
def shared(word_scenario) -> Trace:
    """Requests under one prefix, whose pages they share."""
    return Trace.open(word_scenario("shared_prefix"))


@pytest.fixture(scope="session")
def crowded(word_scenario) -> Trace:
    """More requests than the pool holds: some are preempted and computed again."""
    return Trace.open(word_scenario("crowded"))
