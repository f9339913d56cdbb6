"""Costs of paging, prefix reuse and recording, as ratios measured side by side."""

from astrai_sim.bench.measure import Comparison
from astrai_sim.bench.suite import SUBJECTS

__all__ = ["SUBJECTS", "Comparison"]
