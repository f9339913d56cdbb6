"""Adapters: other engines watched live, found by the shape of their objects; their runs become traces."""

from astrai_sim.adapters.attach import Attached, attach
from astrai_sim.adapters.guarding import RecordingFailed
from astrai_sim.adapters.stepping import CannotAttach

__all__ = ["Attached", "CannotAttach", "RecordingFailed", "attach"]
