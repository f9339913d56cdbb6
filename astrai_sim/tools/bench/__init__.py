"""Costs of paging, prefix reuse and recording, as ratios measured side by side."""

from astrai_sim.tools.bench.measure import Comparison
from astrai_sim.tools.bench.suite import SUBJECTS

__all__ = ["SUBJECTS", "Comparison"]
