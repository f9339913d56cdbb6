"""Production request traces: who asked when, how long, and for how much."""

from astrai_sim.workload.request import MOST_TOKENS, UNITS, LoadRequest, WorkloadError
from astrai_sim.workload.select import KINDS, Selection, Workload, read_workload

__all__ = ["KINDS", "MOST_TOKENS", "UNITS", "LoadRequest", "Selection", "Workload", "WorkloadError", "read_workload"]
