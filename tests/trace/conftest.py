"""One recording of each kind, made once."""

from __future__ import annotations

import pytest

from astrai_sim.trace import Trace
from tests.trace.recording import crowd, recorded

KINDS = ("random", "none")
DETAILS = ("full", "bulk")


@pytest.fixture(
    scope="session", params=[(k, d) for k in KINDS for d in DETAILS], ids=[f"{k}-{d}" for k in KINDS for d in DETAILS]
)
def crowd_trace(request: pytest.FixtureRequest, tmp_path_factory) -> Trace:
    """The crowd, with and without a model, in full and in bulk."""
    kind, detail = request.param
    return recorded(crowd(kind, detail), tmp_path_factory.mktemp("crowd") / "crowd.jsonl")
