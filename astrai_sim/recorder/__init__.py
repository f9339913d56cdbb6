"""Recording a run by watching the live objects."""

from astrai_sim.recorder.full import Recorder
from astrai_sim.recorder.record import record

__all__ = ["Recorder", "record"]
