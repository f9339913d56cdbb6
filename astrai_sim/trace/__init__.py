"""The trace: what crosses from the engine to the films. Needs numpy, never torch."""

from astrai_sim.trace.events import SCHEMA, VERSION, Event
from astrai_sim.trace.reader import Trace, TraceError
from astrai_sim.trace.series import RequestTimes, Series
from astrai_sim.trace.state import State
from astrai_sim.trace.writer import TraceWriter

__all__ = ["SCHEMA", "VERSION", "Event", "RequestTimes", "Series", "State", "Trace", "TraceError", "TraceWriter"]
