"""Recording a run by watching the live objects."""

from astrai_sim.recorder.record import record

__all__ = ["record"]
