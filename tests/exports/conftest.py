"""Traces to export: of every kind of event, in both details, with a model and without."""

from __future__ import annotations

import pytest

from astrai_sim.trace import Trace
from tests.trace.recording import crowd, recorded

RUNS = [("random", "full"), ("none", "full"), ("random", "bulk"), ("none", "bulk")]


@pytest.fixture(scope="session", params=RUNS, ids=lambda run: "-".join(run))
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """A crowd of requests in a small pool."""
    return recorded(crowd(*request.param), tmp_path_factory.mktemp("run") / "run.jsonl")
