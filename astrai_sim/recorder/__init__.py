"""Recording a run by watching the live objects."""

from astrai_sim.recorder.record import record
from astrai_sim.recorder.recorder import Recorder

__all__ = ["Recorder", "record"]
