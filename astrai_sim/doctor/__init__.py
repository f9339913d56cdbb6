"""The doctor: what is wrong with an engine's memory management, found in a trace, with the events that led there."""

from astrai_sim.doctor.examine import Report, examine, kinds
from astrai_sim.doctor.kind import Finding, Kind

__all__ = ["Finding", "Kind", "Report", "examine", "kinds"]
